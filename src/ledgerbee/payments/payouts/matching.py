"""What of the company's a movement at a provider is: the one place that knows what a provider can pay out of ours.

Something is found by the provider's id of it or by our reference, whatever the movement was brought by.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.money import ZERO
from ledgerbee.payments.charges.model import CHARGE_JOB
from ledgerbee.payments.disputes.model import DISPUTE_JOB
from ledgerbee.payments.payouts.model import OurKind, Ours, OurState, PayoutMovement
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
LEFT JOIN payout_movements o ON o.company_id = $1 AND o.charge_id = c.id
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
#: Disputes have no reference of ours. One that is open may be booked, with its fee, when it is lost; what movements
#: before took off the clearing account for that fee is a fee of a payout where it is won.
_DISPUTES_NAMED: Final = """
SELECT d.id, d.provider_id, d.provider_id AS reference, d.status, -d.amount AS amount, d.currency,
       d.ended_at AS finished_at, CASE WHEN d.status = 'won' THEN 0 ELSE d.fee END AS fee,
       r.clearing_account_id AS account_id, -r.base_amount - r.base_fee AS base_amount, NULL::uuid AS movement_id,
       o.taken, o.base_taken, o.taken_fee
FROM disputes d
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.dispute_id = d.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(o.cleared_amount), 0) AS taken, coalesce(sum(o.base_amount), 0) AS base_taken,
           coalesce(sum(o.amount - o.cleared_amount), 0) AS taken_fee
    FROM payout_movements o WHERE o.company_id = $1 AND o.dispute_id = d.id AND d.status <> 'lost'
) o
WHERE d.company_id = $1 AND d.provider = $2 AND d.provider_id = ANY($3)
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
    """What these movements are of ours, by the movements' ids. Of two of one charge or refund the first is it."""
    found: dict[UUID, Ours] = {}
    for kind in OurKind:
        of_kind = [one for one in movements if _KINDS.get(one.type) is kind]
        if of_kind:
            found |= _matched(kind, of_kind, await _rows(context, provider, kind, of_kind))
    return found


async def _rows(
    context: Context, provider: ProviderName, kind: OurKind, movements: Sequence[PayoutMovement]
) -> list[asyncpg.Record]:
    ids = [one.object_id for one in movements if one.object_id]
    references = [one.reference for one in movements if one.reference]
    if kind is OurKind.DISPUTE:
        return await context.connection.fetch(_DISPUTES_NAMED, context.company_id, provider, ids)
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
        found[movement.id] = _ours(kind, row, is_paid_out=is_others and kind is not OurKind.DISPUTE)
        seen.add(row["id"])
    return found


async def list_charges_since(context: Context, provider: ProviderName, since: datetime) -> list[Ours]:
    """Charges that succeeded and were asked for since a moment: the provider's list has each."""
    rows = await context.connection.fetch(_CHARGES_SINCE, context.company_id, provider, since)
    return [_ours(OurKind.CHARGE, row, is_paid_out=row["movement_id"] is not None) for row in rows]


def look_again(context: Context, ours: Ours) -> None:
    """Have somebody look at something that is under way here and that the provider's list has."""
    if ours.kind is OurKind.CHARGE:
        context.enqueue(CHARGE_JOB, chargeId=str(ours.id))
    elif ours.kind is OurKind.REFUND:
        context.enqueue(REFUND_JOB, refundId=str(ours.id))


def look_for_disputes(
    context: Context, provider: ProviderName, movements: Sequence[PayoutMovement], is_known: Callable[[UUID], bool]
) -> bool:
    """Have disputes looked at that nobody told of; whether there are any."""
    unknown = {
        one.object_id
        for one in movements
        if one.type is MovementType.DISPUTE and one.object_id is not None and not is_known(one.id)
    }
    for dispute_id in sorted(unknown):
        context.enqueue(DISPUTE_JOB, provider=provider.value, disputeId=dispute_id)
    return bool(unknown)


def _ours(kind: OurKind, row: asyncpg.Record, *, is_paid_out: bool) -> Ours:
    known: dict[str, Any] = dict(row)
    state = _STATES[known.pop("status")]
    del known["movement_id"]
    if state is not OurState.BOOKED:
        known |= {"account_id": None, "base_amount": ZERO}
    return Ours(**known, kind=kind, state=state, is_paid_out=is_paid_out)
