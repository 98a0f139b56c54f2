"""A valid call of every tool, in a company with one object of every kind."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.contract.world import World

Arguments = dict[str, Any]


def _drafted(world: World) -> Arguments:
    lines = [{"priceId": world.ids["productPriceId"], "quantity": 1}]
    return {"customerId": world.ids["customerId"], "date": "2026-03-16", "lines": lines}


#: The arguments of a call that succeeds, by the tool's name.
CALLS: Final[Mapping[str, Callable[[World], Arguments]]] = {
    "get_company": lambda _: {},
    "get_exchange_rate": lambda _: {"currency": "EUR", "date": "2026-03-16"},
    "search": lambda _: {"query": "Havn"},
    "list_customers": lambda _: {"customerNumber": "C-1"},
    "get_customer": lambda world: {"customerId": world.ids["customerId"]},
    "list_documents": lambda world: {"kind": "invoice", "customerId": world.ids["customerId"]},
    "get_document": lambda world: {"kind": "invoice", "documentId": world.ids["sentInvoiceId"]},
    "list_overdue": lambda world: {"asOf": "2026-12-31", "customerId": world.ids["customerId"]},
    # Of the world's customer: others have entries of a thousand lines by now, which no result takes.
    "list_journal_entries": lambda world: {"customerId": world.ids["customerId"], "limit": 2},
    "get_journal_entry": lambda world: {"journalEntryId": world.ids["journalEntryId"]},
    "get_trial_balance": lambda _: {"includeUnused": True},
    "explain_balance": lambda world: {"customerId": world.ids["customerId"]},
    "list_subscriptions": lambda world: {"customerId": world.ids["customerId"]},
    "get_subscription": lambda world: {"subscriptionId": world.ids["subscriptionId"]},
    "get_usage": lambda world: {"meterId": world.ids["meterId"]},
    "aggregate": lambda world: {
        "measures": ["net", "entries"],
        "dimensions": ["month", "account"],
        "accountIds": [world.ids["accountId"]],
    },
    "save_customer": lambda world: {"customerId": world.ids["customerId"], "phone": "12345678"},
    "draft_quote": _drafted,
    "convert_quote": lambda world: {"quoteId": world.ids["quoteId"], "target": "invoice"},
    "draft_invoice": _drafted,
    "send_document": lambda world: {"type": "invoice", "documentId": world.ids["invoiceId"], "deliveryType": "Manual"},
    "credit_invoice": lambda world: {"customerId": world.ids["customerId"], "invoiceNumber": "2"},
    "register_payment": lambda world: {
        "invoiceId": world.ids["sentInvoiceId"],
        "date": "2026-03-16",
        "amount": "1.00",
    },
    "post_entry": lambda world: {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": "5.00",
        "lines": [
            {"accountId": world.ids["bankAccountId"], "side": "DEBIT", "amount": "5.00"},
            {"accountId": world.ids["salesAccountId"], "side": "CREDIT", "amount": "5.00"},
        ],
    },
    "reverse_entry": lambda world: {"journalEntryId": world.ids["journalEntryId"]},
    "assign_subscription": lambda world: {
        "customerId": world.ids["customerId"],
        "planId": world.ids["planId"],
        "startDate": "2026-03-16",
    },
    "change_subscription": lambda world: {
        "subscriptionId": world.ids["cancelledSubscriptionId"],
        "type": "change_direction",
        "payload": {"billingDirection": "arrears"},
    },
    "cancel_subscription": lambda world: {
        "id": world.ids["cancelledSubscriptionId"],
        "strategy": "end_of_cycle",
    },
    "list_previews": lambda _: {},
    "commit_preview": lambda _: {},
}

#: The tool whose result names what another one takes, and the name of that.
BEFORE: Final = {"commit_preview": ("post_entry", "previewId")}
#: Paths of the API to ask before a call: what it takes is sent.
SENT_BEFORE: Final[Mapping[str, str]] = {"convert_quote": "/v1/quotes/{quoteId}/send"}
