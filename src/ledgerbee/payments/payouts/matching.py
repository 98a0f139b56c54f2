"""What of the company's a movement at a provider is: the one place that knows what a provider can pay out of ours.

Something is found by the provider's id of it or by our reference, whatever the movement was brought by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.money import ZERO
from ledgerbee.payments.charges.model import CHARGE_JOB
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.payouts.model import Matches, OurKind, Ours, OurState, PayoutMovement
from ledgerbee.payments.providers.model import MovementType, ProviderName
from ledgerbee.payments.refunds.model import REFUND_JOB
from ledgerbee.platform.context import Context

#: Charges, how each was booked on its clearing account, and whether a payout has it already.
_CHARGE: Final = """
SELECT c.id, c.provider_id, c.reference, c.status, c.amount, c.currency, c.finished_at,
       coalesce(p.account_id, l.account_id) AS account_id,
       coalesce(p.base_amount, 0) + coalesce(l.base_amount, 0) AS base_amount, o.id AS movement_id
FROM charges c
LEFT JOIN payments p ON p.company_id = $1 AND p.id = c.payment_id
LEFT JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = c.unapplied_entry_id AND l.is_debit
LEFT JOIN payout_movements o ON o.company_id = $1 AND o.charge_id = c.id AND o.type = 'charge'
WHERE c.company_id = $1 AND c.provider = $2
"""
_CHARGES_SINCE: Final = f"{_CHARGE} AND c.status = 'succeeded' AND c.created_at >= $3"
_REFUND: Final = """
SELECT f.id, f.provider_id, f.reference, f.status, -f.amount AS amount, f.currency, f.finished_at,
       r.clearing_account_id AS account_id, -r.base_amount AS base_amount, o.id AS movement_id
FROM refunds f
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.refund_id = f.id
LEFT JOIN payout_movements o ON o.company_id = $1 AND o.refund_id = f.id
WHERE f.company_id = $1 AND f.provider = $2
"""
_NAMED: Final = "AND ({0}.provider_id = ANY($3) OR {0}.reference = ANY($4))"
#: The charges that disputes may be of: named themselves, or by a dispute that is known.
_DISPUTED: Final = """
SELECT c.id, c.provider_id, c.reference, c.status, c.amount, c.currency FROM charges c
WHERE c.company_id = $1 AND c.provider = $2 AND (c.provider_id = ANY($3) OR c.reference = ANY($4) OR c.id IN (
    SELECT d.charge_id FROM disputes d WHERE d.company_id = $1 AND d.provider = $2 AND d.provider_id = ANY($3)))
"""
#: All disputes of these charges. One that is open may be booked, with its fee, when it is lost; what movements before
#: (beside those that are asked of) took off the clearing account for that fee is a fee of a payout where it is won.
_DISPUTES: Final = """
SELECT d.id, d.charge_id, d.provider_id, d.status, -d.amount AS amount, d.currency,
       d.ended_at AS finished_at, CASE WHEN d.status = 'won' THEN 0 ELSE d.fee END AS fee,
       r.clearing_account_id AS account_id, coalesce(-r.base_amount - r.base_fee, 0) AS base_amount,
       o.taken, o.base_taken, o.taken_fee, o.times_out, o.times_back
FROM disputes d
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.dispute_id = d.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(o.cleared_amount), 0) AS taken, coalesce(sum(o.base_amount), 0) AS base_taken,
           coalesce(sum(o.amount - o.unidentified_amount - o.cleared_amount), 0) AS taken_fee,
           count(*) FILTER (WHERE o.type = 'dispute') AS times_out,
           count(*) FILTER (WHERE o.type = 'dispute_reversed') AS times_back
    FROM payout_movements o
    WHERE o.company_id = $1 AND o.charge_id = d.charge_id AND o.dispute_id = d.id AND o.id <> ALL($3)
) o
WHERE d.company_id = $1 AND d.charge_id = ANY($2)
ORDER BY d.created_at, d.id
"""
#: What moved of disputes of these charges that the provider hasn't told of, by its id of the dispute if it says that.
_UNTOLD: Final = """
SELECT o.charge_id, CASE WHEN o.charge_object_id IS NOT NULL THEN o.object_id END AS object_id,
       sum(o.cleared_amount) AS taken, sum(o.base_amount) AS base_taken,
       sum(o.amount - o.unidentified_amount - o.cleared_amount) AS taken_fee,
       count(*) FILTER (WHERE o.type = 'dispute') AS times_out,
       count(*) FILTER (WHERE o.type = 'dispute_reversed') AS times_back
FROM payout_movements o
WHERE o.company_id = $1 AND o.charge_id = ANY($2) AND o.type <> 'charge' AND o.dispute_id IS NULL AND o.id <> ALL($3)
GROUP BY 1, 2
"""
_IS_CHARGE_UNKNOWN: Final = """
SELECT EXISTS (SELECT FROM charges WHERE company_id = $1 AND provider = $2 AND provider_id IS NULL
    AND status IN ('pending', 'unclear') AND asked_at IS NOT NULL)
