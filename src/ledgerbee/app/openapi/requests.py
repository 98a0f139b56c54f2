"""An example of a request for each operation, and which ids belong into it.

An example works as it is in a new Danish company. Ids are the company's own, so that an example has their names in
braces, as the path has; `SOURCES` says where each id comes from: from a row of a list, or from the answer to the
example of another operation. `tests/contract/test_examples.py` sends them all by this rule.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledgerbee.app.openapi.request_bodies import BODIES

#: Stands for today in examples.
TODAY: Final = "2026-03-16"
#: Where an operation of the document says which ids its example takes.
KEY_OF_IDS: Final = "x-example-ids"
#: Where it says which examples have to be sent before it.
KEY_OF_STEPS: Final = "x-example-after"

_NAME: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an id comes from: `field` of the answer to `operation`, in a list of the first row that `where` fits."""

    operation: str
    where: Mapping[str, Any] = field(default_factory=dict)
    field: str = "id"

    def wire_form(self) -> dict[str, Any]:
        """As the document has it."""
        return {"operation": self.operation, "field": self.field, **({"where": self.where} if self.where else {})}

    def text(self) -> str:
        """As the document says it to people."""
        if self.operation.startswith("POST"):
            return f"`{self.field}` in the answer to the example of `{self.operation}`"
        row = " and ".join(f"`{name}` {value}" for name, value in self.where.items())
        return f"`{self.field}` of the {'row with ' + row if row else 'first row'} in `{self.operation}`"


def _account(number: int) -> Source:
    return Source("GET /v1/accounts", {"accountNumber": number})


