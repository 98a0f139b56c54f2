"""Rows of the provider that is built in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.cells import new_secret
from ledgerbee.core.fields import names_of
from ledgerbee.core.ids import new_id
from ledgerbee.payments.providers.model import AgreementStatus, ChargeStatus, Subject
from ledgerbee.payments.providers.sandbox.model import (
    PAGE_LIFE,
    PAGE_PREFIX,
    SANDBOX_EVENT_JOB,
    SANDBOX_PAGE,
    Behavior,
    SandboxCard,
    SandboxCharge,
    SandboxChargeId,
    SandboxEvent,
    SandboxRefund,
)
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, secret_hash

_CARD: Final = f"SELECT {rows.columns(SandboxCard)} FROM sandbox_cards WHERE company_id = $1"
_INSERT_CARD: Final = rows.insert("sandbox_cards", SandboxCard)
_UPDATE_CARD: Final = """
UPDATE sandbox_cards SET status = $3, behavior = $4, mask = $5, type = $6, expiry_month = $7, expiry_year = $8,
    updated_at = $9
WHERE company_id = $1 AND id = $2
"""
_CHARGE: Final = f"SELECT {rows.columns(SandboxCharge)} FROM sandbox_charges WHERE company_id = $1"
_INSERT_CHARGES: Final = rows.insert_many("sandbox_charges", SandboxCharge)
_UPDATE_CHARGE: Final = (
    "UPDATE sandbox_charges SET status = $3, decline_code = $4, disputed_at = $5, updated_at = $6"
    " WHERE company_id = $1 AND id = $2"
)
_EARLIER: Final = (
    "SELECT card_id, count(*) FROM sandbox_charges WHERE company_id = $1 AND card_id = ANY($2) GROUP BY card_id"
)
_REFUND: Final = f"SELECT {rows.columns(SandboxRefund)} FROM sandbox_refunds WHERE company_id = $1"
_INSERT_REFUND: Final = rows.insert("sandbox_refunds", SandboxRefund)
_REFUNDED: Final = "SELECT coalesce(sum(amount), 0) FROM sandbox_refunds WHERE company_id = $1 AND charge_id = $2"
_CHARGES: Final = f"""
SELECT {rows.columns(SandboxCharge, "h")}, c.behavior FROM sandbox_charges h
JOIN sandbox_cards c ON c.company_id = h.company_id AND c.id = h.card_id
WHERE h.company_id = $1 AND h.status = 'succeeded'
"""
_REFUNDS: Final = f"SELECT {rows.columns(SandboxRefund)} FROM sandbox_refunds WHERE company_id = $1"
_EVENT: Final = f"SELECT {rows.columns(SandboxEvent)} FROM sandbox_events WHERE company_id = $1"
_INSERT_EVENTS: Final = rows.insert_many("sandbox_events", SandboxEvent)


async def open_page(context: Context, subject_id: UUID) -> str:
    """Let a page of a card or charge be opened for a day; its secret."""
    secret = new_secret(PAGE_PREFIX, context.cell)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind=SANDBOX_PAGE,
        subject_id=subject_id,
        grant=Grant(scopes=(), ip_allowlist=(), expires_at=context.now + PAGE_LIFE),
    )
    return secret


async def insert_card(context: Context, card: SandboxCard) -> None:
    """Add a card."""
    await context.connection.execute(_INSERT_CARD, context.company_id, *rows.values(card))


async def find_card(context: Context, card_id: UUID) -> SandboxCard | None:
    """A card; None where there is none such."""
    return _card(await context.connection.fetchrow(f"{_CARD} AND id = $2", context.company_id, card_id))


async def lock_card(context: Context, card_id: UUID) -> SandboxCard | None:
    """A card, locked until the transaction ends; None where there is none such."""
    return _card(await context.connection.fetchrow(f"{_CARD} AND id = $2 FOR UPDATE", context.company_id, card_id))


async def find_card_by_reference(context: Context, reference: str) -> SandboxCard | None:
    """The card that was asked for by a reference of ours; None where there is none."""
    return _card(await context.connection.fetchrow(f"{_CARD} AND reference = $2", context.company_id, reference))


async def update_card(context: Context, card: SandboxCard) -> None:
    """Write what can change of a card that is locked."""
    await context.connection.execute(
        _UPDATE_CARD, context.company_id, card.id, card.status, card.behavior, card.mask, card.type,
        card.expiry_month, card.expiry_year, card.updated_at,
    )  # fmt: skip


async def lock_cards(context: Context, card_ids: Collection[UUID]) -> dict[UUID, SandboxCard]:
    """Cards by id, locked until the transaction ends; those that aren't there are left out."""
    found = await context.connection.fetch(
        f"{_CARD} AND id = ANY($2) ORDER BY id FOR UPDATE", context.company_id, card_ids
    )
    return {card.id: card for row in found if (card := _card(row)) is not None}


