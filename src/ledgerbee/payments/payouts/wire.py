"""Payouts on the wire (extension)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date as day
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field

from ledgerbee.core.errors import check_all, invalid, property_path
from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ZERO, format_amount, minor_units, round_to
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.wire import (
    Amount,
    CurrencyCode,
    Day,
    DecimalText,
    Id,
    IdText,
    Line,
    Moment,
    MoneyText,
    PageResponse,
    RequestModel,
    ResponseModel,
    WholeNumber,
    omitted,
)
from ledgerbee.payments.payouts.model import (
    MAX_MOVEMENTS,
    Difference,
    DifferenceKind,
    Payout,
    PayoutMovement,
    PayoutStatus,
    Reconciliation,
)
from ledgerbee.payments.payouts.rules import is_unknown
from ledgerbee.payments.providers.model import Movement, MovementType, ProviderName


class PayoutMovementRequest(RequestModel):
    """What moved on the account at the provider."""

    id: Line = Field(description="The provider's ID of it: it is taken once", examples=["txn_1042"])
    type: MovementType = Field(
        description="`payout` is the payout itself, `fee` one that stands by itself", examples=["charge"]
    )
    amount: Amount = Field(
        description="Before the fee; above zero what comes in on the account there, so a payout is below zero",
        examples=["1250.00"],
    )
    fee: Amount = Field(
        ZERO, description="What the provider kept of it; below zero what it gave back", examples=["19.30"]
    )
    currency: CurrencyCode = Field(description="That of the account there")
    moved_on: Day = Field(alias="date")
    object_id: NullableLine = Field(
        None, alias="object", description="The provider's ID of the charge, refund, dispute or payout"
    )
    reference: NullableLine = Field(None, description="Ours, of the charge or refund", examples=["7K2M9QX4ZD1P5RTA"])
    payout_id: NullableLine = Field(
        None,
        alias="payout",
        description="The payout that it was paid out with, as the payout itself has it in `object`",
    )
    description: NullableLine = Field(None, description="The provider's words")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002  the day is of the past, whichever
        """Amounts that the currency has, and something that moved."""
        yield from self._checks(path)

    def check(self, path: str = "") -> None:
        """The same of a movement that is right in itself. Raises validation errors."""
        check_all(*self._checks(path))

    def _checks(self, path: str) -> Iterator[Check]:
        yield lambda: _check_places(self.amount, self.currency, property_path(path, "amount"))
        yield lambda: _check_places(self.fee, self.currency, property_path(path, "fee"))
        yield lambda: _check_moves(self.type, self.amount, self.fee, property_path(path, "amount"))

    def check_day(self, today: day, path: str = "") -> None:
        """Refuse what moves after tomorrow, or long ago. `today` is the company's. Raises validation errors."""
        name = property_path(path, "date")
        if self.moved_on > today + DAY_AHEAD:
            raise invalid((name, "maxDate", f"{name} must not be more than a day ahead"))
        if self.moved_on < FIRST_DAY:
            raise invalid((name, "minDate", f"{name} must not be before {FIRST_DAY}"))

    def moved(self, time_zone: str) -> Movement:
        """The movement, at the beginning of its day in the company's time zone."""
        return Movement(
            provider_id=self.id,
            type=self.type,
            amount=self.amount,
            fee=self.fee,
            currency=self.currency,
            at=datetime.combine(self.moved_on, time(), ZoneInfo(time_zone)),
            object_id=self.object_id,
            reference=self.reference,
            payout_id=self.payout_id,
            text=self.description or "",
        )


#: No provider that there is has older movements.
FIRST_DAY: Final = day(2000, 1, 1)
#: Providers' days end earlier or later than the company's.
DAY_AHEAD: Final = timedelta(days=1)


def _check_places(amount: Decimal, currency: str, name: str) -> None:
    places = minor_units(currency)
    if round_to(amount, places) != amount:
        raise invalid((name, "maxDecimalPlaces", f"{name} must have no more than {places} decimals in {currency}"))


def _check_moves(type_: MovementType, amount: Decimal, fee: Decimal, name: str) -> None:
    if amount:
        return
    if type_ is MovementType.PAYOUT:
        raise invalid((name, "notEquals", f"{name} of a payout must not be zero"))
    if not fee:
        raise invalid((name, "notEquals", f"{name} must not be zero where the fee is: nothing moved"))


