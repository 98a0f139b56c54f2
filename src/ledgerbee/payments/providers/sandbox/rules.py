"""What the provider that is built in decides. Pure."""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

from ledgerbee.core.money import minor_units, round_to
from ledgerbee.payments.providers.model import (
    AgreementStatus,
    ChargeStatus,
    Decline,
    DisputeStatus,
    Movement,
    MovementType,
    ProviderEvent,
    ProviderRefusedError,
    SignatureError,
    Subject,
)
from ledgerbee.payments.providers.sandbox.model import (
    DISPUTE_LIFE,
    PAGE_LIFE,
    SANDBOX_EVENT_INVALID_STATE,
    TEST_CARDS,
    Behavior,
    EventType,
    SandboxCard,
    SandboxCharge,
    SandboxEvent,
    SandboxNumber,
    SandboxRefund,
)

#: What the provider keeps of each charge: a share, and a fixed part by currency.
FEE_RATE: Final = Decimal("0.014")
FIXED_FEES: Final[Mapping[str, Decimal]] = {"DKK": Decimal("1.80")}
_OTHER_FIXED_FEE: Final = Decimal("0.25")
#: Of a charge that was cancelled before its owner had confirmed it.
CANCELLED: Final = "cancelled"
#: What a declined charge says. The words are for the company.
DECLINES: Final[Mapping[str, Decline]] = {
    one.code: one
    for one in (
        Decline("insufficient_funds", "The card has too little on its account", is_soft=True),
        Decline("stolen_card", "The card is reported as stolen", is_soft=False),
        Decline("authentication_failed", "The card's owner did not confirm the payment", is_soft=False),
        Decline(CANCELLED, "The payment was cancelled before it was confirmed", is_soft=False),
    )
}
#: The header that has the signature of an event.
SIGNATURE: Final = "sandbox-signature"
#: Years that a saved card is valid for.
_VALIDITY: Final = 3
FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 4


def card_of(number: str) -> SandboxNumber | None:
    """The test card with a number as somebody types it; None for every other number."""
    digits = "".join(number.split()).replace("-", "")
    return next((card for card in TEST_CARDS if card.number == digits), None)


def can_be_saved(card: SandboxNumber) -> bool:
    """Whether the provider takes a test card."""
    return card.behavior is not Behavior.REFUSED


