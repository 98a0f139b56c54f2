"""What each scope allows, in words: for the reference, and for people who are asked to give it."""

from typing import Final

_OF: Final = {
    "accounts": "the chart of accounts and the fiscal years",
    "api-keys": "the company's API keys",
    "audit": "the audit trail",
    "bank": "bank accounts and their statements",
    "company": "the company's details, its exchange rates and its lock date",
    "connections": "the applications that members let work in the company, and what each did",
    "customers": "customers, their groups, contacts and departments",
    "deliveries": "how documents reached the customer",
    "dimensions": "dimensions and their values",
    "document-templates": "the templates of printed documents",
    "events": "the feed of events, each with the object that it tells of",
    "invoices": "invoices and credit notes",
    "journal-categories": "journal categories",
    "journal-entries": "journal entries, their drafts, imports and attachments, and incoming documents",
    "oauth-clients": "the company's OAuth clients",
    "order-confirmations": "order confirmations",
    "payment-methods": "the saved cards of customers and payment providers",
    "payments": "payments on invoices, charges, payouts and the credit of customers",
    "products": "products, their prices and their groups",
    "projects": "projects and subprojects",
    "quotes": "quotes",
    "reports": "reports on the ledger",
    "subscriptions": "subscriptions and their plans",
    "users": "the people who may sign in to the company, and their roles",
    "vat-codes": "VAT codes and their rates",
    "vendors": "vendors, their groups, contacts and departments",
    "webhook-endpoints": "webhook endpoints and what was sent to them",
}
_TEXTS: Final = {
    "companies-write": "Create companies",
    "api-keys-write": "Create and revoke the company's API keys",
    "connections-write": "Let applications work in the company, limit what they book, and revoke them",
    "company-write": "Change the company's details, exchange rates and lock date, and move the day of a sandbox",
    "deliveries-read": "Read how documents of every kind reached the customer, and the mails that carried them",
    "deliveries-write": "Record that a mail came back",
    "invoices-read": "Read invoices and credit notes, and download them",
    "invoices-write": "Create, change and send invoices and credit notes",
    "journal-entries-write": "Post, reverse and import journal entries, keep drafts of them, and receive e-invoices",
    "meter-report": "Keep meters, report usage and correct it, and see which subscriptions it is billed by",
    "oauth-clients-write": "Create, change and revoke the company's OAuth clients",
    "payments-write": "Record payments on invoices and take them back, charge saved cards, import payouts, use the "
    "credit of customers and pay it back",
    "projects-read": "Read projects and subprojects, and what they earn",
    "portal-catalog-read": "Read the plans that the customer portal shows",
    "portal-provision": "Create customers and give them access to the customer portal",
    "portal-sso-mint": "Sign users in to the customer portal, and end their sessions",
    "users-write": "Invite people to the company, change their roles and remove them",
    "webhook-endpoints-write": "Create, change and test webhook endpoints, and send events to them again",
}
_VERBS: Final = {"read": "Read", "write": "Create and change"}


def text_of(scope: str) -> str:
    """What a credential with `scope` may do: one sentence without a full stop. `KeyError` for an unknown one."""
    if scope in _TEXTS:
        return _TEXTS[scope]
    resource, _, kind = scope.rpartition("-")
    return f"{_VERBS[kind]} {_OF[resource]}"
