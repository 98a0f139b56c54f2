"""Which scopes the roles are, and who may give them. Pure."""

import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from email_validator import EmailNotValidError, validate_email

from ledgerbee.identity.users.model import (
    LAST_OWNER,
    MAX_NAME,
    Invitation,
    InvitationStatus,
    Membership,
    Role,
    UserId,
)
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.credentials.rules import check_grant

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


def check_may_give(roles: Iterable[Role], held: Collection[str] | None) -> None:
    """Refuse whoever gives or takes a role and lacks one of its scopes; None holds all (the operator).

    Raises `INSUFFICIENT_PERMISSIONS`.
    """
    if held is not None:
        check_grant(frozenset[str]().union(*(SCOPES_OF[role] for role in roles)), held)


def check_owner_stays(members: Iterable[Membership], user_id: UserId, role: Role | None) -> None:
    """Refuse to give the last owner another role, or none. Raises `LAST_OWNER`."""
    owners = {member.user_id for member in members if member.role is Role.OWNER}
    if owners == {user_id} and role is not Role.OWNER:
        raise LAST_OWNER.error()


def status_of(invitation: Invitation, now: datetime) -> InvitationStatus:
    """What has become of an invitation by now."""
    if invitation.accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.PENDING if now < invitation.expires_at else InvitationStatus.EXPIRED


def account_email(text: str) -> str | None:
    """The address that an account goes by: in lower case, its domain in ASCII; None for what is none.

    Letters beyond ASCII before the @ are not taken: what is lower case of them depends on who asks.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).ascii_email.lower()  # type: ignore[union-attr]
    except EmailNotValidError:
        return None


def tidy_name(text: str) -> str:
    """A person's name on one line, without what shows as nothing or turns text around (Unicode Cc, Cf, Cs, Co, Cn)."""
    kept = (char for char in " ".join(text.split()) if char == " " or unicodedata.category(char)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())[:MAX_NAME]