def grouped(number: str) -> str:
    """A number as it is printed on cards."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def saved(card: SandboxCard, test_card: SandboxNumber, now: datetime) -> SandboxCard:
    """A card that its owner has saved. It ends in three years, or with this month."""
    year = now.year if test_card.behavior is Behavior.EXPIRES_SOON else now.year + _VALIDITY
    return replace(
        card,
        status=AgreementStatus.ACTIVE,
        behavior=test_card.behavior,
        mask=f"•••• {test_card.number[-4:]}",
        type=test_card.type,
        expiry_month=now.month,
        expiry_year=year,
        updated_at=now,
    )


def fee_of(amount: Decimal, currency: str) -> Decimal:
    """What the provider keeps of a charge: 1.4 % and 1.80 in DKK, 0.25 in other currencies."""
    fixed = FIXED_FEES.get(currency, _OTHER_FIXED_FEE)
    return min(amount, round_to(amount * FEE_RATE + fixed, minor_units(currency)))


def charged(charge: SandboxCharge, behavior: Behavior, earlier: int) -> SandboxCharge:
    """A new charge as it comes out, by how its card behaves and how many charges of it there were."""
    code = {
        Behavior.SOFT_DECLINE: "insufficient_funds",
        Behavior.SOFT_DECLINE_ONCE: None if earlier else "insufficient_funds",
        Behavior.HARD_DECLINE: "stolen_card",
    }.get(behavior)
    if code is not None:
        return replace(charge, status=ChargeStatus.FAILED, decline_code=code)
    if behavior is Behavior.REQUIRES_ACTION:
        return replace(charge, status=ChargeStatus.REQUIRES_ACTION)
    is_disputed = behavior in {Behavior.DISPUTE_LOST, Behavior.DISPUTE_WON}
    disputed_at = charge.created_at if is_disputed else None
    return replace(charge, status=ChargeStatus.SUCCEEDED, disputed_at=disputed_at)


def answered(charge: SandboxCharge, *, is_confirmed: bool, now: datetime) -> SandboxCharge:
    """A charge that its owner has confirmed, or refused to."""
    if is_confirmed:
        return replace(charge, status=ChargeStatus.SUCCEEDED, updated_at=now)
    return replace(charge, status=ChargeStatus.FAILED, decline_code="authentication_failed", updated_at=now)


def as_of(charge: SandboxCharge, now: datetime) -> SandboxCharge:
    """A charge by a moment: what its owner has not confirmed for as long as its page opens has failed."""
    if charge.status is not ChargeStatus.REQUIRES_ACTION or now < charge.created_at + PAGE_LIFE:
        return charge
    return answered(charge, is_confirmed=False, now=now)


def cancelled(charge: SandboxCharge, now: datetime) -> SandboxCharge:
    """A charge that is cancelled: what its owner was to confirm has failed. One that has ended stays as it is."""
    charge = as_of(charge, now)
    if charge.status is not ChargeStatus.REQUIRES_ACTION:
        return charge
    return replace(charge, status=ChargeStatus.FAILED, decline_code=CANCELLED, updated_at=now)


def dispute_status(charge: SandboxCharge, behavior: Behavior | None, now: datetime) -> DisputeStatus:
    """How the dispute of a charge stands: it is decided a week after it was raised, and lost with most cards."""
    assert charge.disputed_at is not None, "asked of a disputed charge"
    if now < charge.disputed_at + DISPUTE_LIFE:
        return DisputeStatus.OPEN
    return _end_of_dispute(behavior)


def _end_of_dispute(behavior: Behavior | None) -> DisputeStatus:
    return DisputeStatus.WON if behavior is Behavior.DISPUTE_WON else DisputeStatus.LOST


def disputed(charge: SandboxCharge, behavior: Behavior | None, type_: EventType, now: datetime) -> SandboxCharge:
    """A charge whose dispute begins or ends by an event, or `SANDBOX_EVENT_INVALID_STATE`:

    | charge | `dispute.opened` | `dispute.won`, `dispute.lost` |
    | --- | --- | --- |
    | not succeeded | refused | refused |
    | not disputed | disputed from now on | refused |
    | disputed | as it is | decided now, where its card's disputes end so; else refused |
    | dispute decided | as it is | as it is: the event is late, or wrong |

    The week of a dispute that is decided now is over now.
    """
    if charge.status is not ChargeStatus.SUCCEEDED:
        raise SANDBOX_EVENT_INVALID_STATE.in_state(charge.status, "Only a charge that succeeded is disputed")
    if type_ is EventType.DISPUTE_OPENED:
        return replace(charge, disputed_at=now) if charge.disputed_at is None else charge
    if charge.disputed_at is None:
        raise SANDBOX_EVENT_INVALID_STATE.in_state(charge.status, "The charge is not disputed")
    if dispute_status(charge, behavior, now) is not DisputeStatus.OPEN:
        return charge
    end = _end_of_dispute(behavior)
    if type_.value != f"dispute.{end}":
        raise SANDBOX_EVENT_INVALID_STATE.in_state(DisputeStatus.OPEN, f"Disputes of this card are {end}")
    return replace(charge, disputed_at=now - DISPUTE_LIFE)


# The account at the provider


def movements_of(
    charges: Iterable[tuple[SandboxCharge, Behavior | None]],
    refunds: Iterable[tuple[SandboxRefund, SandboxCharge]],
    now: datetime,
) -> list[Movement]:
    """All that has moved on the account by `now`, oldest first.

    What moved on a day (UTC) is paid out at the end of it, in each currency by itself, where it is above zero; what
    isn't waits for the day that makes it so.
    """
    by_day: dict[tuple[str, date], list[Movement]] = defaultdict(list)
    for one in [*_charge_movements(charges, now), *_refund_movements(refunds)]:
        by_day[one.currency, one.at.date()].append(one)
    found: list[Movement] = []
    waiting: dict[str, list[Movement]] = defaultdict(list)
    for currency, day in sorted(by_day):
        ones = [*waiting.pop(currency, []), *by_day[currency, day]]
        at = datetime.combine(day + timedelta(days=1), time(), UTC)
        total = sum((one.amount - one.fee for one in ones), Decimal(0))
        if total <= 0 or at > now:
            waiting[currency] = ones
            continue
        payout_id = f"payout_{day:%Y%m%d}_{currency}"
        found += [replace(one, payout_id=payout_id) for one in ones]
        found.append(
            Movement(
                provider_id=payout_id,
                type=MovementType.PAYOUT,
                amount=-total,
                fee=Decimal(0),
                currency=currency,
                at=at,
                object_id=payout_id,
                payout_id=payout_id,
            )
        )
    found += [one for ones in waiting.values() for one in ones]
    return sorted(found, key=lambda one: (one.at, one.provider_id))


def _charge_movements(charges: Iterable[tuple[SandboxCharge, Behavior | None]], now: datetime) -> Iterator[Movement]:
    for charge, behavior in charges:
        if charge.status is not ChargeStatus.SUCCEEDED:
            continue
        taken = Movement(
            provider_id=f"charge_{charge.id}",
            type=MovementType.CHARGE,
            amount=charge.amount,
            fee=charge.fee,
            currency=charge.currency,
            at=charge.updated_at,
            object_id=str(charge.id),
            reference=charge.reference,
        )
        yield taken
        if charge.disputed_at is not None and dispute_status(charge, behavior, now) is DisputeStatus.LOST:
            yield replace(
                taken,
                provider_id=f"dispute_{charge.id}",
                type=MovementType.DISPUTE,
                amount=-charge.amount,
                fee=Decimal(0),
                at=charge.disputed_at + DISPUTE_LIFE,
            )


def _refund_movements(refunds: Iterable[tuple[SandboxRefund, SandboxCharge]]) -> Iterator[Movement]:
    for refund, charge in refunds:
        yield Movement(
            provider_id=f"refund_{refund.id}",
            type=MovementType.REFUND,
            amount=-refund.amount,
            fee=Decimal(0),
            currency=charge.currency,
            at=refund.created_at,
            object_id=str(refund.id),
            reference=refund.reference,
        )


# Events


def signature_of(secret: str, body: bytes) -> str:
    """The signature of an event's body: HMAC-SHA256, in hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(secret: str, event: SandboxEvent) -> tuple[dict[str, str], bytes]:
    """An event as the provider sends it: headers and body."""
    facts = {"id": str(event.id), "type": event.type, "subject": event.subject, "objectId": event.object_id}
    body = json.dumps({**facts, "reference": event.reference}).encode()
    return {SIGNATURE: signature_of(secret, body)}, body


