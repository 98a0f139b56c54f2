"""Which scopes the roles are. Pure."""

from typing import Final

from ledgerbee.identity.users.model import Role
from ledgerbee.platform.credentials.model import SCOPES

#: What opens the company to others, or makes companies: an owner's alone.
_OWNERS_ALONE: Final = frozenset(
    scope
    for scope in SCOPES
    if scope.startswith(("api-keys-", "oauth-clients-", "users-")) or scope in {"companies-write", "company-write"}
)
_SALES_WRITES: Final = (
    "customers-write", "invoices-write", "meter-report", "order-confirmations-write", "products-write", "quotes-write",
    "subscriptions-write",
)  # fmt: skip
_SALES_READS: Final = (
    "company-read", "connections-read", "customers-read", "deliveries-read", "dimensions-read",
    "document-templates-read", "events-read", "invoices-read", "order-confirmations-read", "payment-methods-read",
    "payments-read", "portal-catalog-read", "products-read", "projects-read", "quotes-read", "subscriptions-read",
    "vat-codes-read",
)  # fmt: skip

#: The scopes of each role. Everybody may have applications work for them (`connections-write`), within those.
SCOPES_OF: Final[dict[Role, frozenset[str]]] = {
    Role.OWNER: frozenset(SCOPES),
    Role.ACCOUNTANT: frozenset(SCOPES) - _OWNERS_ALONE,
    Role.SALES: frozenset((*_SALES_READS, *_SALES_WRITES, "connections-write")),
    Role.READ_ONLY: frozenset(scope for scope in SCOPES if scope.endswith("-read")) - _OWNERS_ALONE
    | {"connections-write"},
}