async def count_charges(context: Context, card_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many charges cards have had; none is left out."""
    found = await context.connection.fetch(_EARLIER, context.company_id, card_ids)
    return {row["card_id"]: row["count"] for row in found}


async def insert_charges(context: Context, charges: Sequence[SandboxCharge]) -> None:
    """Add charges, one at least."""
    await context.connection.execute(_INSERT_CHARGES, context.company_id, *rows.column_values(charges))


async def find_charges_by_reference(context: Context, references: Collection[str]) -> dict[str, SandboxCharge]:
    """Charges that were asked for by references of ours."""
    found = await context.connection.fetch(f"{_CHARGE} AND reference = ANY($2)", context.company_id, references)
    return {charge.reference: charge for row in found if (charge := _charge(row)) is not None}


async def find_charge(context: Context, charge_id: UUID) -> SandboxCharge | None:
    """A charge; None where there is none such."""
    return _charge(await context.connection.fetchrow(f"{_CHARGE} AND id = $2", context.company_id, charge_id))


async def lock_charge(context: Context, charge_id: UUID) -> SandboxCharge | None:
    """A charge, locked until the transaction ends; None where there is none such."""
    return _charge(
        await context.connection.fetchrow(f"{_CHARGE} AND id = $2 FOR UPDATE", context.company_id, charge_id)
    )


async def find_charge_by_reference(context: Context, reference: str) -> SandboxCharge | None:
    """The charge that was asked for by a reference of ours; None where there is none."""
    return _charge(await context.connection.fetchrow(f"{_CHARGE} AND reference = $2", context.company_id, reference))


async def update_charge(context: Context, charge: SandboxCharge) -> None:
    """Write what can change of a charge that is locked."""
    await context.connection.execute(
        _UPDATE_CHARGE, context.company_id, charge.id, charge.status, charge.decline_code, charge.disputed_at,
        charge.updated_at,
    )  # fmt: skip


async def refunded(context: Context, charge_id: SandboxChargeId) -> Any:
    """What was given back of a charge."""
    return await context.connection.fetchval(_REFUNDED, context.company_id, charge_id)


async def insert_refund(context: Context, refund: SandboxRefund) -> None:
    """Add a refund."""
    await context.connection.execute(_INSERT_REFUND, context.company_id, *rows.values(refund))


async def find_refund(context: Context, reference: str) -> SandboxRefund | None:
    """The refund that was asked for by a reference of ours; None where there is none."""
    row = await context.connection.fetchrow(f"{_REFUND} AND reference = $2", context.company_id, reference)
    return SandboxRefund(**row) if row else None


async def list_moved(
    context: Context,
) -> tuple[list[tuple[SandboxCharge, Behavior | None]], list[tuple[SandboxRefund, SandboxCharge]]]:
    """All charges that succeeded, each with how its card behaves, and all refunds, each with its charge."""
    charges = []
    for row in await context.connection.fetch(_CHARGES, context.company_id):
        charge = _charge(row)
        assert charge is not None
        charges.append((charge, Behavior(row["behavior"]) if row["behavior"] else None))
    by_id = {charge.id: charge for charge, _ in charges}
    refunds = [SandboxRefund(**row) for row in await context.connection.fetch(_REFUNDS, context.company_id)]
    return charges, [(refund, by_id[refund.charge_id]) for refund in refunds]


async def tell(
    context: Context, type_: str, subject: Subject, object_id: UUID, reference: str | None, now: datetime
) -> SandboxEvent:
    """Write down an event that the provider has to tell, and have it delivered after the commit."""
    event = SandboxEvent(
        id=new_id(), type=type_, subject=subject.value, object_id=str(object_id), reference=reference, created_at=now
    )
    await tell_many(context, [event])
    return event


async def tell_many(context: Context, events: Sequence[SandboxEvent]) -> None:
    """Write down events (one at least) that the provider has to tell, and have them delivered after the commit."""
    await context.connection.execute(_INSERT_EVENTS, context.company_id, *rows.column_values(events))
    send(context, events)


def send(context: Context, events: Sequence[SandboxEvent]) -> None:
    """Have events delivered after the commit."""
    context.enqueue(SANDBOX_EVENT_JOB, eventIds=[str(event.id) for event in events])


async def find_event(context: Context, event_id: UUID) -> SandboxEvent | None:
    """An event; None where there is none such."""
    row = await context.connection.fetchrow(f"{_EVENT} AND id = $2", context.company_id, event_id)
    return SandboxEvent(**row) if row else None


async def get_events(context: Context, event_ids: Collection[UUID]) -> list[SandboxEvent]:
    """Events, in the order in which they happened."""
    found = await context.connection.fetch(f"{_EVENT} AND id = ANY($2) ORDER BY id", context.company_id, event_ids)
    return [SandboxEvent(**row) for row in found]


def _card(row: asyncpg.Record | None) -> SandboxCard | None:
    if row is None:
        return None
    behavior = Behavior(row["behavior"]) if row["behavior"] else None
    return SandboxCard(**{**row, "status": AgreementStatus(row["status"]), "behavior": behavior})


def _charge(row: asyncpg.Record | None) -> SandboxCharge | None:
    if row is None:
        return None
    found = {name: row[name] for name in names_of(SandboxCharge)}
    return SandboxCharge(**{**found, "status": ChargeStatus(found["status"])})
