"""A valid call of every tool, in a company with one object of every kind."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.contract.world import World

Arguments = dict[str, Any]

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
    "list_journal_entries": lambda world: {"accountId": world.ids["accountId"]},
    "get_journal_entry": lambda world: {"journalEntryId": world.ids["journalEntryId"]},
    "get_account_ledger": lambda world: {"accountId": world.ids["accountId"]},
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
}