class CreatePayoutImportRequest(RequestModel):
    """Movements as JSON; as `text/csv` they are the rows of the body itself."""

    provider: ProviderName = Field(description="A provider that the company has set up", examples=["sandbox"])
    bank_account_id: Id | None = omitted(
        description="Where its payouts came in; the provider's own bank account, or the one with the role BANK, unless "
        "given"
    )
    movements: Annotated[list[PayoutMovementRequest], Field(min_length=1, max_length=MAX_MOVEMENTS)] = Field(
        description="Payouts, and what was paid out with them, in any order"
    )

    @classmethod
    def from_file(cls, raw: bytes) -> bytes:
        """The body where it is a CSV file."""
        return raw


if TYPE_CHECKING:
    #: What the handler gets: the model, or the bytes of a body that is the file.
    PayoutImportBody: TypeAlias = CreatePayoutImportRequest | bytes
else:  # FastAPI takes the model from the annotation
    PayoutImportBody = CreatePayoutImportRequest


class PayoutResponse(ResponseModel):
    """A payout of a provider."""

    id: IdText
    provider: ProviderName = Field(description="Whose account it is about", examples=["stripe"])
    provider_id: str = Field(description="What the provider calls it", examples=["po_1042"])
    status: PayoutStatus = Field(description="`paid` is booked, and final")
    waits_for: str | None = Field(
        description="Why it isn't booked: `incomplete` (its movements don't add up to it yet), `undecided` (something "
        "in it is under way here, and looked at again), or the code of what refuses it, such as `PERIOD_LOCKED`"
    )
    amount: MoneyText = Field(description="What came to the bank; below zero what the provider took from it")
    currency: str = Field(examples=["DKK"])
    fee_amount: MoneyText = Field(description="What the provider kept", examples=["19.30"])
    unidentified_amount: MoneyText = Field(
        description="What of it nobody here knows: it stands on the account of unidentified receipts", examples=["0.00"]
    )
    left_amount: MoneyText = Field(
        description="What moved with it and it did not pay out: a later one does", examples=["0.00"]
    )
    exchange_rate: DecimalText | None = Field(description="Base currency for one unit, on the day of the payout")
    paid_on: day = Field(alias="date", description="The day of the payout, on which it is booked")
    paid_at: Moment = Field(description="When the provider made it")
    bank_account_id: IdText | None = Field(description="Where it came in")
    clearing_account_id: IdText | None = Field(description="What its charges stood on")
    journal_entry_id: IdText | None = Field(description="The entry that booked it")
    created_at: Moment
    updated_at: Moment


class PayoutMovementResponse(ResponseModel):
    """What moved on the account at the provider."""

    id: IdText
    provider_id: str = Field(description="The provider's ID of it", examples=["txn_1042"])
    type: MovementType = Field(examples=["charge"])
    amount: MoneyText = Field(description="Before the fee; above zero what came in there")
    fee: MoneyText = Field(description="What was kept of it", examples=["19.30"])
    currency: str = Field(examples=["DKK"])
    moved_at: Moment = Field(description="When it moved there")
    object_id: str | None = Field(
        alias="object", description="The provider's ID of the charge, refund, dispute or payout"
    )
    reference: str | None = Field(description="Ours, where the provider knows it")
    description: str = Field(description="The provider's words")
    charge_id: IdText | None = Field(description="The charge of the company that it is, or that is disputed")
    refund_id: IdText | None = Field(description="The refund of the company that it is")
    dispute_id: IdText | None = Field(description="The dispute that it is of; null until the provider tells of it")
    unidentified_amount: MoneyText = Field(
        description="What of it nobody here knows: all of it, or by what it differs from what it is of. It stands on "
        "unidentified receipts",
        examples=["0.00"],
    )


class PayoutResultResponse(PayoutResponse):
    """A payout, and what in it nobody here knows."""

    unmatched: list[PayoutMovementResponse] = Field(
        description="What in it is of no charge, refund or dispute of the company, or of another amount: booked on "
        "unidentified receipts as `unidentifiedAmount` says"
    )


class PayoutDetailResponse(PayoutResultResponse):
    """A payout with all that moved with it."""

    movements: list[PayoutMovementResponse] = Field(
        description="What it paid out, oldest first, and the payout itself; of one that isn't booked what names it"
    )


class ListPayoutsResponse(PageResponse[PayoutResponse]):
    """A page of payouts."""


