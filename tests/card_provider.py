"""A payment provider of our own making, as bad as they come: late, silent, forgetful, and charging as often as asked.

It stands for the world outside. Unless told otherwise it keeps no idempotency keys, so a second `charge` of one
reference is a second charge: that there is never one is what the tests of charges prove.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from itertools import count

from ledgerbee.core.dates import Clock, system_clock
from ledgerbee.payments.providers.model import (
    Access,
    Agreement,
    AgreementPage,
    AgreementRequest,
    AgreementStatus,
    Card,
    ChargeRequest,
    ChargeStatus,
    Decline,
    Movement,
    MovementType,
    ProviderCharge,
    ProviderDispute,
    ProviderEvent,
    ProviderRefund,
    ProviderRefusedError,
    ProviderUnclearError,
    RefundRequest,
    SignatureError,
    Subject,
)


class Behavior(Enum):
    """What becomes of one request."""

    ANSWERS = auto()
    #: It charges, and its answer is lost.
    LOSES_ANSWER = auto()
    #: The request never arrives.
    LOSES_REQUEST = auto()
    #: It charges 40 seconds later, when nobody waits any more.
    IS_LATE = auto()
    REFUSES = auto()
    DECLINES = auto()
    DECLINES_FOR_GOOD = auto()
    WANTS_CONFIRMATION = auto()
    UNDECIDED = auto()
    #: It says that it charged another amount.
    MISUNDERSTANDS = auto()
    #: It charges another amount, and stands by that.
    CHARGES_ANOTHER = auto()
    #: It answers with another currency.
    CONVERTS = auto()
    #: It answers with what it said to somebody else.
    MIXES_UP = auto()


_OUTCOMES = {
    Behavior.DECLINES: (ChargeStatus.FAILED, Decline("insufficient_funds", "Insufficient funds", is_soft=True)),
    Behavior.DECLINES_FOR_GOOD: (ChargeStatus.FAILED, Decline("stolen_card", "Stolen card", is_soft=False)),
    Behavior.WANTS_CONFIRMATION: (ChargeStatus.REQUIRES_ACTION, None),
    Behavior.UNDECIDED: (ChargeStatus.PENDING, None),
}


#: How long it charges where it `IS_LATE`.
HANGS = timedelta(seconds=40)
#: How long it may tell what isn't so to those who ask how a charge stands.
CORRECTS = timedelta(hours=23)


def _as_told(charge: ProviderCharge, behavior: Behavior) -> ProviderCharge:
    """A charge as an answer has it."""
    if behavior is Behavior.MISUNDERSTANDS:
        return replace(charge, amount=charge.amount + 1)
    if behavior is Behavior.CONVERTS:
        return replace(charge, currency="EUR")
    return replace(charge, reference="ANOTHER1", provider_id="ch_0") if behavior is Behavior.MIXES_UP else charge


class CardProvider:
    """A provider whose next requests behave as `next` says, and then as `then` does.

    By `clock`, what it made is shown after `lag`, and references are known for `memory`: asked for once more within
    that, it answers as the first time.
    """

    key_names: tuple[str, ...] = ("secretKey",)
    optional_key_names: tuple[str, ...] = ()

    def __init__(
        self,
        *behaviors: Behavior,
        then: Behavior = Behavior.ANSWERS,
        clock: Clock = system_clock,
        lag: timedelta = timedelta(0),
        memory: timedelta = timedelta(0),
    ) -> None:
        self.next = list(behaviors)
        self.then = then
        self.clock, self.lag, self.memory = clock, lag, memory
        #: When each of its charges was made or will be, by its id.
        self.made_at: dict[str, datetime] = {}
        #: Each charge that it carried out or refused to, in order.
        self.charges: list[ProviderCharge] = []
        #: Each refund that it carried out or failed to, in order.
        self.refunds: list[ProviderRefund] = []
        #: How often each of its methods was called.
        self.calls: Counter[str] = Counter()
        #: Called while a charge is under way there.
        self.meanwhile: Callable[[], object] | None = None
        self.is_silent = False
        #: How it answers whoever asks how a charge stands.
        self.looks = Behavior.ANSWERS
        self.disputes: dict[str, ProviderDispute] = {}
        self._ids = count(1)

    def _behavior(self) -> Behavior:
        return self.next.pop(0) if self.next else self.then

    @property
    def taken(self) -> dict[str, Decimal]:
        """What was taken of cards, by reference: the provider's own list."""
        found: dict[str, Decimal] = {}
        for one in self.charges:
            if one.status is ChargeStatus.SUCCEEDED:
                found[one.reference] = found.get(one.reference, Decimal(0)) + one.amount
        return found

    def decide(self, reference: str, status: ChargeStatus, *, is_soft: bool = False) -> None:
        """Its owner confirms a charge or lets it fail, or the bank decides at last."""
        index = next(i for i, one in enumerate(self.charges) if one.reference == reference)
        decline = Decline("authentication_failed", "Not confirmed", is_soft=is_soft)
        found = self.charges[index]
        self.charges[index] = replace(found, status=status, decline=decline if status is ChargeStatus.FAILED else None)

    async def charge(self, access: Access, asked: ChargeRequest) -> ProviderCharge:
        assert access.keys or access.account
        self.calls["charge"] += 1
        behavior = self._behavior()
        if self.meanwhile is not None:
            self.meanwhile()
        await asyncio.sleep(0)
        if behavior is Behavior.REFUSES:
            raise ProviderRefusedError("No such customer")
        if behavior is Behavior.LOSES_REQUEST:
            raise ProviderUnclearError("No answer within 30 seconds")
        for known in self.charges:
            if known.reference == asked.reference and self.clock() < self.made_at[known.provider_id] + self.memory:
                if self.clock() < self.made_at[known.provider_id]:
                    raise ProviderUnclearError("409 Conflict")
                return known
        status, decline = _OUTCOMES.get(behavior, (ChargeStatus.SUCCEEDED, None))
        made = ProviderCharge(
            provider_id=f"ch_{next(self._ids)}",
            reference=asked.reference,
            status=status,
            amount=asked.amount + (behavior is Behavior.CHARGES_ANOTHER),
            currency=asked.currency,
            decline=decline,
            action_url="https://bank.example/3ds" if status is ChargeStatus.REQUIRES_ACTION else None,
        )
        self.charges.append(made)
        self.made_at[made.provider_id] = self.clock() + (HANGS if behavior is Behavior.IS_LATE else timedelta(0))
        if behavior in {Behavior.LOSES_ANSWER, Behavior.IS_LATE}:
            raise ProviderUnclearError("502 Bad Gateway")
        return _as_told(made, behavior)

    async def find_charge(
        self, access: Access, reference: str, provider_id: str | None, agreement_id: str
    ) -> ProviderCharge | None:
        assert access.keys or access.account
        assert agreement_id
        self.calls["find_charge"] += 1
        if self.is_silent:
            raise ProviderUnclearError("500 Internal Server Error")
        now = self.clock()
        for one in self.charges:
            if one.provider_id == provider_id or one.reference == reference:
                made_at = self.made_at[one.provider_id]
                looks = self.looks if now < made_at + CORRECTS else Behavior.ANSWERS
                return None if now < made_at + self.lag else _as_told(one, looks)
        return None

    async def cancel_charge(self, access: Access, reference: str, provider_id: str) -> None:
        assert access.keys or access.account
        self.calls["cancel_charge"] += 1
        behavior = self._behavior()
        if self.meanwhile is not None:
            self.meanwhile()
        await asyncio.sleep(0)
        if behavior is Behavior.LOSES_REQUEST:
            raise ProviderUnclearError("No answer within 30 seconds")
        found = next(one for one in self.charges if one.provider_id == provider_id)
        assert found.reference == reference
        if behavior is Behavior.REFUSES or found.status is ChargeStatus.SUCCEEDED:
            raise ProviderRefusedError("It can't be cancelled")
        if found.status is not ChargeStatus.FAILED:
            decline = Decline("canceled", "Cancelled", is_soft=True)
            ended = replace(found, status=ChargeStatus.FAILED, decline=decline, action_url=None)
            self.charges[self.charges.index(found)] = ended
        if behavior is Behavior.LOSES_ANSWER:
            raise ProviderUnclearError("502 Bad Gateway")

    async def start_agreement(self, access: Access, asked: AgreementRequest) -> AgreementPage:
        assert access.keys or access.account
        self.calls["start_agreement"] += 1
        return AgreementPage(f"https://provider.example/{asked.reference}", f"session_{asked.reference}")

    async def find_agreement(self, access: Access, provider_id: str) -> Agreement | None:
        assert access.keys or access.account
        card = Card("XXXX XXXX XXXX 4242", "visa", 12, 2031)
        return Agreement(provider_id=provider_id, status=AgreementStatus.ACTIVE, card=card)

    async def cancel_agreement(self, access: Access, agreement_id: str) -> None:
        assert access.keys or access.account
        self.calls[f"cancel {agreement_id}"] += 1

    async def refund(self, access: Access, asked: RefundRequest) -> ProviderRefund:
        assert access.keys or access.account
        self.calls["refund"] += 1
        behavior = self._behavior()
        await asyncio.sleep(0)
        if behavior is Behavior.REFUSES:
            raise ProviderRefusedError("The charge was disputed")
        if behavior is Behavior.LOSES_REQUEST:
            raise ProviderUnclearError("No answer within 30 seconds")
        status, decline = _OUTCOMES.get(behavior, (ChargeStatus.SUCCEEDED, None))
        made = ProviderRefund(
            provider_id=f"re_{next(self._ids)}",
            reference=asked.reference,
            charge_id=asked.charge_id,
            status=status,
            amount=asked.amount,
            currency=asked.currency,
            decline=decline,
        )
        self.refunds.append(made)
        if behavior is Behavior.LOSES_ANSWER:
            raise ProviderUnclearError("502 Bad Gateway")
        return replace(made, amount=made.amount + 1) if behavior is Behavior.MISUNDERSTANDS else made

    async def find_refund(self, access: Access, charge_id: str, reference: str) -> ProviderRefund | None:
        assert access.keys or access.account
        self.calls["find_refund"] += 1
        if self.is_silent:
            raise ProviderUnclearError("500 Internal Server Error")
        found = [one for one in self.refunds if (one.charge_id, one.reference) == (charge_id, reference)]
        return found[0] if found else None

    async def find_dispute(self, access: Access, provider_id: str) -> ProviderDispute | None:
        assert access.keys or access.account
        return self.disputes.get(provider_id)

    async def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        assert access.keys or access.account
        for one in self.charges:
            if one.status is ChargeStatus.SUCCEEDED:
                yield Movement(
                    provider_id=f"mv_{one.provider_id}",
                    type=MovementType.CHARGE,
                    amount=one.amount,
                    fee=Decimal(0),
                    currency=one.currency,
                    at=min(max(since, until), until),
                    reference=one.reference,
                )

    def read_event(self, access: Access, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """`id subject what` with the key in a header: as simple as a signature gets."""
        if headers.get("x-signature") != access.keys.get("webhookSecret"):
            raise SignatureError("The signature is wrong")
        event_id, subject, about = body.decode().split()
        return ProviderEvent(
            id=event_id, type=f"{subject}.changed", subject=Subject(subject), provider_id=about, reference=about
        )