"""
#: Where something stands here, by its own status.
_STATES: Final = {
    "pending": OurState.UNDER_WAY,
    "unclear": OurState.UNDER_WAY,
    "requires_action": OurState.UNDER_WAY,
    "succeeded": OurState.BOOKED,
    "failed": OurState.FAILED,
    "open": OurState.OPEN,
    "won": OurState.OPEN,
    "lost": OurState.BOOKED,
}
_KINDS: Final = {
    MovementType.CHARGE: OurKind.CHARGE,
    MovementType.REFUND: OurKind.REFUND,
    MovementType.DISPUTE: OurKind.DISPUTE,
    MovementType.DISPUTE_REVERSED: OurKind.DISPUTE,
}


async def find_ours(context: Context, provider: ProviderName, movements: Sequence[PayoutMovement]) -> dict[UUID, Ours]:
    """What these movements are of ours, by the movements' ids. Of two of one charge, refund or dispute the first is it.

    A dispute's movement is found by the dispute's id, or by its charge: then the provider may not have told of the
    dispute yet, or never does.
    """
    found: dict[UUID, Ours] = {}
    for kind in (OurKind.CHARGE, OurKind.REFUND):
        of_kind = [one for one in movements if _KINDS.get(one.type) is kind]
        if of_kind:
            found |= _matched(kind, of_kind, await _rows(context, provider, kind, of_kind))
    disputed = [one for one in movements if _KINDS.get(one.type) is OurKind.DISPUTE]
    if disputed:
        found |= _matched_disputes(disputed, await _disputes(context, provider, disputed))
    return found


async def _rows(
    context: Context, provider: ProviderName, kind: OurKind, movements: Sequence[PayoutMovement]
) -> list[asyncpg.Record]:
    ids = [one.object_id for one in movements if one.object_id]
    references = [one.reference for one in movements if one.reference]
    query = _CHARGE + _NAMED.format("c") if kind is OurKind.CHARGE else _REFUND + _NAMED.format("f")
    return await context.connection.fetch(query, context.company_id, provider, ids, references)


def _matched(kind: OurKind, movements: Sequence[PayoutMovement], rows: Sequence[asyncpg.Record]) -> dict[UUID, Ours]:
    by_id = {row["provider_id"]: row for row in rows if row["provider_id"]}
    by_reference = {row["reference"]: row for row in rows}
    found: dict[UUID, Ours] = {}
    seen: set[UUID] = set()
    for movement in movements:
        row = by_reference.get(movement.reference) or by_id.get(movement.object_id)
        if row is None:
            continue
        is_others = row["movement_id"] not in {None, movement.id} or row["id"] in seen
        found[movement.id] = _ours(kind, dict(row), is_paid_out=is_others)
        seen.add(row["id"])
    return found


@dataclass(slots=True)
class _Dispute:
    """A dispute, how often it was taken and came back by other movements; `object_id` is the provider's, if known."""

    ours: Ours
    object_id: str | None
    times_out: int = 0
    times_back: int = 0

    @property
    def is_free_to_go(self) -> bool:
        return not self.times_out

    @property
    def is_free_to_return(self) -> bool:
        return self.times_back < self.times_out and self.ours.state is not OurState.BOOKED


@dataclass(slots=True)
class _DisputedCharge:
    """A charge of ours that movements name, and its disputes: those that were told, and what moved of others."""

    row: asyncpg.Record
    told: list[_Dispute] = field(default_factory=list)
    untold: list[_Dispute] = field(default_factory=list)

    def options(self, movement: PayoutMovement) -> list[_Dispute]:
        """The disputes of it that a movement may be of."""
        told = [one for one in self.told if one.object_id == movement.object_id]
        own_name = None if movement.charge_object_id is None else movement.object_id
        if told or (self.told and own_name is None):
            return told or self.told
        found = [one for one in self.untold if None in {one.object_id, own_name} or one.object_id == own_name]
        if not found:
            found = [_Dispute(self._as_untold(), own_name)]
            self.untold += found
        return found

    def _as_untold(self) -> Ours:
        state = _STATES[self.row["status"]]
        return Ours(
            kind=OurKind.DISPUTE,
            id=self.row["id"],
            provider_id=None,
            reference=self.row["reference"],
            state=OurState.OPEN if state is OurState.BOOKED else state,
            amount=-self.row["amount"],
            currency=self.row["currency"],
            charge_id=self.row["id"],
            is_told=False,
        )

    def add_untold(self, row: asyncpg.Record) -> None:
        """What moved of a dispute that nobody told of."""
        sums = {name: row[name] for name in ("taken", "base_taken", "taken_fee")}
        ours = replace(self._as_untold(), **sums)
        self.untold.append(_Dispute(ours, row["object_id"], row["times_out"], row["times_back"]))

    def add_told(self, row: asyncpg.Record) -> None:
        """A dispute that is known. What is of a charge that isn't booked waits for that."""
        known = {name: value for name, value in row.items() if not name.startswith("times_")}
        ours = _ours(
            OurKind.DISPUTE, {**known, "reference": row["provider_id"], "movement_id": None}, is_paid_out=False
        )
        if _STATES[self.row["status"]] is OurState.UNDER_WAY:
            ours = replace(ours, state=OurState.UNDER_WAY)
        self.told.append(_Dispute(ours, row["provider_id"], row["times_out"], row["times_back"]))


