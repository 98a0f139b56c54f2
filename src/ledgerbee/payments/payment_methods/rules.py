"""What is decided of saved cards and of the links on which they are saved. Pure."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from ledgerbee.core.dates import add_months
from ledgerbee.payments.payment_methods.model import (
    EXPIRING_DAYS,
    LINK_GRACE,
    PAYMENT_METHOD_INVALID_STATE,
    CardLink,
    CardLinkStatus,
    PaymentMethod,
    PaymentMethodStatus,
)
from ledgerbee.payments.providers.model import Agreement, AgreementStatus, Card, ProviderName

#: What tells the page that a customer is sent back to whether the card was saved.
OUTCOME = "card"


def label_of(card: Card, provider: ProviderName) -> str:
    """What a card is called: `Visa •••• 4242`, or the provider's name where nothing is known of it."""
    if not (card.type or card.mask):
        return provider.value.capitalize()
    kind = (card.type or "card").replace("_", " ").capitalize()
    digits = "".join(char for char in card.mask or "" if char.isdigit())[-4:]
    return f"{kind} •••• {digits}" if digits else kind


def last_day(method: PaymentMethod) -> date | None:
    """The last day on which a card is valid: that of its month (ISO/IEC 7813); None where nobody knows."""
    if method.expiry_month is None or method.expiry_year is None:
        return None
    return add_months(date(method.expiry_year, method.expiry_month, 1), 1) - timedelta(days=1)


def require_active(method: PaymentMethod) -> None:
    """Raises `PAYMENT_METHOD_INVALID_STATE` for a card that can't be charged."""
    if method.status is not PaymentMethodStatus.ACTIVE:
        raise PAYMENT_METHOD_INVALID_STATE.in_state(method.status.value)


def unassigned(method: PaymentMethod, now: datetime) -> PaymentMethod:
    """A card without its customer."""
    return replace(method, customer_id=None, is_default=False, updated_at=now)


def ended(method: PaymentMethod, status: PaymentMethodStatus, now: datetime) -> PaymentMethod:
    """A card that can't be charged any more, and so is nobody's default."""
    return replace(method, status=status, is_default=False, updated_at=now)


class Aging(StrEnum):
    """What a day means for a card."""

    NOTHING = "nothing"
    EXPIRING = "expiring"
    EXPIRED = "expired"


def aging_of(method: PaymentMethod, today: date) -> Aging:
    """What a day of the company's means for a card:

    | | |
    | --- | --- |
    | `expired` | it is active, and its last day is past |
    | `expiring` | it is a customer's, ends within 30 days, and that was not told of |
    | `nothing` | otherwise |
    """
    end = last_day(method)
    if end is None or method.status is not PaymentMethodStatus.ACTIVE:
        return Aging.NOTHING
    if end < today:
        return Aging.EXPIRED
    is_near = end <= today + timedelta(days=EXPIRING_DAYS)
    return Aging.EXPIRING if is_near and method.customer_id and method.told_expiry != end else Aging.NOTHING


class LinkOutcome(StrEnum):
    """What becomes of a link by what the provider says of the card."""

    WAIT = "wait"
    SAVE = "save"
    FAIL = "fail"
    EXPIRE = "expire"
    #: The card was saved too late: it has to be ended at the provider first.
    REJECT = "reject"


def outcome_of(link: CardLink, agreement: Agreement | None, now: datetime) -> LinkOutcome:
    """What becomes of an open link by how the card stands at the provider, None where it knows of none.

    | card | until its end | after that |
    | --- | --- | --- |
    | active | save | reject once nobody can be at saving it, until then wait |
    | failed, cancelled | fail | fail |
    | pending, unknown | wait | expire, likewise |
    """
    status = None if agreement is None else agreement.status
    if status in {AgreementStatus.FAILED, AgreementStatus.CANCELLED}:
        return LinkOutcome.FAIL
    if now < link.expires_at:
        return LinkOutcome.SAVE if status is AgreementStatus.ACTIVE else LinkOutcome.WAIT
    if now < link.expires_at + LINK_GRACE:
        return LinkOutcome.WAIT
    return LinkOutcome.REJECT if status is AgreementStatus.ACTIVE else LinkOutcome.EXPIRE


def with_outcome(link: CardLink, status: CardLinkStatus, now: datetime) -> CardLink:
    """A link that has come to its end without a card."""
    return replace(link, status=status, updated_at=now)


def return_address(url: str, outcome: str) -> str:
    """Where the browser is sent: `url` with `card=saved` or `card=cancelled` in its query, the rest of it untouched."""
    parts = urlsplit(url)
    fields = (part for part in parts.query.split("&") if part and unquote_plus(part.partition("=")[0]) != OUTCOME)
    return urlunsplit(parts._replace(query="&".join([*fields, f"{OUTCOME}={outcome}"])))
