"""One row per operation. The rows drive every cross-cutting test; an operation without a row fails.

`documented` rows restate the reference (operation, path, scope, title); the others are our extensions.
A valid request is the document's example with a `World`'s ids in it, unless a row's `body` makes another one.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from tests.answers import answer
from tests.contract.world import World
from tests.document import DOCUMENT

from ledgerbee.core.ids import new_id

Body = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """What is expected of one operation."""

    tag: str
    method: str
    path: str
    scope: str | None
    title: str
    body: Body | None = None
    documented: bool = True
    public: bool = False
    #: Code of the 404 for an id that is nobody's (and for one of another company).
    not_found: str = ""
    success: int = 200
    #: What has to happen to a new world before the operation succeeds in it.
    prepare: Callable[[World], Awaitable[None]] | None = None
    #: Whether the idempotency key is the identity of what is made: required, and no generic one.
    keyed: bool = False
    #: Media type of a body that is a file and no JSON, and what is in it.
    file: str = ""
    content: str = ""

    @property
    def id_names(self) -> list[str]:
        return [name for name in self.path_names if name.endswith("Id")]

    @property
    def path_names(self) -> list[str]:
        """Ids, and names of other kinds."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def takes_form(self) -> bool:
        """Whether it speaks OAuth by forms; what else is public takes JSON."""
        return self.public and self.documented

    @property
    def writes(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"}

    def sent(self, world: World, **fields: Any) -> dict[str, Any]:
        """The options of a request with a valid body, and more fields in it."""
        if self.file:
            return {"content": self.content, "headers": {"content-type": self.file}}
        headers = {"headers": {"x-api-idempotency-key": str(new_id())}} if self.keyed else {}
        return {"json": {**(self.body(world) if self.body else self._example(world)), **fields}, **headers}

    def _example(self, world: World) -> dict[str, Any]:
        """The example that the document has of the operation's request."""
        content = DOCUMENT["paths"][self.path][self.method.lower()].get("requestBody", {}).get("content", {})
        example = json.dumps(content.get("application/json", {}).get("example", {}))
        for name, id_ in world.ids.items():
            example = example.replace(f"{{{name}}}", id_)
        return dict(json.loads(example))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def extension(*arguments: Any, **options: Any) -> Row:
    """A row of an operation that the original API doesn't have."""
    return replace(Row(*arguments, **options), documented=False)


async def _send_quote(world: World) -> None:
    sent = await world.api.post(f"/v1/quotes/{world.ids['quoteId']}/send", {"deliveryType": "Manual"})
    assert sent.status_code == 200, sent.text


async def _send_order_confirmation(world: World) -> None:
    path = f"/v1/order-confirmations/{world.ids['orderConfirmationId']}/send"
    sent = await world.api.post(path, {"deliveryType": "Manual"})
    assert sent.status_code == 200, sent.text


async def _send_invoice(world: World) -> None:
    sent = await world.api.post(f"/v1/invoices/{world.ids['invoiceId']}/send", {"deliveryType": "Manual"})
    assert sent.status_code == 200, sent.text


async def _begin_a_charge(world: World) -> None:
    """One that its provider was not asked for yet."""
    await _send_invoice(world)
    begun = await world.api.post(f"/v1/invoices/{world.ids['invoiceId']}/charges", {})
    assert begun.status_code == 202, begun.text
    world.ids["chargeId"] = begun.json()["id"]


async def _with_a_new_backfill(world: World) -> None:
    """One of a meter of its own."""
    meter = await world.api.post("/v1/meters", {"name": str(new_id())})
    body = {"meterId": meter.json()["id"], "from": "2026-01-01", "to": "2026-01-31"}
    made = await world.api.post("/v1/usage/backfills", body)
    assert made.status_code == 201, made.text
    world.ids["usageBackfillId"] = made.json()["id"]


async def _with_a_closed_backfill(world: World) -> None:
    await _with_a_new_backfill(world)
    closed = await world.api.post(f"/v1/usage/backfills/{world.ids['usageBackfillId']}/close")
    assert closed.status_code == 200, closed.text


async def _without_backfills(world: World) -> None:
    cancelled = await world.api.post(f"/v1/usage/backfills/{world.ids['usageBackfillId']}/cancel")
    assert cancelled.status_code == 200, cancelled.text


async def _in_a_company_of_its_own(_: World) -> None:
    """Nothing is needed; in the shared company others may have given it a text that no font shows."""


async def _in_a_sandbox(world: World) -> None:
    """Go on as a sandbox that the company makes."""
    made = await world.api.post("/v1/companies", {"name": "Prøve ApS", "countryCode": "DK", "sandbox": True})
    assert made.status_code == 201, made.text
    world.api.company_id, world.api.key = UUID(made.json()["id"]), made.json()["key"]


async def _with_another_card(world: World) -> None:
    card = {"customerId": world.ids["customerId"], "number": "5555555555554444"}
    saved = await world.api.post("/v1/payment-providers/sandbox/cards", card)
    assert saved.status_code == 201, saved.text
    world.ids["paymentMethodId"] = saved.json()["id"]


async def _unassign_the_card(world: World) -> None:
    path = f"/v1/customers/{world.ids['customerId']}/payment-methods/{world.ids['paymentMethodId']}"
    unassigned = await world.api.delete(path)
    assert unassigned.status_code == 204, unassigned.text


async def _switch_the_provider_off(world: World) -> None:
    changed = await world.api.put("/v1/payment-providers/sandbox", {"isEnabled": False})
    assert changed.status_code == 200, changed.text


async def _write_invoice_off(world: World) -> None:
    await _send_invoice(world)
    written_off = await world.api.post(f"/v1/invoices/{world.ids['invoiceId']}/write-off", {})
    assert written_off.status_code == 201, written_off.text


async def _give_a_gln(world: World) -> None:
    ean = {"eanNumber": "5798009811578"}
    changed = await world.api.patch(f"/v1/customers/{world.ids['customerId']}", ean)
    assert changed.status_code == 200, changed.text


async def _send_invoice_to_a_gln(world: World) -> None:
    await _give_a_gln(world)
    await _send_invoice(world)


async def _send_credit_note_to_a_gln(world: World) -> None:
    await _give_a_gln(world)
    path = f"/v1/credit-notes/{world.ids['creditNoteId']}/send"
    sent = await world.api.post(path, {"deliveryType": "Manual", "overrideEanNumber": "5798009811578"})
    assert sent.status_code == 200, sent.text


async def _pause(world: World) -> None:
    paused = await world.api.post(f"/v1/subscriptions/{world.ids['subscriptionId']}/pause", {})
    assert paused.status_code == 200, paused.text


def _cancellation(world: World) -> dict[str, Any]:
    """Of a subscription of its own: others change the world's."""
    return {"id": world.ids["cancelledSubscriptionId"], "strategy": "end_of_cycle"}


async def _make_credit(world: World) -> None:
    """A credit note of no invoice, in the books."""
    lines = [{"priceId": world.ids["productPriceId"], "quantity": 1}]
    body = {"customerId": world.ids["customerId"], "date": "2026-03-16", "lines": lines}
    note = (await world.api.post("/v1/credit-notes", body)).json()
    sent = await world.api.post(f"/v1/credit-notes/{note['id']}/send", {"deliveryType": "Manual"})
    assert sent.status_code == 200, sent.text


async def _make_credit_and_invoice(world: World) -> None:
    await _make_credit(world)
    await _send_invoice(world)


def _edit(world: World) -> dict[str, Any]:
    """A change of the quantity of a price that the world's plan has."""
    products = [{"priceId": world.ids["monthlyPriceId"], "quantity": 3}]
    return {"change": {"type": "edit_products", "payload": {"products": products}}}


def _plan(world: World) -> dict[str, Any]:
    """A plan with an alternative: the world's own price is of ONE_TIME, and a plan needs others."""
    return {
        "name": "Basis",
        "items": [{"priceId": world.ids["monthlyPriceId"], "quantity": 1}],
        "alternatives": [{"items": [{"priceId": world.ids["yearlyPriceId"], "quantity": 1}]}],
    }


OPERATIONS: Final[tuple[Row, ...]] = (
    Row("Accounts", "GET", "/v1/accounts", "accounts-read", "List accounts"),
    extension("Accounts", "GET", "/v1/standard-accounts", "accounts-read", "List standard accounts"),
    extension("Accounts", "POST", "/v1/accounts", "accounts-write", "Create an account", success=201),
    extension(
        "Accounts", "PATCH", "/v1/accounts/{accountId}", "accounts-write", "Update an account",
        not_found="ACCOUNT_NOT_FOUND",
    ),
    Row("API Key", "GET", "/v1/api-key", None, "Get current API key"),
    extension("API Key", "GET", "/v1/api-keys", "api-keys-read", "List API keys"),
    extension(
        "API Key", "POST", "/v1/api-keys", "api-keys-write", "Create an API key", success=201,
    ),
    extension(
        "API Key", "DELETE", "/v1/api-keys/{apiKeyId}", "api-keys-write", "Revoke an API key",
        not_found="API_KEY_NOT_FOUND", success=204,
    ),
    Row("Company", "GET", "/v1/company", "company-read", "Get company details"),
    extension("Company", "PATCH", "/v1/company", "company-write", "Update the company"),
    extension("Test Clock", "GET", "/v1/test-clock", "company-read", "Get the test clock", prepare=_in_a_sandbox),
    extension(
        "Test Clock", "POST", "/v1/test-clock/advance", "company-write", "Advance the test clock", success=202,
        prepare=_in_a_sandbox,
    ),
    extension(
        "Company", "POST", "/v1/companies", "companies-write", "Create a company", success=201,
    ),
    Row("Customers", "GET", "/v1/customers", "customers-read", "List customers"),
    Row("Customers", "POST", "/v1/customers", "customers-write", "Create a customer", success=201),
    Row(
        "Customers", "GET", "/v1/customers/{customerId}", "customers-read", "Get a single customer",
        not_found="CUSTOMER_NOT_FOUND",
    ),
    Row(
        "Customers", "PATCH", "/v1/customers/{customerId}", "customers-write", "Update a customer",
        not_found="CUSTOMER_NOT_FOUND",
    ),
    Row(
        "Customers", "GET", "/v1/customers/{customerId}/contacts", "customers-read", "List a customer's contacts",
        not_found="CUSTOMER_NOT_FOUND",
    ),
    extension(
        "Customers", "POST", "/v1/customers/{customerId}/contacts", "customers-write", "Add a contact to a customer",
        not_found="CUSTOMER_NOT_FOUND", success=201,
    ),
    extension(
        "Customers", "PATCH", "/v1/customers/{customerId}/contacts/{contactId}", "customers-write",
        "Update a customer's contact", not_found="CUSTOMER_NOT_FOUND",
    ),
    Row(
        "Customers", "GET", "/v1/customers/{customerId}/departments", "customers-read",
        "List a customer's departments", not_found="CUSTOMER_NOT_FOUND",
    ),
    extension(
        "Customers", "POST", "/v1/customers/{customerId}/departments", "customers-write",
        "Add a department to a customer", not_found="CUSTOMER_NOT_FOUND", success=201,
    ),
    extension(
        "Customers", "PATCH", "/v1/customers/{customerId}/departments/{departmentId}", "customers-write",
        "Update a customer's department", not_found="CUSTOMER_NOT_FOUND",
    ),
    extension(
        "Customers", "GET", "/v1/customers/{customerId}/credit", "payments-read", "Get the credit of a customer",
        not_found="CUSTOMER_NOT_FOUND",
    ),
    extension(
        "Customers", "POST", "/v1/customers/{customerId}/credit/refund", "payments-write",
        "Pay credit back to a customer", not_found="CUSTOMER_NOT_FOUND", success=201, prepare=_make_credit,
    ),
    Row("Customers", "GET", "/v1/customer-groups", "customers-read", "List customer groups"),
    extension(
        "Customers", "POST", "/v1/customer-groups", "customers-write", "Create a customer group", success=201,
    ),
    Row("Dimensions", "GET", "/v1/dimensions", "dimensions-read", "List all dimensions"),
    Row(
        "Dimensions", "POST", "/v1/dimensions", "dimensions-write", "Create a new dimension category", success=201,
    ),
    Row(
        "Dimensions", "GET", "/v1/dimensions/{dimensionId}", "dimensions-read", "Get a single dimension by ID",
        not_found="DIMENSION_NOT_FOUND",
    ),
    Row(
        "Dimensions", "PUT", "/v1/dimensions/{dimensionId}", "dimensions-write", "Update a dimension category",
        not_found="DIMENSION_NOT_FOUND",
    ),
    Row(
        "Dimensions", "DELETE", "/v1/dimensions/{dimensionId}", "dimensions-write", "Delete a dimension category",
        not_found="DIMENSION_NOT_FOUND", success=204,
    ),
    Row(
        "Dimensions", "POST", "/v1/dimensions/{dimensionId}/values", "dimensions-write",
        "Create a new dimension value", not_found="DIMENSION_NOT_FOUND", success=201,
    ),
    Row(
        "Dimensions", "PUT", "/v1/dimensions/{dimensionId}/values/{valueId}", "dimensions-write",
        "Update a dimension value", not_found="DIMENSION_NOT_FOUND",
    ),
    Row(
        "Dimensions", "DELETE", "/v1/dimensions/{dimensionId}/values/{valueId}", "dimensions-write",
        "Delete a dimension value", not_found="DIMENSION_NOT_FOUND", success=204,
    ),
    Row("Document Templates", "GET", "/v1/document-templates", "document-templates-read", "List document templates"),
    extension(
        "Document Templates", "POST", "/v1/document-templates", "document-templates-write",
        "Create a document template", success=201,
    ),
    extension(
        "Document Templates", "PATCH", "/v1/document-templates/{documentTemplateId}", "document-templates-write",
        "Update a document template", not_found="DOCUMENT_TEMPLATE_NOT_FOUND",
    ),
    extension(
        "Document Templates", "POST", "/v1/document-templates/{documentTemplateId}/preview",
        "document-templates-read", "Preview a document template", not_found="DOCUMENT_TEMPLATE_NOT_FOUND",
    ),
    extension(
        "Document Templates", "POST", "/v1/document-templates/{documentTemplateId}/set-default",
        "document-templates-write", "Set the default document template",
        not_found="DOCUMENT_TEMPLATE_NOT_FOUND",
    ),
    Row("Journal Categories", "GET", "/v1/journal-categories", "journal-categories-read", "List journal categories"),
    extension(
        "Journal Categories", "POST", "/v1/journal-categories", "journal-categories-write",
        "Create a journal category", success=201,
    ),
    Row(
        "Journal Entries", "POST", "/v1/journal-batches", "journal-entries-write",
        "Create multiple journal entries in batch (deprecated)", success=201,
    ),
    Row("Journal Entries", "GET", "/v1/journal-entries", "journal-entries-read", "List journal entries"),
    Row(
        "Journal Entries", "POST", "/v1/journal-entries", "journal-entries-write",
        "Create a single journal entry (deprecated)", success=201,
    ),
    Row(
        "Journal Entries", "GET", "/v1/journal-entries/{journalEntryId}", "journal-entries-read",
        "Get a single journal entry", not_found="JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Journal Entries", "PATCH", "/v1/journal-entries/{journalEntryId}", "journal-entries-write",
        "Update a journal entry: correct the reference and/or set your external system id",
        not_found="JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Journal Entries", "GET", "/v1/journal-entries/{journalEntryId}/attachments", "journal-entries-read",
        "Get attachments for a journal entry", not_found="JOURNAL_ENTRY_NOT_FOUND",
    ),
    extension(
        "Journal Entries", "GET", "/v1/journal-entries/{journalEntryId}/attachments/{attachmentId}",
        "journal-entries-read", "Download an attachment of a journal entry", not_found="ATTACHMENT_NOT_FOUND",
    ),
    Row(
        "Journal Entries", "POST", "/v1/journal-entries/reverse-batch", "journal-entries-write",
        "Reverse posted journal entries in batch",
        success=201,
    ),
    Row(
        "Journal Entries", "POST", "/v1/journal-entries/{journalEntryId}/reverse", "journal-entries-write",
        "Reverse a posted journal entry", not_found="JOURNAL_ENTRY_NOT_FOUND", success=201,
    ),
    extension("Journal Entries", "GET", "/v1/fiscal-years", "accounts-read", "List fiscal years"),
    extension(
        "Journal Entries", "POST", "/v1/fiscal-years", "accounts-write", "Open a fiscal year", success=201
    ),
    extension("Journal Entries", "GET", "/v1/ledger/lock-date", "company-read", "Get the lock date"),
    extension(
        "Journal Entries", "PUT", "/v1/ledger/lock-date", "company-write", "Set the lock date",
    ),
    Row(
        "Meters", "GET", "/v1/meters/{meterId}/subscriptions", "meter-report", "List meter subscriptions by ID",
        not_found="METER_NOT_FOUND",
    ),
    Row("Meters", "POST", "/v1/meters/report", "meter-report", "Report usage", success=202, keyed=True),
    Row(
        "Meters", "GET", "/v1/meters/by-name/{meterName}/subscriptions", "meter-report",
        "List meter subscriptions by name",
    ),
    extension("Meters", "GET", "/v1/meters", "meter-report", "List meters"),
    extension("Meters", "POST", "/v1/meters", "meter-report", "Create a meter", success=201),
    extension(
        "Meters", "GET", "/v1/meters/{meterId}", "meter-report", "Get a meter", not_found="METER_NOT_FOUND",
    ),
    extension(
        "Meters", "POST", "/v1/meters/{meterId}/archive", "meter-report", "Archive a meter",
        not_found="METER_NOT_FOUND",
    ),
    extension(
        "Meters", "POST", "/v1/meters/report-batch", "meter-report", "Report usage in a batch", success=202,
    ),
    extension(
        "Meters", "GET", "/v1/meters/{meterId}/usage", "meter-report", "Get the usage of a meter",
        not_found="METER_NOT_FOUND",
    ),
    Row("Product Groups", "GET", "/v1/product-groups", "products-read", "List product groups"),
    Row(
        "Product Groups", "POST", "/v1/product-groups", "products-write", "Create a product group", success=201,
    ),
    Row(
        "Product Groups", "GET", "/v1/product-groups/{productGroupId}", "products-read", "Get a product group",
        not_found="PRODUCT_GROUP_NOT_FOUND",
    ),
    Row(
        "Product Groups", "DELETE", "/v1/product-groups/{productGroupId}", "products-write", "Delete a product group",
        not_found="PRODUCT_GROUP_NOT_FOUND", success=204,
    ),
    Row(
        "Product Groups", "PATCH", "/v1/product-groups/{productGroupId}", "products-write", "Update a product group",
        not_found="PRODUCT_GROUP_NOT_FOUND",
    ),
    Row(
        "Product Prices", "POST", "/v1/product-prices", "products-write", "Create a product price", success=201,
    ),
    Row(
        "Product Prices", "GET", "/v1/product-prices/{productPriceId}", "products-read", "Get a product price",
        not_found="PRODUCT_PRICE_NOT_FOUND",
    ),
    Row(
        "Product Prices", "DELETE", "/v1/product-prices/{productPriceId}", "products-write", "Delete a product price",
        not_found="PRODUCT_PRICE_NOT_FOUND", success=204,
    ),
    Row(
        "Product Prices", "PATCH", "/v1/product-prices/{productPriceId}", "products-write", "Update a product price",
        not_found="PRODUCT_PRICE_NOT_FOUND",
    ),
    *(
        Row(
            "Product Prices", "POST", f"/v1/product-prices/{{productPriceId}}/{verb}", "products-write", title,
            not_found="PRODUCT_PRICE_NOT_FOUND",
        )
        for verb, title in (
            ("activate", "Activate a product price"),
            ("archive", "Archive a product price"),
            ("disable", "Disable a product price"),
            ("set-default", "Set a price as the product default"),
        )
    ),
    Row("Products", "GET", "/v1/products", "products-read", "List products"),
    Row(
        "Products", "POST", "/v1/products", "products-write", "Create a product", success=201,
    ),
    Row("Products", "GET", "/v1/products/{productId}", "products-read", "Get a product", not_found="PRODUCT_NOT_FOUND"),
    Row(
        "Products", "DELETE", "/v1/products/{productId}", "products-write", "Delete a product",
        not_found="PRODUCT_NOT_FOUND", success=204,
    ),
    Row(
        "Products", "PATCH", "/v1/products/{productId}", "products-write", "Update a product",
        not_found="PRODUCT_NOT_FOUND",
    ),
    Row("Projects", "GET", "/v1/projects", "projects-read", "List all projects"),
    Row(
        "Projects", "PUT", "/v1/projects", "projects-write", "Idempotent project upsert", success=201,
    ),
    Row("Projects", "POST", "/v1/projects", "projects-write", "Create a project", success=201),
    Row(
        "Projects", "GET", "/v1/projects/{projectId}", "projects-read", "Get a project", not_found="PROJECT_NOT_FOUND",
    ),
    Row(
        "Projects", "PUT", "/v1/projects/{projectId}", "projects-write", "Update a project",
        not_found="PROJECT_NOT_FOUND",
    ),
    Row(
        "Projects", "GET", "/v1/projects/{projectId}/profit", "projects-read", "Get project profit",
        not_found="PROJECT_NOT_FOUND",
    ),
    Row(
        "Projects", "POST", "/v1/projects/{projectId}/subprojects", "projects-write", "Add a subproject",
        not_found="PROJECT_NOT_FOUND", success=201,
    ),
    Row(
        "Projects", "PUT", "/v1/projects/{projectId}/subprojects/{subprojectId}", "projects-write",
        "Update a subproject", not_found="PROJECT_NOT_FOUND",
    ),
    Row(
        "Projects", "DELETE", "/v1/projects/{projectId}/subprojects/{subprojectId}", "projects-write",
        "Delete a subproject", not_found="PROJECT_NOT_FOUND", success=204,
    ),
    Row("Subscriptions", "GET", "/v1/subscriptions", "subscriptions-read", "List customer subscriptions"),
    Row(
        "Subscriptions", "POST", "/v1/subscriptions", "subscriptions-write", "Assign a subscription to a customer",
        success=201,
    ),
    Row(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}", "subscriptions-read",
        "Get a customer subscription by its stable id", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    Row(
        "Subscriptions", "PATCH", "/v1/subscriptions/{subscriptionId}", "subscriptions-write",
        "Update a customer subscription", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    Row(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}/scheduled-changes", "subscriptions-read",
        "List a subscription's pending scheduled changes", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "POST", "/v1/subscriptions/{subscriptionId}/scheduled-changes", "subscriptions-write",
        "Schedule a change of a subscription", not_found="SUBSCRIPTION_NOT_FOUND", success=201,
    ),
    Row(
        "Subscriptions", "DELETE", "/v1/subscriptions/{subscriptionId}/scheduled-changes/{changeId}",
        "subscriptions-write", "Cancel a single pending scheduled change", not_found="SUBSCRIPTION_NOT_FOUND",
        success=204,
    ),
    Row(
        "Subscriptions", "POST", "/v1/subscriptions/cancel", "subscriptions-write", "Cancel a customer subscription",
        body=_cancellation,
    ),
    extension(
        "Subscriptions", "POST", "/v1/subscriptions/{subscriptionId}/pause", "subscriptions-write",
        "Pause a subscription", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "POST", "/v1/subscriptions/{subscriptionId}/resume", "subscriptions-write",
        "Resume a paused subscription", not_found="SUBSCRIPTION_NOT_FOUND", prepare=_pause,
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}/versions", "subscriptions-read",
        "List a subscription's versions", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}/timeline", "subscriptions-read",
        "Get a subscription's timeline", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}/charges", "subscriptions-read",
        "List a subscription's charges", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscriptions/{subscriptionId}/billing-schedules", "subscriptions-read",
        "List a subscription's billing schedules", not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    Row("Subscriptions", "GET", "/v1/subscription-plans", "subscriptions-read", "List subscription plans"),
    extension(
        "Subscriptions", "POST", "/v1/subscription-plans", "subscriptions-write", "Create a subscription plan",
        body=_plan, success=201,
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscription-plans/{planId}", "subscriptions-read", "Get a subscription plan",
        not_found="SUBSCRIPTION_PLAN_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "PATCH", "/v1/subscription-plans/{planId}", "subscriptions-write",
        "Update a subscription plan", not_found="SUBSCRIPTION_PLAN_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "GET", "/v1/subscription-plans/{planId}/versions", "subscriptions-read",
        "List versions of a subscription plan", not_found="SUBSCRIPTION_PLAN_NOT_FOUND",
    ),
    Row(
        "Subscriptions", "POST", "/v1/subscription-plans/{planId}/archive", "subscriptions-write",
        "Archive a subscription plan", not_found="SUBSCRIPTION_PLAN_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "POST", "/v1/subscription-plans/{planId}/activate", "subscriptions-write",
        "Activate a subscription plan", not_found="SUBSCRIPTION_PLAN_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "POST", "/v1/subscriptions/{subscriptionId}/preview", "subscriptions-read",
        "Preview what a subscription is billed", body=_edit, not_found="SUBSCRIPTION_NOT_FOUND",
    ),
    extension("Subscriptions", "GET", "/v1/billing-runs", "subscriptions-read", "List billing runs"),
    extension(
        "Subscriptions", "POST", "/v1/billing-runs", "subscriptions-write", "Start a billing run", success=202,
    ),
    extension(
        "Subscriptions", "GET", "/v1/billing-runs/{billingRunId}", "subscriptions-read", "Get a billing run",
        not_found="BILLING_RUN_NOT_FOUND",
    ),
    extension(
        "Subscriptions", "GET", "/v1/metrics/mrr?month=2026-03", "subscriptions-read", "Get monthly recurring revenue",
    ),
    extension(
        "Subscriptions", "GET", "/v1/metrics/mrr/customers?month=2026-03", "subscriptions-read",
        "List customers with monthly recurring revenue",
    ),
    extension(
        "Subscriptions", "GET", "/v1/metrics/mrr/series", "subscriptions-read",
        "Get monthly recurring revenue by month",
    ),
    extension(
        "Subscriptions", "GET", "/v1/metrics/revenue-reconciliation?month=2026-03", "subscriptions-read",
        "Reconcile invoiced revenue with recurring revenue",
    ),
    Row("VAT Codes", "GET", "/v1/vat-codes", "vat-codes-read", "List VAT codes"),
    extension(
        "VAT Codes", "POST", "/v1/vat-codes", "vat-codes-write", "Create a VAT code",
        success=201,
    ),
    extension(
        "VAT Codes", "PATCH", "/v1/vat-codes/{vatCodeId}", "vat-codes-write", "Update a VAT code",
        not_found="VAT_CODE_NOT_FOUND",
    ),
    extension(
        "VAT Codes", "PUT", "/v1/vat-codes/{vatCodeId}/rates", "vat-codes-write", "Set the rates of a VAT code",
        not_found="VAT_CODE_NOT_FOUND",
    ),
    Row("Webhook Endpoints", "GET", "/v1/webhook-endpoints", "webhook-endpoints-read", "List webhook endpoints"),
    Row(
        "Webhook Endpoints", "POST", "/v1/webhook-endpoints", "webhook-endpoints-write", "Create a webhook endpoint",
        success=201,
    ),
    Row(
        "Webhook Endpoints", "GET", "/v1/webhook-endpoints/{webhookEndpointId}", "webhook-endpoints-read",
        "Retrieve a webhook endpoint", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    Row(
        "Webhook Endpoints", "PUT", "/v1/webhook-endpoints/{webhookEndpointId}", "webhook-endpoints-write",
        "Update a webhook endpoint", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    Row(
        "Webhook Endpoints", "DELETE", "/v1/webhook-endpoints/{webhookEndpointId}", "webhook-endpoints-write",
        "Delete a webhook endpoint", not_found="WEBHOOK_ENDPOINT_NOT_FOUND", success=204,
    ),
    Row(
        "Webhook Endpoints", "POST", "/v1/webhook-endpoints/{webhookEndpointId}/roll-secret",
        "webhook-endpoints-write", "Roll the signing secret", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    Row(
        "Webhook Endpoints", "POST", "/v1/webhook-endpoints/{webhookEndpointId}/test", "webhook-endpoints-write",
        "Send a test event", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    extension(
        "Webhook Endpoints", "GET", "/v1/webhook-endpoints/{webhookEndpointId}/deliveries", "webhook-endpoints-read",
        "List the deliveries of a webhook endpoint", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    extension(
        "Webhook Endpoints", "GET", "/v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}",
        "webhook-endpoints-read", "Get a delivery of a webhook endpoint", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    extension(
        "Webhook Endpoints", "POST",
        "/v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}/redeliver",
        "webhook-endpoints-write", "Redeliver an event", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    extension(
        "Webhook Endpoints", "POST", "/v1/webhook-endpoints/{webhookEndpointId}/replay", "webhook-endpoints-write",
        "Replay events", not_found="WEBHOOK_ENDPOINT_NOT_FOUND",
    ),
    Row("Credit Notes", "GET", "/v1/credit-notes", "invoices-read", "List credit notes"),
    Row("Credit Notes", "POST", "/v1/credit-notes", "invoices-write", "Create a credit note", success=201),
    Row(
        "Credit Notes", "GET", "/v1/credit-notes/{creditNoteId}", "invoices-read", "Get a credit note by ID",
        not_found="CREDIT_NOTE_NOT_FOUND",
    ),
    Row(
        "Credit Notes", "GET", "/v1/credit-notes/{creditNoteId}/delivery-status", "invoices-read",
        "Get the delivery status of a credit note", not_found="CREDIT_NOTE_NOT_FOUND",
    ),
    Row(
        "Credit Notes", "GET", "/v1/credit-notes/{creditNoteId}/pdf", "invoices-read", "Download the credit note PDF",
        not_found="CREDIT_NOTE_NOT_FOUND", prepare=_in_a_company_of_its_own,
    ),
    Row(
        "Credit Notes", "POST", "/v1/credit-notes/{creditNoteId}/send", "invoices-write",
        "Send a credit note to the customer", not_found="CREDIT_NOTE_NOT_FOUND",
    ),
    extension(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/cancel", "invoices-write", "Cancel a draft invoice",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Credit Notes", "GET", "/v1/credit-notes/{creditNoteId}/e-invoice", "invoices-read",
        "Download the e-invoice of a credit note", not_found="CREDIT_NOTE_NOT_FOUND",
        prepare=_send_credit_note_to_a_gln,
    ),
    extension(
        "Credit Notes", "POST", "/v1/credit-notes/{creditNoteId}/cancel", "invoices-write",
        "Cancel a credit note that was not sent", not_found="CREDIT_NOTE_NOT_FOUND",
    ),
    extension(
        "Incoming Documents", "POST", "/v1/incoming-documents", "journal-entries-write", "Receive an e-invoice",
        success=201,
    ),
    extension("Incoming Documents", "GET", "/v1/incoming-documents", "journal-entries-read", "List incoming documents"),
    extension(
        "Incoming Documents", "GET", "/v1/incoming-documents/{incomingDocumentId}", "journal-entries-read",
        "Get an incoming document", not_found="INCOMING_DOCUMENT_NOT_FOUND",
    ),
    extension(
        "Incoming Documents", "POST", "/v1/incoming-documents/{incomingDocumentId}/answers", "journal-entries-write",
        "Answer an incoming document", not_found="INCOMING_DOCUMENT_NOT_FOUND", success=201,
    ),
    extension(
        "Incoming Documents", "GET", "/v1/incoming-documents/{incomingDocumentId}/answers/{answerId}",
        "journal-entries-read", "Download an answer to an incoming document", not_found="INCOMING_ANSWER_NOT_FOUND",
    ),
    extension(
        "Incoming Documents", "POST", "/v1/incoming-documents/{incomingDocumentId}/draft", "journal-entries-write",
        "Draft an incoming document", not_found="INCOMING_DOCUMENT_NOT_FOUND",
    ),
    Row(
        "Payment Methods", "GET", "/v1/customers/{customerId}/payment-methods", "payment-methods-read",
        "List saved payment methods for a customer", not_found="CUSTOMER_NOT_FOUND",
    ),
    Row(
        "Payment Methods", "POST",
        "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/apply-to-subscriptions", "payment-methods-write",
        "Apply a payment method to all active subscriptions for a customer", not_found="CUSTOMER_NOT_FOUND",
    ),
    Row(
        "Payment Methods", "DELETE", "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/agreement",
        "payment-methods-write", "Cancel a saved card on the payment provider", not_found="CUSTOMER_NOT_FOUND",
        success=204,
    ),
    Row(
        "Payment Methods", "DELETE", "/v1/customers/{customerId}/payment-methods/{paymentMethodId}",
        "payment-methods-write", "Unassign a payment method from a customer", not_found="CUSTOMER_NOT_FOUND",
        success=204,
    ),
    Row(
        "Payment Methods", "POST", "/v1/customers/{customerId}/payment-methods/card-link", "payment-methods-write",
        "Generate a link for the customer to save a card for future payments", not_found="CUSTOMER_NOT_FOUND",
        success=201,
    ),
    Row(
        "Payment Methods", "PUT", "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/default",
        "payment-methods-write", "Set a saved payment method as the customer default", not_found="CUSTOMER_NOT_FOUND",
        prepare=_with_another_card,
    ),
    extension(
        "Payment Methods", "POST", "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/assign",
        "payment-methods-write", "Assign an unassigned payment method to a customer", not_found="CUSTOMER_NOT_FOUND",
        prepare=_unassign_the_card,
    ),
    extension(
        "Payment Methods", "POST", "/v1/payment-providers/sandbox/cards", "payment-methods-write",
        "Save a test card of the sandbox provider", not_found="CUSTOMER_NOT_FOUND", success=201,
    ),
    extension(
        "Payment Providers", "GET", "/v1/payment-providers/sandbox/events", "payments-read",
        "List events of the sandbox provider",
    ),
    extension(
        "Payment Providers", "POST", "/v1/payment-providers/sandbox/events", "payments-write",
        "Send an event of the sandbox provider", not_found="PAYMENT_METHOD_NOT_FOUND", success=202,
    ),
    Row(
        "Draft Journal Entries", "POST", "/v1/draft-journal-batches", "journal-entries-write",
        "Create multiple draft journal entries in batch", success=201,
    ),
    Row(
        "Draft Journal Entries", "GET", "/v1/draft-journal-entries", "journal-entries-read",
        "List draft journal entries",
    ),
    Row(
        "Draft Journal Entries", "POST", "/v1/draft-journal-entries", "journal-entries-write",
        "Create a draft journal entry", success=201,
    ),
    Row(
        "Draft Journal Entries", "GET", "/v1/draft-journal-entries/{draftJournalEntryId}", "journal-entries-read",
        "Get a single draft journal entry", not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Draft Journal Entries", "DELETE", "/v1/draft-journal-entries/{draftJournalEntryId}", "journal-entries-write",
        "Delete a draft journal entry", not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND", success=204,
    ),
    Row(
        "Draft Journal Entries", "POST", "/v1/draft-journal-entries/{draftJournalEntryId}/book",
        "journal-entries-write", "Book a draft journal entry", not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
    ),
    extension("Deliveries", "GET", "/v1/deliveries", "deliveries-read", "List deliveries"),
    extension(
        "Deliveries", "GET", "/v1/deliveries/{deliveryId}/messages", "deliveries-read",
        "Get the messages of a delivery", not_found="DELIVERY_NOT_FOUND",
    ),
    extension(
        "Deliveries", "POST", "/v1/deliveries/bounces", "deliveries-write", "Record a bounced mail", success=202,
    ),
    Row("Invoices", "GET", "/v1/invoices", "invoices-read", "List invoices"),
    Row("Invoices", "POST", "/v1/invoices", "invoices-write", "Create a draft invoice", success=201),
    Row(
        "Invoices", "GET", "/v1/invoices/{invoiceId}", "invoices-read", "Get an invoice by ID",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Invoices", "PATCH", "/v1/invoices/{invoiceId}", "invoices-write", "Update a draft invoice",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Invoices", "DELETE", "/v1/invoices/{invoiceId}", "invoices-write", "Delete a draft invoice",
        not_found="INVOICE_NOT_FOUND", success=204,
    ),
    Row(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/delivery-status", "invoices-read",
        "Get the delivery status of an invoice", not_found="INVOICE_NOT_FOUND",
    ),
    Row(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/pdf", "invoices-read", "Download the invoice PDF",
        not_found="INVOICE_NOT_FOUND", prepare=_in_a_company_of_its_own,
    ),
    extension("Invoices", "POST", "/v1/invoices/send-batch", "invoices-write", "Send invoices in batch"),
    extension(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/e-invoice", "invoices-read",
        "Download the e-invoice of an invoice", not_found="INVOICE_NOT_FOUND", prepare=_send_invoice_to_a_gln,
    ),
    extension(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/child-details", "invoices-read",
        "Download the details of an invoice by child", not_found="INVOICE_NOT_FOUND", prepare=_send_invoice,
    ),
    extension(
        "E-Invoices", "POST", "/v1/e-invoice-responses", "invoices-write", "Receive an answer to an e-invoice",
        success=201, file="application/xml", content=answer("1", "BusinessAccept", kind="Invoice"),
    ),
    Row(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/send", "invoices-write", "Send an invoice to the customer",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/payments", "payments-read", "List the payments on an invoice",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/payments", "payments-write", "Record a payment on an invoice",
        not_found="INVOICE_NOT_FOUND", success=201, prepare=_send_invoice,
    ),
    extension(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/apply-credit", "payments-write",
        "Use credit of the customer on an invoice", not_found="INVOICE_NOT_FOUND", success=201,
        prepare=_make_credit_and_invoice,
    ),
    extension(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/write-off", "invoices-write",
        "Write an invoice off as uncollectible", not_found="INVOICE_NOT_FOUND", success=201, prepare=_send_invoice,
    ),
    extension(
        "Invoices", "GET", "/v1/invoices/{invoiceId}/write-offs", "invoices-read",
        "List the write-offs of an invoice", not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Invoices", "POST", "/v1/invoices/{invoiceId}/write-off/reverse", "invoices-write",
        "Take the write-off of an invoice back", not_found="INVOICE_NOT_FOUND", prepare=_write_invoice_off,
    ),
    extension(
        "Payments", "POST", "/v1/invoices/{invoiceId}/charges", "payments-write", "Charge an invoice to a saved card",
        not_found="INVOICE_NOT_FOUND", success=202, prepare=_send_invoice,
    ),
    extension(
        "Payments", "GET", "/v1/invoices/{invoiceId}/charges", "payments-read", "List the charges of an invoice",
        not_found="INVOICE_NOT_FOUND",
    ),
    extension(
        "Payments", "GET", "/v1/charges/{chargeId}", "payments-read", "Get a charge by ID",
        not_found="CHARGE_NOT_FOUND",
    ),
    extension(
        "Payments", "POST", "/v1/charges/{chargeId}/cancel", "payments-write", "Cancel a charge that was not confirmed",
        not_found="CHARGE_NOT_FOUND", success=202, prepare=_begin_a_charge,
    ),
    extension(
        "Payments", "POST", "/v1/charges/{chargeId}/refunds", "payments-write", "Refund a charge",
        not_found="CHARGE_NOT_FOUND", success=202,
    ),
    extension(
        "Payments", "GET", "/v1/charges/{chargeId}/refunds", "payments-read", "List the refunds of a charge",
        not_found="CHARGE_NOT_FOUND",
    ),
    extension(
        "Payments", "GET", "/v1/refunds/{refundId}", "payments-read", "Get a refund by ID",
        not_found="REFUND_NOT_FOUND",
    ),
    extension("Payments", "GET", "/v1/disputes", "payments-read", "List disputes"),
    extension(
        "Payments", "GET", "/v1/disputes/{disputeId}", "payments-read", "Get a dispute by ID",
        not_found="DISPUTE_NOT_FOUND",
    ),
    extension(
        "Payments", "GET", "/v1/payments/{paymentId}", "payments-read", "Get a payment by ID",
        not_found="PAYMENT_NOT_FOUND",
    ),
    extension(
        "Payments", "POST", "/v1/payments/{paymentId}/reverse", "payments-write", "Take a payment back",
        not_found="PAYMENT_NOT_FOUND",
    ),
    extension(
        "Payment Providers", "GET", "/v1/payment-providers", "payment-methods-read", "List payment providers",
    ),
    extension(
        "Payment Providers", "GET", "/v1/payment-providers/{provider}", "payment-methods-read",
        "Get a payment provider", not_found="PAYMENT_PROVIDER_NOT_FOUND",
    ),
    extension(
        "Payment Providers", "PUT", "/v1/payment-providers/{provider}", "payment-methods-write",
        "Set up a payment provider", not_found="PAYMENT_PROVIDER_NOT_FOUND", prepare=_switch_the_provider_off,
    ),
    extension("Payouts", "GET", "/v1/payouts", "payments-read", "List payouts"),
    extension(
        "Payouts", "GET", "/v1/payouts/{payoutId}", "payments-read", "Get a payout by ID", not_found="PAYOUT_NOT_FOUND",
    ),
    extension("Payouts", "POST", "/v1/payouts/import", "payments-write", "Import payouts", success=201),
    extension(
        "Payouts", "GET", "/v1/payment-providers/{provider}/reconciliation", "payments-read",
        "Get the reconciliation with a payment provider", not_found="PAYMENT_PROVIDER_NOT_FOUND",
    ),
    Row(
        "Order Confirmations", "GET", "/v1/order-confirmations", "order-confirmations-read",
        "List order confirmations",
    ),
    Row(
        "Order Confirmations", "POST", "/v1/order-confirmations", "order-confirmations-write",
        "Create a draft order confirmation", success=201,
    ),
    Row(
        "Order Confirmations", "GET", "/v1/order-confirmations/{orderConfirmationId}", "order-confirmations-read",
        "Get an order confirmation by id", not_found="ORDER_CONFIRMATION_NOT_FOUND",
    ),
    Row(
        "Order Confirmations", "PATCH", "/v1/order-confirmations/{orderConfirmationId}", "order-confirmations-write",
        "Update a draft order confirmation", not_found="ORDER_CONFIRMATION_NOT_FOUND",
    ),
    Row(
        "Order Confirmations", "POST", "/v1/order-confirmations/{orderConfirmationId}/convert",
        "order-confirmations-write", "Convert an order confirmation into an invoice",
        not_found="ORDER_CONFIRMATION_NOT_FOUND", success=201, prepare=_send_order_confirmation,
    ),
    Row(
        "Order Confirmations", "GET", "/v1/order-confirmations/{orderConfirmationId}/pdf", "order-confirmations-read",
        "Download an order confirmation as PDF", not_found="ORDER_CONFIRMATION_NOT_FOUND",
        prepare=_in_a_company_of_its_own,
    ),
    Row(
        "Order Confirmations", "POST", "/v1/order-confirmations/{orderConfirmationId}/send",
        "order-confirmations-write", "Send an order confirmation", not_found="ORDER_CONFIRMATION_NOT_FOUND",
    ),
    Row("Quotes", "GET", "/v1/quotes", "quotes-read", "List quotes"),
    Row("Quotes", "POST", "/v1/quotes", "quotes-write", "Create a draft quote", success=201),
    Row("Quotes", "GET", "/v1/quotes/{quoteId}", "quotes-read", "Get a quote by id", not_found="QUOTE_NOT_FOUND"),
    Row("Quotes", "PATCH", "/v1/quotes/{quoteId}", "quotes-write", "Update a draft quote", not_found="QUOTE_NOT_FOUND"),
    Row(
        "Quotes", "POST", "/v1/quotes/{quoteId}/convert", "quotes-write",
        "Convert a quote", not_found="QUOTE_NOT_FOUND", success=201, prepare=_send_quote,
    ),
    Row(
        "Quotes", "GET", "/v1/quotes/{quoteId}/pdf", "quotes-read",
        "Download a quote as PDF", not_found="QUOTE_NOT_FOUND", prepare=_in_a_company_of_its_own,
    ),
    Row("Quotes", "POST", "/v1/quotes/{quoteId}/send", "quotes-write", "Send a quote", not_found="QUOTE_NOT_FOUND"),
    extension(
        "Quotes", "POST", "/v1/quotes/{quoteId}/accept", "quotes-write", "Record that a quote was accepted",
        not_found="QUOTE_NOT_FOUND", prepare=_send_quote,
    ),
    extension(
        "Quotes", "POST", "/v1/quotes/{quoteId}/reject", "quotes-write", "Record that a quote was rejected",
        not_found="QUOTE_NOT_FOUND", prepare=_send_quote,
    ),
    extension(
        "Quotes", "POST", "/v1/quotes/{quoteId}/revoke-link", "quotes-write", "Revoke a quote's acceptance link",
        not_found="QUOTE_NOT_FOUND", prepare=_send_quote,
    ),
    Row("Vendors", "GET", "/v1/vendors", "vendors-read", "List vendors"),
    Row("Vendors", "POST", "/v1/vendors", "vendors-write", "Create a vendor", success=201),
    Row(
        "Vendors", "GET", "/v1/vendors/{vendorId}/contacts", "vendors-read", "List vendor contacts",
        not_found="VENDOR_NOT_FOUND",
    ),
    extension(
        "Vendors", "POST", "/v1/vendors/{vendorId}/contacts", "vendors-write", "Add a contact to a vendor",
        not_found="VENDOR_NOT_FOUND", success=201,
    ),
    extension(
        "Vendors", "PATCH", "/v1/vendors/{vendorId}/contacts/{contactId}", "vendors-write",
        "Update a vendor's contact", not_found="VENDOR_NOT_FOUND",
    ),
    Row(
        "Vendors", "GET", "/v1/vendors/{vendorId}/departments", "vendors-read", "List vendor departments",
        not_found="VENDOR_NOT_FOUND",
    ),
    extension(
        "Vendors", "POST", "/v1/vendors/{vendorId}/departments", "vendors-write", "Add a department to a vendor",
        not_found="VENDOR_NOT_FOUND", success=201,
    ),
    extension(
        "Vendors", "PATCH", "/v1/vendors/{vendorId}/departments/{departmentId}", "vendors-write",
        "Update a vendor's department", not_found="VENDOR_NOT_FOUND",
    ),
    Row("Vendors", "GET", "/v1/vendor-groups", "vendors-read", "List vendor groups"),
    extension(
        "Vendors", "POST", "/v1/vendor-groups", "vendors-write", "Create a vendor group",
        success=201,
    ),
    Row(
        "Draft Journal Entries (v2)", "POST", "/v2/draft-journal-batches", "journal-entries-write",
        "Create draft journal entries in batch (v2)", success=201,
    ),
    Row(
        "Draft Journal Entries (v2)", "GET", "/v2/draft-journal-entries", "journal-entries-read",
        "List draft journal entries (v2)",
    ),
    Row(
        "Draft Journal Entries (v2)", "POST", "/v2/draft-journal-entries", "journal-entries-write",
        "Create a draft journal entry (v2)", success=201,
    ),
    Row(
        "Draft Journal Entries (v2)", "GET", "/v2/draft-journal-entries/{draftJournalEntryId}", "journal-entries-read",
        "Get a single draft journal entry (v2)", not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Draft Journal Entries (v2)", "DELETE", "/v2/draft-journal-entries/{draftJournalEntryId}",
        "journal-entries-write", "Delete a draft journal entry (v2)", not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
        success=204,
    ),
    Row(
        "Draft Journal Entries (v2)", "PATCH", "/v2/draft-journal-entries/{draftJournalEntryId}",
        "journal-entries-write", "Update a draft journal entry (v2)",
        not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Draft Journal Entries (v2)", "POST", "/v2/draft-journal-entries/{draftJournalEntryId}/book",
        "journal-entries-write", "Book a draft journal entry (v2)",
        not_found="DRAFT_JOURNAL_ENTRY_NOT_FOUND",
    ),
    Row(
        "Journal Entries (v2)", "POST", "/v2/journal-entries", "journal-entries-write", "Create a journal entry (v2)",
        success=201,
    ),
    Row(
        "Journal Entries (v2)", "POST", "/v2/journal-entries/batch", "journal-entries-write",
        "Create journal entries in batch (v2)", success=201,
    ),
    extension(
        "Journal Entries (v2)", "POST", "/v2/journal-entries/import", "journal-entries-write", "Import journal entries",
        success=202, file="application/x-ndjson",
    ),
    extension("Journal Entries (v2)", "GET", "/v2/journal-entries/import", "journal-entries-read", "List imports"),
    extension(
        "Journal Entries (v2)", "GET", "/v2/journal-entries/import/{importId}", "journal-entries-read", "Get an import",
        not_found="JOURNAL_IMPORT_NOT_FOUND",
    ),
    extension(
        "Journal Entries (v2)", "GET", "/v2/journal-entries/import/{importId}/errors", "journal-entries-read",
        "List the errors of an import", not_found="JOURNAL_IMPORT_NOT_FOUND",
    ),
    extension(
        "Journal Entries (v2)", "POST", "/v2/journal-entries/import/{importId}/cancel", "journal-entries-write",
        "Cancel an import", not_found="JOURNAL_IMPORT_NOT_FOUND",
    ),
    extension("Usage", "GET", "/v1/usage/events", "meter-report", "List usage events"),
    extension("Usage", "GET", "/v1/usage/unattributed", "meter-report", "List unattributed usage"),
    extension(
        "Usage", "PATCH", "/v1/usage/events/{usageEventId}", "meter-report", "Amend a usage event",
        not_found="USAGE_EVENT_NOT_FOUND",
    ),
    extension(
        "Usage", "POST", "/v1/usage/events/{usageEventId}/withdraw", "meter-report", "Withdraw a usage event",
        not_found="USAGE_EVENT_NOT_FOUND",
    ),
    extension(
        "Usage", "POST", "/v1/usage/backfills", "meter-report", "Open a backfill", success=201,
        prepare=_without_backfills,
    ),
    extension(
        "Usage", "POST", "/v1/usage/imports", "meter-report", "Import usage", success=202, file="text/csv",
        content="idempotencyKey;customerNumber;meterName;value;timestamp\n",
    ),
    extension("Usage", "GET", "/v1/usage/imports", "meter-report", "List imports of usage"),
    extension(
        "Usage", "GET", "/v1/usage/imports/{usageImportId}", "meter-report", "Get an import of usage",
        not_found="USAGE_IMPORT_NOT_FOUND",
    ),
    extension(
        "Usage", "POST", "/v1/usage/imports/{usageImportId}/cancel", "meter-report", "Cancel an import of usage",
        not_found="USAGE_IMPORT_NOT_FOUND",
    ),
    extension("Usage", "GET", "/v1/usage/backfills", "meter-report", "List backfills"),
    extension(
        "Usage", "GET", "/v1/usage/backfills/{usageBackfillId}", "meter-report", "Get a backfill",
        not_found="USAGE_BACKFILL_NOT_FOUND",
    ),
    extension(
        "Usage", "POST", "/v1/usage/backfills/{usageBackfillId}/events", "meter-report",
        "Report usage into a backfill", not_found="USAGE_BACKFILL_NOT_FOUND", success=202,
    ),
    extension(
        "Usage", "GET", "/v1/usage/backfills/{usageBackfillId}/preview", "subscriptions-read", "Preview a backfill",
        not_found="USAGE_BACKFILL_NOT_FOUND", prepare=_with_a_new_backfill,
    ),
    extension(
        "Usage", "POST", "/v1/usage/backfills/{usageBackfillId}/close", "meter-report", "Close a backfill",
        not_found="USAGE_BACKFILL_NOT_FOUND", prepare=_with_a_new_backfill,
    ),
    extension(
        "Usage", "POST", "/v1/usage/backfills/{usageBackfillId}/revert", "meter-report", "Revert a backfill",
        not_found="USAGE_BACKFILL_NOT_FOUND", prepare=_with_a_closed_backfill,
    ),
    extension(
        "Usage", "POST", "/v1/usage/backfills/{usageBackfillId}/cancel", "meter-report", "Cancel a backfill",
        not_found="USAGE_BACKFILL_NOT_FOUND", prepare=_with_a_new_backfill,
    ),
    extension("Reports", "GET", "/v1/reports/trial-balance", "reports-read", "Get the trial balance"),
    extension(
        "Reports", "GET", "/v1/accounts/{accountId}/ledger", "reports-read", "Get the ledger of an account",
        not_found="ACCOUNT_NOT_FOUND",
    ),
    extension(
        "Reports", "GET", "/v1/customers/{customerId}/ledger", "reports-read", "Get the ledger of a customer",
        not_found="CUSTOMER_NOT_FOUND",
    ),
    extension(
        "Reports", "GET", "/v1/vendors/{vendorId}/ledger", "reports-read", "Get the ledger of a vendor",
        not_found="VENDOR_NOT_FOUND",
    ),
    extension("Reports", "GET", "/v1/open-invoices", "invoices-read", "List open invoices"),
    extension("Reports", "GET", "/v1/deferred-revenue", "reports-read", "Get deferred revenue"),
    extension(
        "Reports", "POST", "/v1/deferred-revenue/recognize", "journal-entries-write", "Recognize deferred revenue",
    ),
    extension("Exchange Rates", "GET", "/v1/exchange-rates?currency=EUR&date=2026-03-16", "company-read",
              "Get an exchange rate"),
    extension(
        "Exchange Rates", "PUT", "/v1/exchange-rates", "company-write", "Set an exchange rate",
    ),
    extension("Audit Events", "GET", "/v1/audit-events", "audit-read", "List audit events"),
    extension(
        "Audit Events", "GET", "/v1/audit-events/{auditEventId}", "audit-read", "Get an audit event",
        not_found="AUDIT_EVENT_NOT_FOUND",
    ),
    extension("Events", "GET", "/v1/events", "events-read", "List events"),
    extension(
        "Events", "GET", "/v1/events/{eventId}", "events-read", "Get an event", not_found="EVENT_NOT_FOUND",
    ),
    extension("OAuth", "GET", "/v1/oauth-clients", "oauth-clients-read", "List OAuth clients"),
    extension(
        "OAuth", "POST", "/v1/oauth-clients", "oauth-clients-write", "Create an OAuth client", success=201,
    ),
    extension(
        "OAuth", "PATCH", "/v1/oauth-clients/{oauthClientId}", "oauth-clients-write", "Update an OAuth client",
        not_found="OAUTH_CLIENT_NOT_FOUND",
    ),
    extension(
        "OAuth", "DELETE", "/v1/oauth-clients/{oauthClientId}", "oauth-clients-write", "Revoke an OAuth client",
        not_found="OAUTH_CLIENT_NOT_FOUND", success=204,
    ),
    extension("Users", "GET", "/v1/users", "users-read", "List users"),
    extension(
        "Users", "PATCH", "/v1/users/{userId}", "users-write", "Change a user's role", not_found="USER_NOT_FOUND",
    ),
    extension(
        "Users", "DELETE", "/v1/users/{userId}", "users-write", "Remove a user", not_found="USER_NOT_FOUND",
        success=204,
    ),
    extension("Users", "GET", "/v1/users/invitations", "users-read", "List invitations"),
    extension(
        "Users", "POST", "/v1/users/invitations", "users-write", "Invite a user", success=201,
    ),
    extension(
        "Users", "DELETE", "/v1/users/invitations/{invitationId}", "users-write", "Revoke an invitation",
        not_found="INVITATION_NOT_FOUND", success=204,
    ),
    Row("OAuth", "POST", "/v1/auth/token", None, "Get an access token", public=True),
    Row("OAuth", "POST", "/v1/oauth/revoke", None, "Revoke an access token", public=True),
    extension("OAuth", "POST", "/v1/oauth/register", None, "Register an application", public=True, success=201),
    extension("Connections", "GET", "/v1/connections", "connections-read", "List connections"),
    extension(
        "Connections", "GET", "/v1/connections/{connectionId}", "connections-read", "Get a connection",
        not_found="CONNECTION_NOT_FOUND",
    ),
    extension(
        "Connections", "PATCH", "/v1/connections/{connectionId}", "connections-write", "Update a connection",
        not_found="CONNECTION_NOT_FOUND",
    ),
    extension(
        "Connections", "DELETE", "/v1/connections/{connectionId}", "connections-write", "Revoke a connection",
        not_found="CONNECTION_NOT_FOUND", success=204,
    ),
)  # fmt: skip

OF_COMPANIES: Final = tuple(row for row in OPERATIONS if not row.public)
WITH_IDS: Final = tuple(row for row in OPERATIONS if row.id_names)
WRITES: Final = tuple(row for row in OF_COMPANIES if row.writes)
