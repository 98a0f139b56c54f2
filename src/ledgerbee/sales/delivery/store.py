"""Rows of deliveries and their attempts."""

from collections.abc import Sequence
from functools import cache
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter, fetch_page
from ledgerbee.sales.delivery.model import (
    DELIVERY_NOT_FOUND,
    Attempt,
    Delivery,
    DeliveryId,
    DeliveryInList,
    DeliveryStatus,
    DeliveryType,
    Outcome,
    Recipient,
    RecipientId,
    RecipientStatus,
    SentMessage,
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
    "FROM deliveries d WHERE d.company_id = $1 AND d.document_type = '{kind}' AND d.is_latest AND d.status = {{0}}"
)
_STATUS_OF_ONE: Final = (
    "(SELECT d.status FROM deliveries d"
    " WHERE d.company_id = $1 AND d.document_type = '{kind}' AND d.is_latest AND d.document_id = t.id) = {{0}}"
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
_RECIPIENTS: Final = (
    f"SELECT {rows.columns(Recipient)} FROM delivery_recipients WHERE company_id = $1 AND delivery_id = $2"
    " ORDER BY position"
)
_RECIPIENTS_OF_MANY: Final = (
    f"SELECT {rows.columns(Recipient)} FROM delivery_recipients WHERE company_id = $1 AND delivery_id = ANY($2)"
    " ORDER BY delivery_id, position"
)
_RECIPIENTS_BY_ID: Final = (
    f"SELECT {rows.columns(Recipient)} FROM delivery_recipients WHERE company_id = $1 AND id = ANY($2)"
)
_LIST_PAGE: Final = (
    f"SELECT {rows.columns(Delivery, 'd')}, s.content ->> 'number' AS document_number"
    " FROM page p JOIN deliveries d USING (company_id, id)"
    " JOIN document_snapshots s ON s.company_id = d.company_id AND s.document_id = d.document_id"
)
_SORT_COLUMNS: Final = {"createdAt": "t.created_at"}
_INSERT_RECIPIENTS: Final = rows.insert_many("delivery_recipients", Recipient)
_UPDATE_RECIPIENT: Final = (
    "UPDATE delivery_recipients SET status = $3, reason = $4, updated_at = $5 WHERE company_id = $1 AND id = $2"
)
_MESSAGES: Final = f"SELECT {rows.columns(SentMessage)} FROM sent_messages WHERE company_id = $1 AND id = ANY($2)"
_INSERT_MESSAGE: Final = rows.insert("sent_messages", SentMessage)


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
    filters.choose(_with_status(kind.value), status)


@cache
def _with_status(kind: str) -> Condition:
    documents = _WITH_STATUS.format(kind=kind)
    ids = f"SELECT d.document_id {documents}"
    # The planner makes a join of a plain IN, and then sorts all documents of a company for each page. An array isn't
    # joined, and an index looks its members up; checked row by row it would be read from its start each time. What is
    # within IS TRUE isn't joined either, and is looked up by hash.
    return Condition(
        found=f"t.id = ANY (ARRAY({ids}))",
        checked=_STATUS_OF_ONE.format(kind=kind),
        swept=f"(t.id IN ({ids})) IS TRUE",
        counted=f"SELECT count(*) {documents}",
    )


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


async def insert_recipients(context: Context, recipients: Sequence[Recipient]) -> None:
    """Add recipients of new deliveries."""
    await context.connection.execute(_INSERT_RECIPIENTS, context.company_id, *rows.column_values(recipients))


async def recipients_of(context: Context, delivery_id: DeliveryId) -> tuple[Recipient, ...]:
    """The recipients of a delivery in their order; they change only while the delivery's row is locked."""
    found = await context.connection.fetch(_RECIPIENTS, context.company_id, delivery_id)
    return tuple(_recipient(row) for row in found)


async def list_page(
    context: Context, request: PageRequest, *, status: DeliveryStatus | None, document_type: DocumentKind | None
) -> Page[DeliveryInList]:
    """A page of the newest deliveries of documents of every kind."""
    filters = Filter(always=["t.company_id = $1", "t.is_latest"])
    if status is not None:
        filters.add("t.status = {}", status)
    if document_type is not None:
        filters.add("t.document_type = {}", document_type)
    page = await fetch_page(
        context, table="deliveries", select=_LIST_PAGE, filters=filters, order_by=_SORT_COLUMNS, request=request
    )
    ids = [row["id"] for row in page.rows]
    found = await context.connection.fetch(_RECIPIENTS_OF_MANY, context.company_id, ids)
    recipients: dict[UUID, list[Recipient]] = {delivery_id: [] for delivery_id in ids}
    for row in found:
        recipients[row["delivery_id"]].append(_recipient(row))
    data = [DeliveryInList(_delivery(row), row["document_number"], tuple(recipients[row["id"]])) for row in page.rows]
    return Page(data, page.total)


async def first_recipient(context: Context, ids: Sequence[UUID]) -> Recipient | None:
    """The first of these ids that is a recipient's, as it stands."""
    found = await context.connection.fetch(_RECIPIENTS_BY_ID, context.company_id, ids)
    by_id = {row["id"]: _recipient(row) for row in found}
    return next((by_id[one] for one in ids if one in by_id), None)


async def update_recipient(context: Context, recipient: Recipient) -> None:
    """Write where a recipient stands."""
    await context.connection.execute(
        _UPDATE_RECIPIENT, context.company_id, recipient.id, recipient.status, recipient.reason, recipient.updated_at
    )


async def messages_of(context: Context, recipients: Sequence[Recipient]) -> dict[RecipientId, SentMessage]:
    """The kept mails of recipients, by the recipient; who was not tried yet has none."""
    ids = [one.id for one in recipients]
    found = await context.connection.fetch(_MESSAGES, context.company_id, ids)
    return {row["id"]: SentMessage(**row) for row in found}


async def insert_message(context: Context, message: SentMessage) -> None:
    """Note a mail that lies in the blob store; its blob is leased."""
    await context.connection.execute(_INSERT_MESSAGE, context.company_id, *rows.values(message))


def _recipient(row: asyncpg.Record) -> Recipient:
    return Recipient(**{**row, "status": RecipientStatus(row["status"])})


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        **{
            **{name: row[name] for name in names_of(Delivery)},
            "document_type": DocumentKind(row["document_type"]),
            "delivery_type": DeliveryType(row["delivery_type"]),
            "status": DeliveryStatus(row["status"]),
        }
    )
