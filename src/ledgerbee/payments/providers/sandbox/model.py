"""The provider that is built in: cards, charges and refunds with which no money moves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.providers.model import AgreementStatus, ChargeStatus, Subject

SandboxCardId = NewType("SandboxCardId", UUID)
SandboxChargeId = NewType("SandboxChargeId", UUID)

#: The kind of the credential of a page, and of who acts by it.
SANDBOX_PAGE: Final = "sandbox_page"
#: The start of every such secret, so that logs leave it out and a leaked one is recognised.
PAGE_PREFIX: Final = "lbs_"
#: The job that delivers events of the provider; its payload names them: `eventIds`.
SANDBOX_EVENT_JOB: Final = "deliver_sandbox_event"
#: How long a card can be saved, and a charge confirmed, on its page.
PAGE_LIFE: Final = timedelta(hours=24)
#: The key by which the provider knows the company; it is the secret of the address for its events.
SECRET: Final = "secret"  # noqa: S105  a name, not a secret
#: How long a dispute stands until it is decided.
DISPUTE_LIFE: Final = timedelta(days=7)
#: Requests for pages that one address may make in a minute.
PAGE_HITS: Final = 60


class Behavior(StrEnum):
    """What becomes of a card: what its number stands for."""

    SUCCEEDS = "succeeds"
    SOFT_DECLINE = "soft_decline"
    #: The first charge only.
    SOFT_DECLINE_ONCE = "soft_decline_once"
    HARD_DECLINE = "hard_decline"
    REQUIRES_ACTION = "requires_action"
    EXPIRES_SOON = "expires_soon"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_WON = "dispute_won"
    #: It can't be saved.
    REFUSED = "refused"


class EventType(StrEnum):
    """What an event that is asked for says has happened."""

    AGREEMENT_ACTIVE = "agreement.active"
    AGREEMENT_CANCELLED = "agreement.cancelled"
    CHARGE_REQUIRES_ACTION = "charge.requires_action"
    CHARGE_SUCCEEDED = "charge.succeeded"
    CHARGE_FAILED = "charge.failed"
    REFUND_SUCCEEDED = "refund.succeeded"
    REFUND_FAILED = "refund.failed"
    DISPUTE_OPENED = "dispute.opened"
    DISPUTE_WON = "dispute.won"
    DISPUTE_LOST = "dispute.lost"

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject(self.value.partition(".")[0])


@dataclass(frozen=True, slots=True)
class SandboxNumber:
    """A card number that the page takes, its kind, and what becomes of it."""

    number: str
    type: str
    behavior: Behavior


#: Every number that the page takes. None is anybody's: they are those that providers publish for tests.
TEST_CARDS: Final = (
    SandboxNumber("4242424242424242", "visa", Behavior.SUCCEEDS),
    SandboxNumber("5555555555554444", "mastercard", Behavior.SUCCEEDS),
    SandboxNumber("4000000000009995", "visa", Behavior.SOFT_DECLINE),
    SandboxNumber("4000000000009987", "visa", Behavior.SOFT_DECLINE_ONCE),
    SandboxNumber("4000000000009979", "visa", Behavior.HARD_DECLINE),
    SandboxNumber("4000000000003220", "visa", Behavior.REQUIRES_ACTION),
    SandboxNumber("4000000000000341", "visa", Behavior.EXPIRES_SOON),
    SandboxNumber("4000000000000259", "visa", Behavior.DISPUTE_LOST),
    SandboxNumber("4000000000001976", "visa", Behavior.DISPUTE_WON),
    SandboxNumber("4000000000000002", "visa", Behavior.REFUSED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCard:
    """A card that is to be saved, or was. Of its number only `mask` is known. `language` is `da` or `en`."""

    id: SandboxCardId
    reference: str
    status: AgreementStatus
    language: str
    customer_name: str
    return_url: str
    cancel_url: str
    behavior: Behavior | None = None
    mask: str | None = None
    type: str | None = None
    expiry_month: int | None = None
    expiry_year: int | None = None
    page_secret: str
    expires_at: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCharge:
    """A charge; `page_secret` is that of the page where its owner confirms it."""

    id: SandboxChargeId
    reference: str
    card_id: SandboxCardId
    amount: Decimal
    currency: str
    description: str
    status: ChargeStatus
    decline_code: str | None = None
    fee: Decimal
    page_secret: str | None = None
    disputed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRefund:
    """A part of a charge that was given back."""

    id: UUID
    reference: str
    charge_id: SandboxChargeId
    amount: Decimal
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxEvent:
    """Something that the provider has to tell."""

    id: UUID
    type: str
    subject: str
    object_id: str
    reference: str | None
    created_at: datetime


#: Of a page whose card or charge is gone; nobody but the page sees it.
SANDBOX_PAGE_GONE = ErrorCode("SANDBOX_PAGE_GONE", 404, "There is no such page of the sandbox provider")
SANDBOX_EVENT_INVALID_STATE = ErrorCode(
    "SANDBOX_EVENT_INVALID_STATE", 409, "The event can't be about what is so at the sandbox provider"
)