#: By the name in braces. Names that mean something else at some operations stand in `_SPECIAL`.
SOURCES: Final[Mapping[str, Source]] = {
    "accessToken": Source("POST /v1/auth/token", field="access_token"),
    "accountId": _account(1010),
    "answerId": Source("POST /v1/incoming-documents/{incomingDocumentId}/answers"),
    "apiKeyId": Source("POST /v1/api-keys"),
    "attachmentId": Source("GET /v1/journal-entries/{journalEntryId}/attachments"),
    "auditEventId": Source("GET /v1/audit-events"),
    "bankAccountId": _account(6480),
    "clientSecret": Source("POST /v1/oauth-clients", field="clientSecret"),
    "customerGroupId": Source("GET /v1/customer-groups"),
    "billingRunId": Source("POST /v1/billing-runs"),
    "changeId": Source("POST /v1/subscriptions/{subscriptionId}/scheduled-changes"),
    "chargeId": Source("POST /v1/invoices/{invoiceId}/charges"),
    "connectionId": Source("GET /v1/connections"),
    "creditNoteId": Source("POST /v1/credit-notes"),
    "customerId": Source("POST /v1/customers"),
    "deliveryId": Source("GET /v1/deliveries"),
    "dimensionId": Source("POST /v1/dimensions"),
    "disputeId": Source("GET /v1/disputes"),
    "documentTemplateId": Source("GET /v1/document-templates"),
    "draftJournalEntryId": Source("POST /v2/draft-journal-entries"),
    "equityAccountId": _account(6510),
    "eventId": Source("GET /v1/events"),
    "incomingDocumentId": Source("POST /v1/incoming-documents"),
    "importId": Source("POST /v2/journal-entries/import"),
    "inputVatCodeId": Source("GET /v1/vat-codes", {"vatCode": "K010"}),
    "invoiceId": Source("POST /v1/invoices"),
    "invitationId": Source("POST /v1/users/invitations"),
    "invoiceNumber": Source("GET /v1/invoices", field="number"),
    "journalEntryId": Source("POST /v2/journal-entries"),
    "meterId": Source("POST /v1/meters"),
    "meterName": Source("POST /v1/meters", field="name"),
    "oauthClientId": Source("POST /v1/oauth-clients", field="clientId"),
    "orderConfirmationId": Source("POST /v1/order-confirmations"),
    "payablesAccountId": Source("GET /v1/accounts", {"controlAccountType": "ACCOUNTS_PAYABLE"}),
    "paymentId": Source("POST /v1/invoices/{invoiceId}/payments"),
    "payoutId": Source("GET /v1/payouts"),
    "provider": Source("GET /v1/payment-providers", {"provider": "sandbox"}, field="provider"),
    "paymentMethodId": Source("POST /v1/payment-providers/sandbox/cards"),
    "planId": Source("POST /v1/subscription-plans"),
    "planPriceId": Source("POST /v1/product-prices"),
    "productGroupId": Source("GET /v1/product-groups"),
    "productId": Source("POST /v1/products"),
    "productPriceId": Source("POST /v1/product-prices"),
    "projectId": Source("POST /v1/projects"),
    "quoteId": Source("POST /v1/quotes"),
    "receivablesAccountId": Source("GET /v1/accounts", {"controlAccountType": "ACCOUNTS_RECEIVABLE"}),
    "refundId": Source("POST /v1/charges/{chargeId}/refunds"),
    "salesAccountId": _account(1010),
    "subprojectId": Source("POST /v1/projects/{projectId}/subprojects"),
    "subscriptionId": Source("POST /v1/subscriptions"),
    "suppliesAccountId": _account(2450),
    "usageBackfillId": Source("POST /v1/usage/backfills"),
    "usageEventId": Source("POST /v1/meters/report", field="requestId"),
    "usageImportId": Source("POST /v1/usage/imports"),
    "userId": Source("GET /v1/users"),
    "valueId": Source("POST /v1/dimensions/{dimensionId}/values"),
    "vatAccountId": _account(7680),
    "vatCodeId": Source("GET /v1/vat-codes", {"vatCode": "K010"}),
    "vendorGroupId": Source("GET /v1/vendor-groups"),
    "vendorId": Source("POST /v1/vendors"),
    "webhookDeliveryId": Source("GET /v1/webhook-endpoints/{webhookEndpointId}/deliveries"),
    "webhookEndpointId": Source("POST /v1/webhook-endpoints"),
}
#: The same for operations whose path begins so.
_SPECIAL: Final[Mapping[tuple[str, str], Source]] = {
    ("/v1/customers/", "contactId"): Source("POST /v1/customers/{customerId}/contacts"),
    ("/v1/customers/", "departmentId"): Source("POST /v1/customers/{customerId}/departments"),
    ("/v1/vendors/", "contactId"): Source("POST /v1/vendors/{vendorId}/contacts"),
    ("/v1/vendors/", "departmentId"): Source("POST /v1/vendors/{vendorId}/departments"),
    ("/v1/draft-journal-entries/", "draftJournalEntryId"): Source("POST /v1/draft-journal-entries"),
    ("/v1/product-groups/", "productGroupId"): Source("POST /v1/product-groups"),
}
#: Somebody is invited, and accepts.
_MEMBER: Final = ("POST /v1/users/invitations",)
_REPLAY: Final = "POST /v1/webhook-endpoints/{webhookEndpointId}/replay"
#: Examples to send before an operation's own, beside those that its ids come from.
_STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "POST /v1/invoices/send-batch": ("PATCH /v1/company",),
    "POST /v1/invoices/{invoiceId}/send": ("PATCH /v1/company",),
    "POST /v1/credit-notes/{creditNoteId}/send": ("PATCH /v1/company",),
    "GET /v1/invoices/{invoiceId}/e-invoice": ("POST /v1/invoices/{invoiceId}/send",),
    "GET /v1/invoices/{invoiceId}/child-details": ("POST /v1/invoices/{invoiceId}/send",),
    "GET /v1/credit-notes/{creditNoteId}/e-invoice": ("POST /v1/credit-notes/{creditNoteId}/send",),
    "POST /v1/e-invoice-responses": ("POST /v1/invoices/{invoiceId}/send",),
    "POST /v1/invoices/{invoiceId}/charges": ("POST /v1/invoices/{invoiceId}/send",),
    "POST /v1/invoices/{invoiceId}/payments": ("POST /v1/invoices/{invoiceId}/send",),
    "POST /v1/invoices/{invoiceId}/apply-credit": (
        "POST /v1/invoices/{invoiceId}/send",
        "POST /v1/credit-notes/{creditNoteId}/send",
    ),
    "POST /v1/customers/{customerId}/credit/refund": ("POST /v1/credit-notes/{creditNoteId}/send",),
    "POST /v1/invoices/{invoiceId}/write-off": ("POST /v1/invoices/{invoiceId}/send",),
    "POST /v1/invoices/{invoiceId}/write-off/reverse": ("POST /v1/invoices/{invoiceId}/write-off",),
    "GET /v1/disputes/{disputeId}": ("POST /v1/invoices/{invoiceId}/charges",),
    "POST /v1/order-confirmations/{orderConfirmationId}/convert": (
        "POST /v1/order-confirmations/{orderConfirmationId}/send",
    ),
    "POST /v1/payouts/import": ("PUT /v1/payment-providers/{provider}",),
    "GET /v1/payouts/{payoutId}": ("POST /v1/payouts/import",),
    "POST /v1/payment-providers/sandbox/cards": ("PUT /v1/payment-providers/{provider}",),
    "POST /v1/payment-providers/sandbox/events": ("PUT /v1/payment-providers/{provider}",),
    "POST /v1/customers/{customerId}/payment-methods/card-link": ("PUT /v1/payment-providers/{provider}",),
    "POST /v1/quotes/{quoteId}/accept": ("POST /v1/quotes/{quoteId}/send",),
    "POST /v1/quotes/{quoteId}/convert": ("POST /v1/quotes/{quoteId}/send",),
    "POST /v1/quotes/{quoteId}/reject": ("POST /v1/quotes/{quoteId}/send",),
    "POST /v1/subscriptions/{subscriptionId}/preview": ("PATCH /v1/company",),
    "POST /v1/subscriptions/{subscriptionId}/resume": ("POST /v1/subscriptions/{subscriptionId}/pause",),
    "POST /v1/usage/backfills/{usageBackfillId}/revert": ("POST /v1/usage/backfills/{usageBackfillId}/close",),
    "GET /v1/deliveries/{deliveryId}/messages": ("POST /v1/quotes/{quoteId}/send",),
    "POST /v1/deliveries/bounces": ("POST /v1/quotes/{quoteId}/send",),
    "POST /v1/quotes/{quoteId}/revoke-link": ("POST /v1/quotes/{quoteId}/send",),
    "GET /v1/events/{eventId}": ("POST /v1/customers",),
    "POST /v1/webhook-endpoints/{webhookEndpointId}/replay": ("POST /v1/customers",),
    "GET /v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}": (_REPLAY,),
    "POST /v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}/redeliver": (_REPLAY,),
    "GET /v1/exchange-rates": ("PUT /v1/exchange-rates",),
    "PATCH /v1/users/{userId}": _MEMBER,
    "DELETE /v1/users/{userId}": _MEMBER,
}
#: Query parameters whose example has to be a certain one.
_QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "GET /v1/exchange-rates": {"currency": "EUR", "date": TODAY},
    "GET /v1/metrics/mrr": {"month": "2026-03"},
    "GET /v1/metrics/mrr/customers": {"month": "2026-03"},
    "GET /v1/metrics/revenue-reconciliation": {"month": "2026-03"},
}


