"""Resources and their order: the reference's own, then the extensions' (contract 2)."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Resource:
    """A tag of the document. `paths` are the reference's, in its order; paths of extensions come after them."""

    name: str
    text: str
    paths: tuple[str, ...] = ()


#: Methods of one path, in the order that the reference has them.
METHODS: Final = ("get", "put", "delete", "patch", "post")

#: Every resource of the reference, those to come too, and then the resources of extensions.
RESOURCES: Final = (
    Resource(
        "Accounts",
        "The chart of accounts.",
        ("/v1/accounts",),
    ),
    Resource(
        "API Key",
        "The key that a request was made with, and the company's other keys.",
        ("/v1/api-key",),
    ),
    Resource(
        "Company",
        "The company behind the credential.",
        ("/v1/company",),
    ),
    Resource(
        "Test Clock",
        "The day of a company for tests (a sandbox), which can be moved ahead. Any other company answers with "
        "`TEST_CLOCK_UNAVAILABLE`.",
        ("/v1/test-clock", "/v1/test-clock/advance"),
    ),
    Resource(
        "Customers",
        "Who buys: customers, their groups, contacts and departments.",
        (
            "/v1/customers",
            "/v1/customers/{customerId}",
            "/v1/customers/{customerId}/contacts",
            "/v1/customers/{customerId}/departments",
            "/v1/customer-groups",
        ),
    ),
    Resource(
        "Dimensions",
        "Categories of values that entries are tagged with.",
        (
            "/v1/dimensions",
            "/v1/dimensions/{dimensionId}",
            "/v1/dimensions/{dimensionId}/values",
            "/v1/dimensions/{dimensionId}/values/{valueId}",
        ),
    ),
    Resource(
        "Document Templates",
        "How invoices, credit notes, quotes and order confirmations look.",
        ("/v1/document-templates",),
    ),
    Resource(
        "Journal Categories",
        "Which kinds of entry may be posted where.",
        ("/v1/journal-categories",),
    ),
    Resource(
        "Journal Entries",
        "The ledger: balanced, numbered, immutable entries, its fiscal years and its lock date.",
        (
            "/v1/journal-batches",
            "/v1/journal-entries",
            "/v1/journal-entries/{journalEntryId}",
            "/v1/journal-entries/{journalEntryId}/attachments",
            "/v1/journal-entries/reverse-batch",
            "/v1/journal-entries/{journalEntryId}/reverse",
        ),
    ),
    Resource(
        "MCP",
        "The API as tools for assistants (Model Context Protocol).",
        ("/v1/mcp",),
    ),
    Resource(
        "Meters",
        "What is used: usage is reported to a meter and billed by the subscriptions that are linked to it.",
        (
            "/v1/meters/{meterId}/subscriptions",
            "/v1/meters/report",
            "/v1/meters/by-name/{meterName}/subscriptions",
        ),
    ),
    Resource(
        "Product Groups",
        "Product-group ledger-account mappings. Every product belongs to a group, and the group decides "
        "which revenue account a sale posts to per VAT zone (domestic / EU / abroad / domestic-without-"
        "VAT).",
        (
            "/v1/product-groups",
            "/v1/product-groups/{productGroupId}",
        ),
    ),
    Resource(
        "Product Prices",
        "What a product costs: flat, package, volume and graduated prices.",
        (
            "/v1/product-prices",
            "/v1/product-prices/{productPriceId}",
            "/v1/product-prices/{productPriceId}/activate",
            "/v1/product-prices/{productPriceId}/archive",
            "/v1/product-prices/{productPriceId}/disable",
            "/v1/product-prices/{productPriceId}/set-default",
        ),
    ),
    Resource(
        "Products",
        "What is sold.",
        (
            "/v1/products",
            "/v1/products/{productId}",
        ),
    ),
    Resource(
        "Projects",
        "Work with a budget: subprojects, which entries are tagged with, and the profit they make.",
        (
            "/v1/projects",
            "/v1/projects/{projectId}",
            "/v1/projects/{projectId}/profit",
            "/v1/projects/{projectId}/subprojects",
            "/v1/projects/{projectId}/subprojects/{subprojectId}",
        ),
    ),
    Resource(
        "Subscriptions",
        "What a customer is billed for time and again, and the plans behind it.",
        (
            "/v1/subscriptions",
            "/v1/subscriptions/{subscriptionId}",
            "/v1/subscriptions/{subscriptionId}/scheduled-changes",
            "/v1/subscriptions/{subscriptionId}/scheduled-changes/{changeId}",
            "/v1/subscriptions/cancel",
            "/v1/subscription-plans",
            "/v1/subscription-plans/{planId}/archive",
        ),
    ),
    Resource(
        "VAT Codes",
        "Rates, principles and accounts of VAT.",
        ("/v1/vat-codes",),
    ),
    Resource(
        "Webhook Endpoints",
        "Addresses that are told of events.",
        (
            "/v1/webhook-endpoints",
            "/v1/webhook-endpoints/{webhookEndpointId}",
            "/v1/webhook-endpoints/{webhookEndpointId}/roll-secret",
            "/v1/webhook-endpoints/{webhookEndpointId}/test",
        ),
    ),
    Resource(
        "Portal SSO",
        "Single sign-on to the customer portal.",
        (
            "/.well-known/portal-sso/{slug}/jwks.json",
            "/v1/portal-sso/handoff/mint",
            "/v1/portal-sso/provision",
            "/v1/portal-sso/sessions/revoke",
        ),
    ),
    Resource(
        "Credit Notes",
        "What is taken back of an invoice.",
        (
            "/v1/credit-notes",
            "/v1/credit-notes/{creditNoteId}",
            "/v1/credit-notes/{creditNoteId}/delivery-status",
            "/v1/credit-notes/{creditNoteId}/pdf",
            "/v1/credit-notes/{creditNoteId}/send",
        ),
    ),
    Resource(
        "Payment Methods",
        "Cards that customers have saved.",
        (
            "/v1/customers/{customerId}/payment-methods",
            "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/apply-to-subscriptions",
            "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/agreement",
            "/v1/customers/{customerId}/payment-methods/{paymentMethodId}",
            "/v1/customers/{customerId}/payment-methods/card-link",
            "/v1/customers/{customerId}/payment-methods/{paymentMethodId}/default",
        ),
    ),
    Resource(
        "Draft Journal Entries",
        "Entries that are entered but not posted yet. Deprecated: their successors are in v2.",
        (
            "/v1/draft-journal-batches",
            "/v1/draft-journal-entries",
            "/v1/draft-journal-entries/{draftJournalEntryId}",
            "/v1/draft-journal-entries/{draftJournalEntryId}/book",
        ),
    ),
    Resource(
        "Invoices",
        "From draft to booked, delivered and paid.",
        (
            "/v1/invoices",
            "/v1/invoices/{invoiceId}",
            "/v1/invoices/{invoiceId}/delivery-status",
            "/v1/invoices/{invoiceId}/pdf",
            "/v1/invoices/{invoiceId}/send",
        ),
    ),
    Resource(
        "Order Confirmations",
        "What a customer has ordered, before it is invoiced.",
        (
            "/v1/order-confirmations",
            "/v1/order-confirmations/{orderConfirmationId}",
            "/v1/order-confirmations/{orderConfirmationId}/convert",
            "/v1/order-confirmations/{orderConfirmationId}/pdf",
            "/v1/order-confirmations/{orderConfirmationId}/send",
        ),
    ),
    Resource(
        "Portal Plans",
        "The plans that the customer portal shows.",
        (
            "/v1/portal/plans",
            "/v1/portal/plans/{planId}",
            "/v1/portal/plans/resolve",
        ),
    ),
    Resource(
        "Quotes",
        "What a customer is offered.",
        (
            "/v1/quotes",
            "/v1/quotes/{quoteId}",
            "/v1/quotes/{quoteId}/convert",
            "/v1/quotes/{quoteId}/pdf",
            "/v1/quotes/{quoteId}/send",
        ),
    ),
    Resource(
        "Vendors",
        "Who is bought from: vendors, their groups, contacts and departments.",
        (
            "/v1/vendors",
            "/v1/vendors/{vendorId}/contacts",
            "/v1/vendors/{vendorId}/departments",
            "/v1/vendor-groups",
        ),
    ),
    Resource(
        "Draft Journal Entries (v2)",
        "Entries that are entered but not posted yet; the receivable or payable is added by the system.",
        (
            "/v2/draft-journal-batches",
            "/v2/draft-journal-entries",
            "/v2/draft-journal-entries/{draftJournalEntryId}",
            "/v2/draft-journal-entries/{draftJournalEntryId}/book",
        ),
    ),
    Resource(
        "Journal Entries (v2)",
        "Posting entries; the receivable or payable is added by the system.",
        (
            "/v2/journal-entries",
            "/v2/journal-entries/batch",
        ),
    ),
    Resource("E-Invoices", "What is answered to documents that went out as e-invoices."),
    Resource("Payments", "What was paid on invoices."),
    Resource("Payment Providers", "Where the cards of customers are saved and charged."),
    Resource("Payouts", "What payment providers paid out, what moved with it, and what does not agree with them."),
    Resource("Deliveries", "How documents of every kind reached the customer, and what didn't arrive."),
    Resource("Incoming Documents", "E-invoices that came in, and the drafts that were made of them."),
    Resource(
        "Audit Events", "Every change of anything: who made it, by which credential, from where, before and after."
    ),
    Resource("Events", "What happened, in the order in which it was committed: what webhooks are told of."),
    Resource("Usage", "What was reported to meters: each event, and those that belong to no subscription."),
    Resource("Reports", "What the ledger says."),
    Resource("Exchange Rates", "What a foreign currency is worth: published rates and the company's own."),
    Resource("OAuth", "OAuth 2.0 clients and their access tokens.", ("/v1/auth/token", "/v1/oauth/revoke")),
    Resource("Users", "Who may sign in to the company, as what, and who is invited."),
    Resource("Connections", "Applications that members let work in the company."),
)


def sorted_paths(paths: dict[str, Any]) -> dict[str, Any]:
    """A document's `paths` in the order of their resources, and each path's operations in that of `METHODS`."""
    rank = {resource.name: place for place, resource in enumerate(RESOURCES)}
    order = {path: place for place, path in enumerate(path for resource in RESOURCES for path in resource.paths)}

    def place(item: tuple[str, Any]) -> tuple[int, int]:
        path, operations = item
        tag = next(iter(operations.values()))["tags"][0]
        return rank.get(tag, len(rank)), order.get(path, len(order))

    return {
        path: dict(sorted(operations.items(), key=lambda item: METHODS.index(item[0])))
        for path, operations in sorted(paths.items(), key=place)
    }
