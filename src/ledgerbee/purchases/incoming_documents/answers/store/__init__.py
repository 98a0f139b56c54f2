"""Rows of answers to incoming documents, of the statuses of their messages, and of the tries to send them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.purchases.incoming_documents.answers.store import messages
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_ANSWER_NOT_FOUND,
    Answer,
    AnswerAttempt,
    AnswerCode,
    AnswerReason,
    AnswerStatus,
    AttemptOutcome,
    DocumentFormat,
    FullIncomingDocument,
    FullIncomingMessage,
    IncomingDocumentId,
    SentAnswer,
)
from ledgerbee.purchases.incoming_documents.model.messages import IncomingMessage

_SELECT: Final = f"SELECT {rows.columns(Answer)} FROM incoming_answers WHERE company_id = $1"
_OF_DOCUMENTS: Final = f"{_SELECT} AND document_id = ANY ($2) ORDER BY document_id, position"
_OF_MESSAGE: Final = f"{_SELECT} AND message_id = $2"
_GET: Final = f"{_SELECT} AND document_id = $2 AND id = $3"
_FIND: Final = f"{_SELECT} AND id = $2"
_LOCK: Final = f"{_FIND} FOR UPDATE"
_INSERT: Final = rows.insert("incoming_answers", Answer)
_SET_STATUS: Final = "UPDATE incoming_answers SET status = $3, updated_at = $4 WHERE company_id = $1 AND id = $2"
#: Statuses of messages have no position: they wait for nothing, and nothing waits for them.
_BEFORE: Final = f"{_SELECT} AND document_id = $2 AND position < $3 ORDER BY position"
_NEXT: Final = (
    "SELECT id FROM incoming_answers WHERE company_id = $1 AND document_id = $2 AND position > $3"
    " AND status = 'pending' ORDER BY position LIMIT 1"
)
_INSERT_ATTEMPT: Final = rows.insert("incoming_answer_attempts", AnswerAttempt)
_ATTEMPTS: Final = (
    f"SELECT {rows.columns(AnswerAttempt)} FROM incoming_answer_attempts"
    " WHERE company_id = $1 AND answer_id = ANY ($2) ORDER BY answer_id, at, id"
)


async def with_answers(context: Context, documents: Sequence[FullIncomingDocument]) -> list[FullIncomingDocument]:
    """The documents with what was answered to them, and with the messages that brought them, oldest first."""
    ids = [full.document.id for full in documents]
    sent = await _sent(context, await context.connection.fetch(_OF_DOCUMENTS, context.company_id, ids))
    of_message = {one.answer.message_id: one for one in sent if one.answer.message_id is not None}
    of_document = {
        document_id: tuple(found)
        for document_id, found in groupby(
            (one for one in sent if one.answer.message_id is None), lambda one: one.answer.document_id
        )
    }
    came_by = {
        document_id: tuple(FullIncomingMessage(message, of_message.get(message.id)) for message in found)
        for document_id, found in groupby(await messages.of_documents(context, ids), lambda one: one.document_id)
    }
    return [
        replace(
            full,
            answers=of_document.get(full.document.id, ()),
            messages=came_by.get(full.document.id, ()),
        )
        for full in documents
    ]


async def with_status(context: Context, message: IncomingMessage) -> FullIncomingMessage:
    """A message with the status that it got."""
    found = await context.connection.fetch(_OF_MESSAGE, context.company_id, message.id)
    status = await _sent(context, found)
    return FullIncomingMessage(message, status[0] if status else None)


async def get(context: Context, document_id: IncomingDocumentId, answer_id: UUID) -> Answer:
    """An answer to a document. Raises `INCOMING_ANSWER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, document_id, answer_id)
    return _answer(INCOMING_ANSWER_NOT_FOUND.unless(row))


async def find(context: Context, answer_id: UUID) -> Answer:
    """An answer. Raises `INCOMING_ANSWER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_FIND, context.company_id, answer_id)
    return _answer(INCOMING_ANSWER_NOT_FOUND.unless(row))


async def get_for_update(context: Context, answer_id: UUID) -> Answer:
    """An answer, locked until the transaction ends. Raises `INCOMING_ANSWER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, answer_id)
    return _answer(INCOMING_ANSWER_NOT_FOUND.unless(row))


async def before(context: Context, answer: Answer) -> list[SentAnswer]:
    """The answers to the same document that were given before this one, without the tries to send them."""
    if answer.position is None:
        return []
    found = await context.connection.fetch(_BEFORE, context.company_id, answer.document_id, answer.position)
    return [SentAnswer(_answer(row)) for row in found]


async def next_pending(context: Context, answer: Answer) -> UUID | None:
    """The first answer to the same document after this one that waits to be sent; None where none does."""
    found: UUID | None = None
    if answer.position is not None:
        found = await context.connection.fetchval(_NEXT, context.company_id, answer.document_id, answer.position)
    return found


async def insert(context: Context, answer: Answer) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(answer))


async def set_status(context: Context, answer_id: UUID, status: AnswerStatus, now: datetime) -> None:
    await context.connection.execute(_SET_STATUS, context.company_id, answer_id, status, now)


async def insert_attempt(context: Context, attempt: AnswerAttempt) -> None:
    await context.connection.execute(_INSERT_ATTEMPT, context.company_id, *rows.values(attempt))


async def _sent(context: Context, found: Sequence[asyncpg.Record]) -> list[SentAnswer]:
    """Answers with the tries to send them."""
    answers = [_answer(row) for row in found]
    attempts = await _attempts(context, answers)
    return [SentAnswer(one, attempts.get(one.id, ())) for one in answers]


async def _attempts(context: Context, answers: Sequence[Answer]) -> dict[UUID, tuple[AnswerAttempt, ...]]:
    ids = [answer.id for answer in answers]
    if not ids:
        return {}
    found = [
        AnswerAttempt(**{**row, "outcome": AttemptOutcome(row["outcome"])})
        for row in await context.connection.fetch(_ATTEMPTS, context.company_id, ids)
    ]
    return {answer_id: tuple(tries) for answer_id, tries in groupby(found, lambda one: one.answer_id)}


def _answer(row: asyncpg.Record) -> Answer:
    return Answer(
        **{
            **row,
            "answer": None if row["answer"] is None else AnswerCode(row["answer"]),
            "reason": None if row["reason"] is None else AnswerReason(row["reason"]),
            "format": DocumentFormat(row["format"]),
            "status": AnswerStatus(row["status"]),
        }
    )
