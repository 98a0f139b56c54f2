"""What a payment provider is asked, and what it answers.

A provider's adapter knows nothing of companies, invoices or databases: it is given access, references of ours and
amounts, and says how things stand at the provider. It never decides what an outcome means, and tries nothing twice.

References of ours are at most 20 letters and digits, and the same each time the same thing is asked for: what an
earlier try may have made is found by them (`find_charge`, `find_refund`). Card data never comes here.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

_STORABLE: Final = re.compile("[^\\0\ud800-\udfff]*")

#: Seconds that a provider may take to answer one question.
ANSWER_TIMEOUT_S: Final = 30


class ProviderName(StrEnum):
    """The providers there are."""

    STRIPE = "stripe"
    QUICKPAY = "quickpay"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Access:
    """What a company's account at a provider is reached with: the provider's keys by the names that its adapter states.

    `account` is the company's account where the provider is built in. It is never logged or shown.
    """

    keys: Mapping[str, str]
    account: str = ""

    def __repr__(self) -> str:
        return "Access(...)"


# Agreements: saved cards


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card. `mask` has its last four digits, `type` is lower case (`visa`); the year has four
    digits. What a provider doesn't say is None."""

    mask: str | None
    type: str | None
    expiry_month: int | None
    expiry_year: int | None


class AgreementStatus(StrEnum):
    """How a card that is to be saved stands at the provider."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRequest:
    """A card that is to be saved, by its owner on a page of the provider's.

    `reference` is ours. The browser is sent to `return_url` when it is saved and to `cancel_url` when it isn't; events
    go to `callback_url`. `customer_name` and `email` are shown by the provider to whoever runs the shop.
    """

    reference: str
    currency: str
    language: str
    customer_name: str
    email: str | None
    return_url: str
    cancel_url: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """Where the card is saved: the provider's page, and the provider's id of what is to become of it."""

    url: str
    provider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A saved card at the provider: `provider_id` is what charges name. `reference` is ours, where it is known."""

    provider_id: str
    status: AgreementStatus
    card: Card | None = None
    reference: str | None = None


# Charges and refunds


class ChargeStatus(StrEnum):
    """How a charge or refund stands at the provider. `succeeded` and `failed` are final there.

    `pending`: the provider has it and has not decided. `requires_action`: the card's owner has to confirm it (3-D
    Secure). Whether one that nobody answered for exists is told by `find_charge`.
    """

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a charge failed: the provider's own code, its words, and whether another try later may go through.

    A hard decline (stolen, closed, wrong) stays one, and card networks fine whoever tries again.
    """

    code: str
    message: str
    is_soft: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """An amount in major units that a saved card is to pay without its owner, captured at once and in whole.

    `text` is what the statement of the card may show.
    """

    reference: str
    agreement_id: str
    amount: Decimal
    currency: str
    text: str
    callback_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCharge:
    """A charge as the provider has it. `fee` is what the provider keeps, where it says so already, in `currency`.

    `action_url` is where its owner confirms one that requires it. `is_test` says that no money moved.
    """

    provider_id: str
    reference: str
    status: ChargeStatus
    amount: Decimal
    currency: str
    decline: Decline | None = None
    fee: Decimal | None = None
    action_url: str | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """An amount to give back of a charge; `charge_id` is the provider's id of it."""

    reference: str
    charge_id: str
    amount: Decimal
    currency: str
    callback_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """A refund as the provider has it."""

    provider_id: str
    reference: str | None
    charge_id: str
    status: ChargeStatus
    amount: Decimal
    currency: str
    decline: Decline | None = None


# What providers tell by themselves


class Subject(StrEnum):
    """What a provider's event is about."""

    AGREEMENT = "agreement"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """A hint to look: the provider's id of the event, and of the object it is about (decisions "Payments").

    Nothing but `subject`, `provider_id` and `reference` is believed; how the object stands is asked.
    `subject` None: nothing that is of interest here.
    """

    id: str
    type: str
    subject: Subject | None
    provider_id: str | None = None
    #: Ours, where the event has it.
    reference: str | None = None

    def __post_init__(self) -> None:
        """Raises `ProviderRefusedError` for what no database can hold."""
        for text in (self.id, self.type, self.provider_id, self.reference):
            if text is not None and not _STORABLE.fullmatch(text):
                raise ProviderRefusedError("The event has texts that are none")


