"""Rows of deliveries and their attempts."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.model import (
    DELIVERY_NOT_FOUND,
    Attempt,
    Delivery,
    DeliveryStatus,
    DeliveryType,
    Outcome,
)
from ledgerbee.sales.documents.model import DocumentKind

_COLUMNS: Final = ", ".join(field.name for field in fields(Delivery))


async def insert(context: Context, delivery: Delivery) -> None:
    """Add a delivery: from now on it is the newest of its document."""
    await context.connection.execute(
        "UPDATE deliveries SET is_latest = false"
        " WHERE company_id = $1 AND document_type = $2 AND document_id = $3 AND is_latest",
        context.company_id,
        delivery.document_type,
        delivery.document_id,
    )
    await context.connection.execute(
        f"INSERT INTO deliveries (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        context.company_id,
        *(getattr(delivery, field.name) for field in fields(Delivery)),
    )


async def get(context: Context, delivery_id: UUID, *, for_update: bool = False) -> Delivery:
    """One delivery, on request locked until the transaction ends. Raises `DELIVERY_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM deliveries WHERE company_id = $1 AND id = $2{' FOR UPDATE' if for_update else ''}",
        context.company_id,
        delivery_id,
    )
    if row is None:
        raise DELIVERY_NOT_FOUND.error()
    return _delivery(row)


async def latest_of(context: Context, kind: DocumentKind, document_id: UUID) -> Delivery | None:
    """The newest delivery of a document, if it was ever sent."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM deliveries WHERE company_id = $1 AND document_type = $2 AND document_id = $3"
        " ORDER BY created_at DESC, id DESC LIMIT 1",
        context.company_id,
        kind,
        document_id,
    )
    return _delivery(row) if row else None


async def statuses_of(context: Context, kind: DocumentKind, document_ids: Sequence[UUID]) -> dict[UUID, DeliveryStatus]:
    """Where the newest delivery of each document stands; those that were never sent are left out."""
    rows = await context.connection.fetch(
        "SELECT document_id, status FROM deliveries"
        " WHERE company_id = $1 AND document_type = $2 AND document_id = ANY($3) AND is_latest",
        context.company_id,
        kind,
        document_ids,
    )
    return {row["document_id"]: DeliveryStatus(row["status"]) for row in rows}


async def attempts_of(context: Context, kind: DocumentKind, document_id: UUID) -> list[Attempt]:
    """Every attempt to deliver a document, oldest first."""
    rows = await context.connection.fetch(
        "SELECT a.id, a.at, a.channel, a.recipient, a.outcome, a.message, a.provider_id FROM delivery_attempts a"
        " JOIN deliveries d ON d.company_id = a.company_id AND d.id = a.delivery_id"
        " WHERE a.company_id = $1 AND d.document_type = $2 AND d.document_id = $3 ORDER BY a.at, a.id",
        context.company_id,
        kind,
        document_id,
    )
    return [Attempt(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows]


async def set_status(context: Context, delivery_id: UUID, status: DeliveryStatus) -> None:
    """Move a delivery on."""
    await context.connection.execute(
        "UPDATE deliveries SET status = $3, updated_at = $4 WHERE company_id = $1 AND id = $2",
        context.company_id,
        delivery_id,
        status,
        context.now,
    )


async def insert_attempt(context: Context, delivery_id: UUID, attempt: Attempt) -> None:
    """Add an attempt to a delivery's log."""
    await context.connection.execute(
        "INSERT INTO delivery_attempts (company_id, delivery_id, id, at, channel, recipient, outcome, message,"
        " provider_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        context.company_id,
        delivery_id,
        attempt.id,
        attempt.at,
        attempt.channel,
        attempt.recipient,
        attempt.outcome,
        attempt.message,
        attempt.provider_id,
    )


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        id=row["id"],
        document_type=DocumentKind(row["document_type"]),
        document_id=row["document_id"],
        delivery_type=DeliveryType(row["delivery_type"]),
        recipient=row["recipient"],
        status=DeliveryStatus(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
