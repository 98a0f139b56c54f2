"""Rows of deliveries and their attempts."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter
from ledgerbee.sales.delivery.model import (
    DELIVERY_NOT_FOUND,
    Attempt,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    DeliveryType,
    Outcome,
)
from ledgerbee.sales.documents.model import DocumentKind

_SELECT: Final = f"SELECT {rows.columns(Delivery)} FROM deliveries WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_DOCUMENT: Final = "document_type = $2 AND document_id = $3"
_LATEST: Final = f"{_SELECT} AND {_OF_DOCUMENT} ORDER BY created_at DESC, id DESC LIMIT 1"
_STATUSES: Final = (
    "SELECT document_id, status FROM deliveries"
    " WHERE company_id = $1 AND document_type = $2 AND document_id = ANY($3) AND is_latest"
)
_WITH_STATUS: Final = (
    "t.id IN (SELECT d.document_id FROM deliveries d WHERE d.company_id = $1 AND d.document_type = '{kind}'"
    " AND d.is_latest AND d.status = {{}})"
)
_SUPERSEDE: Final = (
    "UPDATE deliveries SET is_latest = false"
    " WHERE company_id = $1 AND document_type = $2 AND document_id = ANY($3) AND is_latest"
)
_INSERT: Final = rows.insert_many("deliveries", Delivery)
_SET_STATUS: Final = "UPDATE deliveries SET status = $3, updated_at = $4 WHERE company_id = $1 AND id = $2"
_ATTEMPTS: Final = (
    f"SELECT {rows.columns(Attempt, 'a')} FROM delivery_attempts a"
    " JOIN deliveries d ON d.company_id = a.company_id AND d.id = a.delivery_id"
    " WHERE a.company_id = $1 AND d.document_type = $2 AND d.document_id = $3 ORDER BY a.at, a.id"
)
_INSERT_ATTEMPT: Final = rows.insert("delivery_attempts", Attempt, "delivery_id")


async def insert_many(context: Context, deliveries: Sequence[Delivery], *, is_first: bool = False) -> None:
    """Add deliveries of documents of one kind: from now on each is the newest of its document.

    With `is_first` they are known to be the documents' first.
    """
    if not is_first:
        ids = [delivery.document_id for delivery in deliveries]
        await context.connection.execute(_SUPERSEDE, context.company_id, deliveries[0].document_type, ids)
    await context.connection.execute(_INSERT, context.company_id, *rows.column_values(deliveries))


async def get(context: Context, delivery_id: DeliveryId) -> Delivery:
    """One delivery. Raises `DELIVERY_NOT_FOUND`."""
    return _delivery(
        DELIVERY_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, delivery_id))
    )


async def get_for_update(context: Context, delivery_id: DeliveryId) -> Delivery:
    """One delivery, locked until the transaction ends. Raises `DELIVERY_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, delivery_id)
    return _delivery(DELIVERY_NOT_FOUND.unless(row))


async def latest_of(context: Context, kind: DocumentKind, document_id: UUID) -> Delivery | None:
    """The newest delivery of a document, if it was ever sent."""
    row = await context.connection.fetchrow(_LATEST, context.company_id, kind, document_id)
    return _delivery(row) if row else None


async def statuses_of(context: Context, kind: DocumentKind, document_ids: Sequence[UUID]) -> dict[UUID, DeliveryStatus]:
    """Where the newest delivery of each document stands; those that were never sent are left out."""
    found = await context.connection.fetch(_STATUSES, context.company_id, kind, document_ids)
    return {row["document_id"]: DeliveryStatus(row["status"]) for row in found}


def narrow(filters: Filter, kind: DocumentKind, status: DeliveryStatus) -> None:
    """Narrow a list of documents of a kind to those whose newest delivery stands there."""
    filters.add(_WITH_STATUS.format(kind=kind.value), status)


async def attempts_of(context: Context, kind: DocumentKind, document_id: UUID) -> list[Attempt]:
    """Every attempt to deliver a document, oldest first."""
    found = await context.connection.fetch(_ATTEMPTS, context.company_id, kind, document_id)
    return [Attempt(**{**row, "outcome": Outcome(row["outcome"])}) for row in found]


async def set_status(context: Context, delivery_id: DeliveryId, status: DeliveryStatus) -> None:
    """Move a delivery on."""
    await context.connection.execute(_SET_STATUS, context.company_id, delivery_id, status, context.now)


async def insert_attempt(context: Context, delivery_id: DeliveryId, attempt: Attempt) -> None:
    """Add an attempt to a delivery's log."""
    await context.connection.execute(_INSERT_ATTEMPT, context.company_id, delivery_id, *rows.values(attempt))


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        **{
            **row,
            "document_type": DocumentKind(row["document_type"]),
            "delivery_type": DeliveryType(row["delivery_type"]),
            "status": DeliveryStatus(row["status"]),
        }
    )