class DisputeStatus(StrEnum):
    """How a dispute stands: the money is gone only when it is lost."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDispute:
    """A charge that the card's owner disputes. `fee` is what the provider takes for it, in `currency`."""

    provider_id: str
    charge_id: str
    status: DisputeStatus
    amount: Decimal
    currency: str
    reason: str
    fee: Decimal | None = None


class MovementType(StrEnum):
    """Why money moves on the account at the provider."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"
    FEE = "fee"
    PAYOUT = "payout"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement on the account at the provider: `amount` before `fee`, above zero what comes in.

    `object_id` is the provider's id of what moved, `charge_id` that of the charge where it tells it of a dispute.
    `reference` is ours where the provider knows it; `payout_id` the payout that it was paid out with, when it was.
    """

    provider_id: str
    type: MovementType
    amount: Decimal
    fee: Decimal
    currency: str
    at: datetime
    object_id: str | None = None
    charge_id: str | None = None
    reference: str | None = None
    payout_id: str | None = None
    text: str = ""


# Refusals


class ProviderError(Exception):
    """A provider didn't do what it was asked. `str` is fit for the company to read: it names no key."""


class ProviderUnclearError(ProviderError):
    """No answer, or none that can be understood: what was asked for may have been done. Ask by our reference."""


class ProviderRefusedError(ProviderError):
    """The provider did not take the request, and did nothing: wrong keys, an unknown card, an amount it can't take."""


class SignatureError(ProviderError):
    """A callback is not signed by the provider, or not with the key that the company has."""


class Provider(Protocol):
    """A payment provider. Every coroutine raises `ProviderUnclearError` and `ProviderRefusedError`."""

    #: The names of the keys that `Access` has for it, and of those that may be left out.
    key_names: tuple[str, ...]
    optional_key_names: tuple[str, ...]

    async def start_agreement(self, access: Access, asked: AgreementRequest) -> AgreementPage:
        """A page on which a card is saved."""

    async def find_agreement(self, access: Access, provider_id: str) -> Agreement | None:
        """How the card stands that was to be saved on a page, or that was saved; None where there is no such one.

        `provider_id` is that of the page or that of an agreement.
        """

    async def cancel_agreement(self, access: Access, agreement_id: str) -> None:
        """End a saved card at the provider; one that has ended already, or isn't there, is ended."""

    async def charge(self, access: Access, asked: ChargeRequest) -> ProviderCharge:
        """Charge a saved card. A decline is an answer, `failed`, when nothing can come of it any more: what could is
        cancelled there before. Asked twice with one reference it charges once, as
        long as the provider remembers: whoever doesn't know asks `find_charge` before."""

    async def find_charge(
        self, access: Access, reference: str, provider_id: str | None, agreement_id: str
    ) -> ProviderCharge | None:
        """How a charge stands, by our reference, or by the provider's id where that is known. None: it has none.

        `agreement_id` is the card that was charged: not every provider finds references of ours without it.
        """

    async def cancel_charge(self, access: Access, reference: str, provider_id: str) -> None:
        """Cancel a charge that its owner was to confirm, by our reference and the provider's id; one that has failed
        already has. Refused where it has succeeded or can't be cancelled: how it stands is told by `find_charge`."""

    async def refund(self, access: Access, asked: RefundRequest) -> ProviderRefund:
        """Give back an amount of a charge."""

    async def find_refund(self, access: Access, charge_id: str, reference: str) -> ProviderRefund | None:
        """How a refund of a charge stands, by our reference."""

    async def find_dispute(self, access: Access, provider_id: str) -> ProviderDispute | None:
        """How a dispute stands."""

    def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """All that moved on the account in a time, oldest first."""

    def read_event(self, access: Access, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """What a callback says. Raises `SignatureError`, and `ProviderRefusedError` for what it can't read."""


#: The adapters by the names of their providers.
Providers = Mapping[ProviderName, Provider]