class DifferenceResponse(ResponseModel):
    """What doesn't agree between the company and the provider's list."""

    kind: DifferenceKind = Field(
        description="`missing_at_provider`: a charge that succeeded here, and after three days isn't there. "
        "`unknown_here`: what moved there and nobody here knows, or a dispute of a charge here that the provider "
        "has not told of. `undecided_here`: a charge that is under way here; it "
        "is looked at again. `failed_here`: one that failed here. `amount_differs`. `movement_differs`: told otherwise "
        "than before, or named a payout that is booked. `payout_waits`: a payout that isn't booked"
    )
    charge_id: IdText | None = Field(description="The charge of the company")
    movement_id: str | None = Field(description="The provider's ID of the movement", examples=["txn_1042"])
    movement_type: MovementType | None = Field(description="What moved", examples=["charge"])
    object_id: str | None = Field(
        alias="object", description="The provider's ID of the charge, refund, dispute or payout"
    )
    reference: str | None = Field(description="Ours")
    amount: MoneyText | None = Field(description="As it is here; null where it isn't")
    provider_amount: MoneyText | None = Field(description="As it is there; null where it isn't")
    currency: str = Field(examples=["DKK"])


class PayoutImportResponse(ResponseModel):
    """What became of movements."""

    taken: WholeNumber = Field(description="Movements that are new", examples=[3])
    known: WholeNumber = Field(description="Those that were taken before, by whatever brought them", examples=[0])
    payouts: list[PayoutResultResponse] = Field(description="Payouts that are new, or that this has changed")
    differences: list[DifferenceResponse] = Field(
        description="What of all that was sent doesn't agree with the charges, refunds and disputes here; at most 1,000"
    )


class ReconciliationResponse(ResponseModel):
    """The last look at a provider's own list."""

    id: IdText | None
    provider: ProviderName = Field(description="Whose account it is about", examples=["stripe"])
    since: Moment | None = Field(description="What moved from then on was looked at")
    until: Moment | None = Field(description="What moved before then was looked at")
    movements: WholeNumber | None = Field(description="How much moved", examples=[42])
    failure: str | None = Field(description="Why the provider did not say what moved", examples=[None])
    created_at: Moment | None = Field(description="When it was looked at")
    differences: list[DifferenceResponse] = Field(description="What doesn't agree; at most 1,000")


def render(payout: Payout) -> PayoutResponse:
    return PayoutResponse(**_payout(payout))


def render_result(payout: Payout, movements: Iterable[PayoutMovement]) -> PayoutResultResponse:
    return PayoutResultResponse(**_payout(payout), unmatched=_unmatched(payout, movements))


def render_detail(payout: Payout, movements: Sequence[PayoutMovement]) -> PayoutDetailResponse:
    return PayoutDetailResponse(
        **_payout(payout),
        unmatched=_unmatched(payout, movements),
        movements=[_movement(one) for one in movements],
    )


def render_look(look: Reconciliation, differences: Iterable[Difference]) -> ReconciliationResponse:
    return ReconciliationResponse(**fields_of(look), differences=[_difference(one) for one in differences])


def render_import(
    taken: int, known: int, payouts: list[PayoutResultResponse], differences: Iterable[Difference]
) -> PayoutImportResponse:
    """What became of movements that were brought."""
    told = [_difference(one) for one in differences]
    return PayoutImportResponse(taken=taken, known=known, payouts=payouts, differences=told)


def render_no_look(provider: ProviderName) -> ReconciliationResponse:
    """Where nobody has looked yet."""
    return ReconciliationResponse(
        id=None,
        provider=provider,
        since=None,
        until=None,
        movements=None,
        failure=None,
        created_at=None,
        differences=[],
    )


def _payout(payout: Payout) -> dict[str, Any]:
    known = {name: value for name, value in fields_of(payout).items() if name in PayoutResponse.model_fields}
    amounts = ("amount", "fee_amount", "unidentified_amount", "left_amount")
    return known | {name: format_amount(known[name], payout.currency) for name in amounts}


def _unmatched(payout: Payout, movements: Iterable[PayoutMovement]) -> list[PayoutMovementResponse]:
    if payout.status is not PayoutStatus.PAID:
        return []
    return [_movement(one) for one in movements if is_unknown(one)]


_OF_MOVEMENT: Final = ("amount", "fee", "unidentified_amount")


def _movement(movement: PayoutMovement) -> PayoutMovementResponse:
    known = {name: value for name, value in fields_of(movement).items() if name in PayoutMovementResponse.model_fields}
    amounts = {name: format_amount(known[name], movement.currency) for name in _OF_MOVEMENT}
    return PayoutMovementResponse(**known | amounts)


def _difference(one: Difference) -> DifferenceResponse:
    amounts = {
        name: None if amount is None else format_amount(amount, one.currency)
        for name, amount in (("amount", one.amount), ("provider_amount", one.provider_amount))
    }
    return DifferenceResponse(**fields_of(one) | amounts)