def exemplify_request(method: str, path: str, operation: dict[str, Any]) -> None:
    """Put the example of a request into its operation, with what it takes: in words, and for programs."""
    name = f"{method.upper()} {path}"
    bodies = BODIES.get(name, {})
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        if media_type in bodies:
            media["example"] = bodies[media_type]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in _QUERIES.get(name, {}):
            parameter["schema"].pop("examples", None)
            parameter["example"] = _QUERIES[name][parameter["name"]]
    ids = dict(_ids(path, bodies))
    steps = _STEPS.get(name, ())
    if ids:
        operation[KEY_OF_IDS] = {each: source.wire_form() for each, source in ids.items()}
    if steps:
        operation[KEY_OF_STEPS] = list(steps)
    if ids or steps:
        text, heading, scope = operation["description"].partition("### Required Scope")
        notes = "\n".join(_notes(ids, steps))
        operation["description"] = f"{text.rstrip()}\n\n### Example\n\n{notes}\n\n{heading}{scope}".rstrip()


def _ids(path: str, bodies: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    for name in dict.fromkeys(_NAME.findall(path + json.dumps(list(bodies.values())))):
        special = [source for (start, each), source in _SPECIAL.items() if each == name and path.startswith(start)]
        yield name, special[0] if special else SOURCES[name]


def _notes(ids: Mapping[str, Source], steps: tuple[str, ...]) -> Iterator[str]:
    for name, source in ids.items():
        yield f"- `{{{name}}}`: {source.text()}"
    for step in steps:
        yield f"- Send the example of `{step}` first."
