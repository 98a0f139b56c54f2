"""Rows of payouts, of what moved at providers, and of looks at their lists."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.payments.payouts.model import (
    PAYOUT_NOT_FOUND,
    Difference,
    DifferenceKind,
    Payout,
    PayoutId,
    PayoutMovement,
    PayoutStatus,
    Reconciliation,
)
from ledgerbee.payments.providers.model import MovementType, ProviderName
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_PAYOUT: Final = f"SELECT {rows.columns(Payout)} FROM payouts WHERE company_id = $1"
_INSERT_PAYOUT: Final = rows.insert("payouts", Payout)
_UPDATE_PAYOUT: Final = rows.update(
    "payouts", Payout, fixed=("provider", "provider_id", "amount", "currency", "paid_at", "paid_on", "created_at")
)
_PENDING: Final = f"{_PAYOUT} AND provider = $2 AND status = 'pending' ORDER BY paid_at, id"
_NAMES: Final = "SELECT provider_id FROM payouts WHERE company_id = $1 AND provider = $2 AND provider_id = ANY($3)"
_PAID: Final = f"{_NAMES} AND status = 'paid'"

_MOVEMENT: Final = f"SELECT {rows.columns(PayoutMovement)} FROM payout_movements WHERE company_id = $1"
_INSERT_MOVEMENTS: Final = rows.insert_many("payout_movements", PayoutMovement)
_KNOWN: Final = f"{_MOVEMENT} AND provider = $2 AND provider_id = ANY($3)"
_OF_PAYOUT: Final = f"{_MOVEMENT} AND payout_id = $2 ORDER BY moved_at, id"
#: Those that name a payout, its own among them.
_NAMED: Final = f"""
{_MOVEMENT} AND provider = $2 AND payout_name = $3 AND currency = $4 AND payout_id IS NULL
ORDER BY moved_at, id
"""
#: What no payout is said to have paid out.
_LOOSE: Final = f"""
{_MOVEMENT} AND provider = $2 AND currency = $3 AND payout_id IS NULL AND payout_name IS NULL AND moved_at <= $4
ORDER BY moved_at, id
"""
_NAME: Final = """
UPDATE payout_movements m SET payout_name = r.name, updated_at = $4 FROM unnest($2::uuid[], $3::text[]) r (id, name)
WHERE m.company_id = $1 AND m.id = r.id AND m.payout_name IS NULL AND m.payout_id IS NULL
"""
_SETTLE: Final = """
UPDATE payout_movements m SET payout_id = $2, charge_id = r.charge_id, refund_id = r.refund_id,
    dispute_id = r.dispute_id, account_id = r.account_id, cleared_amount = r.cleared_amount,
    base_amount = r.base_amount, unidentified_amount = r.unidentified_amount, updated_at = $11
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::numeric[], $9::numeric[], $10::numeric[])
    r (id, charge_id, refund_id, dispute_id, account_id, cleared_amount, base_amount, unidentified_amount)
WHERE m.company_id = $1 AND m.id = r.id
"""
#: Nobody else takes movements of the provider until the transaction ends.
_HOLD: Final = "SELECT FROM payment_providers WHERE company_id = $1 AND name = $2 FOR NO KEY UPDATE"
_FACTS: Final = f"""
SELECT co.base_currency, co.preferred_language AS language, ({journal_categories.FOR_TYPE}) AS journal_category_id
FROM companies co WHERE co.company_id = $1
"""
_LEFT: Final = """
SELECT coalesce(sum(left_amount), 0), coalesce(sum(left_base_amount), 0) FROM payouts
WHERE company_id = $1 AND clearing_account_id = $2 AND currency = $3 AND provider = $4 AND status = 'paid'
"""
#: What a dispute was booked at when it was lost, less what it was paid out at before, by the rate of that day.
_LOST_SINCE: Final = """
SELECT coalesce(sum(r.base_amount + r.base_fee + o.base_amount), 0)
FROM payout_movements o
JOIN payouts p ON p.company_id = $1 AND p.id = o.payout_id AND p.clearing_account_id = $2
JOIN charge_returns r ON r.company_id = $1 AND r.dispute_id = o.dispute_id
WHERE o.company_id = $1 AND o.provider = $4 AND o.currency = $3 AND o.type = 'dispute'
    AND (r.currency, r.amount + r.fee) = (o.currency, -o.cleared_amount)