async def _disputes(
    context: Context, provider: ProviderName, movements: Sequence[PayoutMovement]
) -> dict[UUID, _DisputedCharge]:
    ids = [name for one in movements for name in (one.object_id, one.charge_object_id) if name]
    references = [one.reference for one in movements if one.reference]
    rows = await context.connection.fetch(_DISPUTED, context.company_id, provider, ids, references)
    charges = {row["id"]: _DisputedCharge(row) for row in rows}
    own = [one.id for one in movements]
    for row in await context.connection.fetch(_DISPUTES, context.company_id, list(charges), own):
        charges[row["charge_id"]].add_told(row)
    for row in await context.connection.fetch(_UNTOLD, context.company_id, list(charges), own):
        charges[row["charge_id"]].add_untold(row)
    return charges


def _matched_disputes(movements: Sequence[PayoutMovement], charges: Mapping[UUID, _DisputedCharge]) -> dict[UUID, Ours]:
    """What is taken comes before what comes back, and what is booked as a dispute before what claims to be the same."""
    by_name = {name: one for one in charges.values() for name in (one.row["provider_id"], one.row["reference"]) if name}
    by_name |= {dispute.object_id: one for one in charges.values() for dispute in one.told}
    found: dict[UUID, Ours] = {}
    for movement in sorted(
        movements, key=lambda one: (one.type is MovementType.DISPUTE_REVERSED, one.account_id is None)
    ):
        names = (movement.object_id, movement.reference, movement.charge_object_id)
        charge = next((by_name[name] for name in names if name in by_name), None)
        if charge is None:
            continue
        options = charge.options(movement)
        is_back = movement.type is MovementType.DISPUTE_REVERSED
        free = [one for one in options if (one.is_free_to_return if is_back else one.is_free_to_go)]
        alike = [one for one in free if abs(one.ours.amount) == abs(movement.amount)]
        dispute = next(iter(alike or free or options))
        ours = dispute.ours
        if not ours.is_told and movement.currency == ours.currency and ours.amount < movement.amount < 0:
            ours = replace(ours, amount=movement.amount)
        found[movement.id] = replace(ours, is_paid_out=not free)
        if free:
            dispute.times_back += is_back
            dispute.times_out += not is_back
    return found


async def list_charges_since(context: Context, provider: ProviderName, since: datetime) -> list[Ours]:
    """Charges that succeeded and were asked for since a moment: the provider's list has each."""
    rows = await context.connection.fetch(_CHARGES_SINCE, context.company_id, provider, since)
    return [_ours(OurKind.CHARGE, dict(row), is_paid_out=row["movement_id"] is not None) for row in rows]


def look_again(context: Context, ours: Ours) -> None:
    """Have somebody look at something that is under way here and that the provider's list has."""
    if ours.kind is OurKind.CHARGE:
        context.enqueue(CHARGE_JOB, chargeId=str(ours.id))
    elif ours.kind is OurKind.REFUND:
        context.enqueue(REFUND_JOB, refundId=str(ours.id))
    elif ours.charge_id is not None:
        context.enqueue(CHARGE_JOB, chargeId=str(ours.charge_id))


def look_for_disputes(
    context: Context, provider: ProviderName, movements: Sequence[PayoutMovement], ours: Matches
) -> bool:
    """Have disputes looked at that nobody told of; whether there are any."""
    told = {id_ for id_, one in ours.items() if one.is_told}
    unknown = {
        one.object_id
        for one in movements
        if one.type is MovementType.DISPUTE and one.object_id is not None and one.id not in told
    }
    for dispute_id in sorted(unknown):
        context.enqueue(DISPUTE_JOB, provider=provider.value, disputeId=dispute_id)
    return bool(unknown)


async def may_be_under_way(
    context: Context, provider: ProviderName, movements: Sequence[PayoutMovement], ours: Matches
) -> bool:
    """Whether a charge that nobody knows, and that has no reference, may be one whose answer isn't here yet."""
    unknown = any(one.type is MovementType.CHARGE and not one.reference and one.id not in ours for one in movements)
    return unknown and bool(await context.connection.fetchval(_IS_CHARGE_UNKNOWN, context.company_id, provider))


def _ours(kind: OurKind, row: Mapping[str, Any], *, is_paid_out: bool) -> Ours:
    known: dict[str, Any] = dict(row)
    state = _STATES[known.pop("status")]
    del known["movement_id"]
    if state is not OurState.BOOKED:
        known |= {"account_id": None, "base_amount": ZERO}
    return Ours(**known, kind=kind, state=state, is_paid_out=is_paid_out)