def read_event(secret: str, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    """What an event says. Raises `SignatureError`, and `ProviderRefusedError` for what can't be read."""
    given = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
    if not hmac.compare_digest(given.encode(), signature_of(secret, body).encode()):
        raise SignatureError("The event is not signed by the sandbox provider")
    try:
        said = json.loads(body)
        return ProviderEvent(
            id=str(said["id"]),
            type=str(said["type"]),
            subject=Subject(said["subject"]),
            provider_id=str(said["objectId"]),
            reference=said.get("reference"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProviderRefusedError("The event can't be read") from None


# Its page


class Answer(StrEnum):
    """What a form of the page asks for."""

    SAVE = "save"
    CONFIRM = "confirm"
    REFUSE = "refuse"


class Notice(StrEnum):
    """Why nothing was done."""

    NOT_FROM_HERE = "not_from_here"
    UNKNOWN_CARD = "unknown_card"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reply:
    """A form as it was sent. `answer` None asks for nothing that there is."""

    answer: Answer | None = None
    number: str = ""
    token: str = ""


def form_token(secret: str) -> str:
    """What a form of the page sends along: only a page that was opened by the link can have it."""
    return hmac.new(secret.encode(), b"sandbox payment form", hashlib.sha256).hexdigest()


def read_reply(content_type: str, body: bytes) -> Reply:
    """A form as it was sent. What can't be read, or says something twice, is a form without anything in it."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return Reply()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Reply()
    fields = dict(pairs)
    answer = fields.get("answer", "")
    if len(fields) < len(pairs) or answer not in set(Answer):
        return Reply()
    return Reply(Answer(answer), fields.get("number", ""), fields.get("token", ""))


def is_from_page(reply: Reply, secret: str) -> bool:
    """Whether a form is one of the page that has this secret."""
    return hmac.compare_digest(reply.token.encode(), form_token(secret).encode())