"""
_OLDEST_LOOSE: Final = """
SELECT min(moved_at) FROM payout_movements
WHERE company_id = $1 AND provider = $2 AND payout_id IS NULL AND type <> 'payout'
"""
_SELECT_LIST: Final = (
    f"SELECT {rows.columns(Payout, 't')} FROM page p JOIN payouts t ON t.company_id = p.company_id AND t.id = p.id"
)

_LOOK: Final = f"SELECT {rows.columns(Reconciliation)} FROM reconciliations WHERE company_id = $1 AND provider = $2"
_LAST_LOOK: Final = f"{_LOOK} ORDER BY created_at DESC, id DESC LIMIT 1"
_LAST_UNTIL: Final = (
    "SELECT max(until) FROM reconciliations WHERE company_id = $1 AND provider = $2 AND failure IS NULL"
)
_INSERT_LOOK: Final = rows.insert("reconciliations", Reconciliation)
#: Whether anything was charged that may be paid out.
_IS_DUE: Final = """
SELECT EXISTS (SELECT FROM payment_providers WHERE company_id = $1 AND is_enabled)
   AND EXISTS (SELECT FROM charges WHERE company_id = $1 AND status = 'succeeded')
"""


@dataclass(frozen=True, slots=True)
class _DifferenceRow:
    """A row of `reconciliation_differences`."""

    reconciliation_id: UUID
    position: int
    kind: DifferenceKind
    charge_id: UUID | None
    movement_id: str | None
    movement_type: MovementType | None
    object_id: str | None
    reference: str | None
    amount: Decimal | None
    provider_amount: Decimal | None
    currency: str


_INSERT_DIFFERENCES: Final = rows.insert_many("reconciliation_differences", _DifferenceRow)
_DIFFERENCES: Final = f"""
SELECT {rows.columns(Difference)} FROM reconciliation_differences
WHERE company_id = $1 AND reconciliation_id = $2 ORDER BY position
"""


async def hold(context: Context, provider: ProviderName) -> None:
    """Keep everybody else from taking movements of a provider until the transaction ends."""
    await context.connection.execute(_HOLD, context.company_id, provider)


async def find_known(
    context: Context, provider: ProviderName, provider_ids: Collection[str]
) -> dict[str, PayoutMovement]:
    """The movements that were taken before, by the provider's ids."""
    found = await context.connection.fetch(_KNOWN, context.company_id, provider, list(provider_ids))
    return {row["provider_id"]: _movement(row) for row in found}


async def insert_movements(context: Context, movements: Sequence[PayoutMovement]) -> None:
    if movements:
        await context.connection.execute(_INSERT_MOVEMENTS, context.company_id, *rows.column_values(movements))


async def name_payouts(context: Context, names: dict[UUID, str]) -> None:
    """Write which payouts movements were paid out with, of those that didn't say so before."""
    if names:
        await context.connection.execute(_NAME, context.company_id, list(names), list(names.values()), context.now)


async def list_of_payout(context: Context, payout: Payout) -> list[PayoutMovement]:
    """The movements of a payout, oldest first, its own among them: of one that isn't booked those that name it."""
    if payout.status is PayoutStatus.PAID:
        found = await context.connection.fetch(_OF_PAYOUT, context.company_id, payout.id)
    else:
        found = await context.connection.fetch(
            _NAMED, context.company_id, payout.provider, payout.provider_id, payout.currency
        )
    return [_movement(row) for row in found]


async def list_loose(context: Context, payout: Payout) -> list[PayoutMovement]:
    """What moved until a payout was made, and no payout is said to have paid out."""
    found = await context.connection.fetch(_LOOSE, context.company_id, payout.provider, payout.currency, payout.paid_at)
    return [_movement(row) for row in found]


async def settle_movements(context: Context, payout_id: PayoutId, movements: Sequence[PayoutMovement]) -> None:
    """Write what movements were booked as, with a payout."""
    await context.connection.execute(
        _SETTLE,
        context.company_id,
        payout_id,
        [one.id for one in movements],
        [one.charge_id for one in movements],
        [one.refund_id for one in movements],
        [one.dispute_id for one in movements],
        [one.account_id for one in movements],
        [one.cleared_amount for one in movements],
        [one.base_amount for one in movements],
        [one.unidentified_amount for one in movements],
        context.now,
    )


async def taken_names(context: Context, provider: ProviderName, names: Collection[str]) -> set[str]:
    """Which of these names a payout of the provider has."""
    found = await context.connection.fetch(_NAMES, context.company_id, provider, list(names))
    return {row["provider_id"] for row in found}


async def paid_names(context: Context, provider: ProviderName, names: Collection[str]) -> set[str]:
    """Which of these names a payout has that is booked."""
    found = await context.connection.fetch(_PAID, context.company_id, provider, list(names))
    return {row["provider_id"] for row in found}


async def insert(context: Context, payout: Payout) -> None:
    await context.connection.execute(_INSERT_PAYOUT, context.company_id, *rows.values(payout))


