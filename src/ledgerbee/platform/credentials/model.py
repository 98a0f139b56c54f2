"""Secrets that open the door, and the errors of the door (contract 1.2, 1.3, 1.5)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Actor

UNAUTHORIZED = ErrorCode("UNAUTHORIZED", 401, "Invalid API key")
INSUFFICIENT_PERMISSIONS = ErrorCode(
    "INSUFFICIENT_PERMISSIONS", 403, "The credential lacks the scope this operation requires"
)
API_KEY_SCOPE_NOT_ASSIGNABLE = ErrorCode(
    "API_KEY_SCOPE_NOT_ASSIGNABLE", 400, "This scope is only given to Partner SSO keys made for the portal"
)
LICENSE_REQUIRED = ErrorCode("LICENSE.REQUIRED", 403, "The company has no licence for this operation")

#: The kind of an access token that a user let an application have: it is good for one MCP address, and nowhere else.
USER_TOKEN: Final = "user_token"  # noqa: S105 a kind, not a secret
#: The kind of a user's session in a company.
USER_SESSION: Final = "user_session"

#: The start of every key and access token: a leaked one is recognised, and one that is sent the wrong way.
KEY_PREFIX: Final = "lb_"
TOKEN_PREFIX: Final = "lbt_"  # noqa: S105 a prefix, not a secret

#: Every scope a credential can carry (contract 1.3, decisions "Base").
SCOPES: Final = (
    "accounts-read", "accounts-write", "api-keys-read", "api-keys-write", "audit-read", "bank-read", "bank-write",
    "companies-write", "company-read", "company-write", "connections-read", "connections-write",
    "customers-read", "customers-write", "deliveries-read",
    "deliveries-write", "dimensions-read", "dimensions-write", "document-templates-read",
    "document-templates-write", "events-read", "invoices-read", "invoices-write", "journal-categories-read",
    "journal-categories-write", "journal-entries-read", "journal-entries-write", "meter-report",
    "oauth-clients-read", "oauth-clients-write", "order-confirmations-read", "order-confirmations-write",
    "payment-methods-read", "payment-methods-write", "payments-read", "payments-write", "portal-catalog-read",
    "products-read", "products-write", "projects-read", "projects-write", "quotes-read", "quotes-write",
    "reports-read", "subscriptions-read", "subscriptions-write", "users-read", "users-write", "vat-codes-read",
    "vat-codes-write",
    "vendors-read", "vendors-write", "webhook-endpoints-read", "webhook-endpoints-write",
)  # fmt: skip
#: Only on a Partner SSO key, never on an ordinary key or OAuth client (contract 1.2).
PARTNER_SCOPES: Final = ("portal-provision", "portal-sso-mint")

LICENSES: Final = ("Subscription", "CustomerPortal", "MeteredProducts")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a credential may do: its scopes, the addresses it may be used from (none: any), until when (None: for good).

    `expires_at` is aware UTC.
    """

    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved credential. `expires_at` is aware UTC; `version` tells a stale copy from the current one.

    `cell` is the mark of the database that its company lives in, `clock_offset` the days by which the company's clock
    is ahead, if it is a sandbox. `user_id` is whose session or token it is, None for what is no person's; `resource`
    the path of the only address that a user's token is good for (RFC 8707), None for what isn't bound to one.

    `company_cache` is for facts of the company that requests have learnt, by their type: they hold while the version
    passes its check (whoever changes such a fact calls `store.refresh_company`).
    """

    company_id: UUID
    kind: str
    subject_id: UUID
    scopes: frozenset[str]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    licenses: frozenset[str]
    time_zone: str
    secret_hash: bytes
    version: int
    cell: str = DEFAULT_CELL
    is_sandbox: bool = False
    clock_offset: int = 0
    user_id: UUID | None = None
    resource: str | None = None
    company_cache: dict[type, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def actor(self) -> Actor:
        """The audit trail's name for it."""
        if self.user_id is not None:
            return Actor("user", str(self.user_id))
        kind = "oauth_client" if self.kind == "oauth_token" else self.kind
        return Actor(kind, str(self.subject_id))


def secret_hash(secret: str) -> bytes:
    """What is kept of a secret. 256 bits of randomness can't be guessed, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