async def update(context: Context, payout: Payout) -> None:
    await context.connection.execute(_UPDATE_PAYOUT, context.company_id, *rows.values(payout))


async def get(context: Context, payout_id: PayoutId) -> Payout:
    """One payout. Raises `PAYOUT_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_PAYOUT} AND id = $2", context.company_id, payout_id)
    return _payout(PAYOUT_NOT_FOUND.unless(row))


async def list_pending(context: Context, provider: ProviderName) -> list[Payout]:
    """Payouts that aren't booked, oldest first."""
    return [_payout(row) for row in await context.connection.fetch(_PENDING, context.company_id, provider)]


async def list_page(
    context: Context, provider: ProviderName | None, status: PayoutStatus | None, asked: PageRequest
) -> Page[Payout]:
    """A page of payouts."""
    filters = Filter()
    if provider is not None:
        filters.add("t.provider = {}", provider)
    if status is not None:
        filters.add("t.status = {}", status)
    found = await fetch_page(
        context,
        table="payouts",
        select=_SELECT_LIST,
        filters=filters,
        order_by={"paidOn": "t.paid_on"},
        request=asked,
    )
    return Page([_payout(row) for row in found.rows], found.total)


@dataclass(frozen=True, slots=True)
class CompanyFacts:
    """What of the company the booking of a payout goes by."""

    base_currency: str
    language: str
    journal_category_id: UUID | None


async def get_facts(context: Context) -> CompanyFacts:
    row = await context.connection.fetchrow(_FACTS, context.company_id, JournalType.JOURNAL_ENTRY, list(JournalType))
    assert row is not None, "a company has its row"
    return CompanyFacts(**row)


async def get_left(
    context: Context, provider: ProviderName, clearing_account_id: UUID, currency: str
) -> tuple[Decimal, Decimal]:
    """What payouts left of their movements on a clearing account, in their currency and the company's.

    A dispute may have been lost after it was paid out, at the rate of another day: the next payout takes the rest.
    """
    row = await context.connection.fetchrow(_LEFT, context.company_id, clearing_account_id, currency, provider)
    assert row is not None, "a sum has its row"
    lost = await context.connection.fetchval(_LOST_SINCE, context.company_id, clearing_account_id, currency, provider)
    return row[0], row[1] - lost


# Looks at providers' lists


async def find_last_until(context: Context, provider: ProviderName) -> datetime | None:
    """Until when the provider has said what moved."""
    found: datetime | None = await context.connection.fetchval(_LAST_UNTIL, context.company_id, provider)
    return found


async def find_oldest_loose(context: Context, provider: ProviderName) -> datetime | None:
    """When the oldest thing moved that isn't paid out."""
    found: datetime | None = await context.connection.fetchval(_OLDEST_LOOSE, context.company_id, provider)
    return found


async def find_last_look(context: Context, provider: ProviderName) -> Reconciliation | None:
    """The newest look at a provider's list."""
    row = await context.connection.fetchrow(_LAST_LOOK, context.company_id, provider)
    return None if row is None else Reconciliation(**{**row, "provider": ProviderName(row["provider"])})


async def list_differences(context: Context, reconciliation_id: UUID) -> list[Difference]:
    found = await context.connection.fetch(_DIFFERENCES, context.company_id, reconciliation_id)
    return [
        Difference(
            **{
                **row,
                "kind": DifferenceKind(row["kind"]),
                "movement_type": MovementType(row["movement_type"]) if row["movement_type"] else None,
            }
        )
        for row in found
    ]


async def insert_look(context: Context, look: Reconciliation, differences: Sequence[Difference]) -> None:
    """Write a look, and what did not agree."""
    await context.connection.execute(_INSERT_LOOK, context.company_id, *rows.values(look))
    if differences:
        found = [
            _DifferenceRow(
                look.id, place, one.kind, one.charge_id, one.movement_id, one.movement_type, one.object_id,
                one.reference, one.amount, one.provider_amount, one.currency,
            )
            for place, one in enumerate(differences, 1)
        ]  # fmt: skip
        await context.connection.execute(_INSERT_DIFFERENCES, context.company_id, *rows.column_values(found))


async def is_due(context: Context) -> bool:
    """Whether anything may have been paid out."""
    return bool(await context.connection.fetchval(_IS_DUE, context.company_id))


def _payout(row: asyncpg.Record) -> Payout:
    found = {**row, "status": PayoutStatus(row["status"]), "provider": ProviderName(row["provider"])}
    return Payout(**found)


def _movement(row: asyncpg.Record) -> PayoutMovement:
    return PayoutMovement(**{**row, "type": MovementType(row["type"]), "provider": ProviderName(row["provider"])})
