"""Carrying an import of usage out: read a chunk, report it and note the progress in one transaction; again and again.

What ends it in the middle (a kill, a lost database) leaves it where its last commit was, and the next run goes on from
there.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from ledgerbee.billing.usage import actions as usage
from ledgerbee.billing.usage.actions.events import UNATTRIBUTED
from ledgerbee.billing.usage.model import Recorded, UsageReport
from ledgerbee.billing.usage.wire import KeyedUsageRequest
from ledgerbee.billing.usage_imports import rules, store
from ledgerbee.billing.usage_imports.actions import emit_completed, emit_failed
from ledgerbee.billing.usage_imports.headings import USAGE
from ledgerbee.billing.usage_imports.model import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    USAGE_IMPORT_BUSY,
    USAGE_IMPORT_INVALID_STATE,
    USAGE_IMPORT_UNREADABLE,
    FileRow,
    UsageImport,
    UsageImportId,
)
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.http.hints import with_hints
from ledgerbee.http.validation import validation_error
from ledgerbee.ledger.imports.entered import LEAST_BYTES, pieces_of
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.model import (
    CsvDialect,
    ImportStatus,
    Place,
    Reached,
    Refusal,
    Turn,
    TurnOverError,
    UnreadableFileError,
)
from ledgerbee.ledger.imports.rules import refusal_of
from ledgerbee.ledger.imports.source import Parts
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CompanySession, NameTakenError
from ledgerbee.platform.steps import STRIDE, in_steps


async def carry_out(session: CompanySession, import_id: UsageImportId, turn: Turn) -> UsageImport:
    """Carry an import out from where it stands; as it stands at the end, which is not over when the turn was.

    One process at a time: raises `USAGE_IMPORT_BUSY` when another is at it, `USAGE_IMPORT_INVALID_STATE` when it is
    over or is cancelled meanwhile, and `TurnOverError` when the turn was over before the file was looked through.
    """
    try:
        async with session.database.exclusive(f"usage import {session.company_id} {import_id}") as alone:
            begun = await session.write(lambda context: store.begin(context, import_id))
            try:
                return await _run(
                    replace(session, database=alone), begun, Parts(import_id, session.read, store.TABLES), turn
                )
            except LedgerBeeError as fault:
                if fault.is_passing or fault.error_code is USAGE_IMPORT_INVALID_STATE:
                    raise
                return await session.write(partial(_fail, import_id, fault))  # it would again, in the same way
    except NameTakenError:
        raise USAGE_IMPORT_BUSY.error() from None


async def end_unforeseen(session: CompanySession, import_id: UsageImportId, why: str) -> None:
    """End an import that does not get on, for the reason given. What was taken in stays."""

    async def work(context: Context) -> None:
        found = await store.get(context, import_id)
        if not found.is_over:
            text = f"{why} The lines up to {found.place.line - 1} are done."
            emit_failed(context, found, await store.end(context, import_id, ImportStatus.FAILED, text))

    await session.write(work)


async def _run(session: CompanySession, state: UsageImport, source: Parts, turn: Turn) -> UsageImport:
    if state.csv_dialect is None:
        state = await _settle(session, state, source, turn)
    dialect = state.csv_dialect
    assert dialect is not None
    reader, rows, quiet = rules.UsageReader(dialect, state.place), list[FileRow](), 0
    async for piece in pieces_of(source, state.place.position):
        quiet += len(piece)
        for row in reader.feed(piece):
            rows.append(row)
            if len(rows) >= CHUNK_ROWS or row.after.position - state.place.position >= CHUNK_BYTES:
                state, rows, quiet = await _report(session, state, dialect, rows, row.after), [], 0
                if turn.is_over():
                    return state
        if quiet >= LEAST_BYTES and turn.is_over():
            place = rows[-1].after if rows else reader.place
            return await _report(session, state, dialect, rows, place)
    rows += reader.end()
    if rows:
        state = await _report(session, state, dialect, rows, rows[-1].after)
    return await session.write(partial(_complete, state))


async def _settle(session: CompanySession, state: UsageImport, source: Parts, turn: Turn) -> UsageImport:
    """Look through a file and keep how it is to be read. Raises `UnreadableFileError` and `TurnOverError`."""
    reached = turn.reached_from(state.place)
    start, known = (reached.place, reached.settling) if reached is not None else (state.place, None)
    reader, read = DialectReader(state.csv_options, start, known, USAGE), 0
    async for piece in pieces_of(source, start.position):
        reader.feed(piece)
        read += len(piece)
        if read >= LEAST_BYTES and turn.is_over() and reader.place.position > start.position:
            raise TurnOverError(Reached(state.place.position, reader.place, settling=reader.known))
    dialect = reader.end()
    return await session.write(lambda context: store.settle(context, state.id, dialect))


async def _report(
    session: CompanySession, state: UsageImport, dialect: CsvDialect, rows: Sequence[FileRow], after: Place
) -> UsageImport:
    """Report a chunk of rows, keep what is refused of it, and move the import on."""
    unattributed = 0

    async def work(context: Context) -> UsageImport:
        nonlocal unattributed
        customers = await store.customers(context, rules.numbers_in(rows))
        reports, lines = list[UsageReport](), list[int]()
        refusals = list[Refusal]()
        async for row in in_steps(rows, lambda _: STRIDE // 10):
            body = rules.body_of(row, dialect.decimal_mark, customers)
            found = body if isinstance(body, LedgerBeeError) else _report_of(body, context)
            if isinstance(found, LedgerBeeError):
                refusals.append(refusal_of(row.line, found))
            else:
                reports.append(found)
                lines.append(row.line)
        recorded = list[Recorded]()
        for line, outcome in zip(lines, await _outcomes(context, reports), strict=True):
            if isinstance(outcome, LedgerBeeError):
                refusal = refusal_of(line, outcome)
                refusals.append(
                    refusal if refusal.property else Refusal(line, refusal.code, "idempotencyKey", refusal.message)
                )
            else:
                recorded.append(outcome)
        unattributed = sum(one.is_unattributed for one in recorded)
        duplicates = sum(one.is_duplicate for one in recorded)
        refusals.sort(key=lambda one: one.line)
        return await store.advance(context, state, after, len(recorded) - duplicates, duplicates, refusals)

    moved = await session.write(work)
    UNATTRIBUTED.inc(unattributed)
    return moved


async def _outcomes(context: Context, reports: Sequence[UsageReport]) -> Sequence[Recorded | LedgerBeeError]:
    return await usage.report([context] * len(reports), reports) if reports else []


def _report_of(body: dict[str, Any], context: Context) -> UsageReport | LedgerBeeError:
    """The report that a row is, or what is wrong with it, as a batch would say it."""
    try:
        request = KeyedUsageRequest.model_validate(body)
        return request.reported(request.idempotency_key, context.company_now)
    except ValidationError as fault:
        problems = with_hints(KeyedUsageRequest, fault.errors())
        return validation_error([{**problem, "loc": ("body", *problem["loc"])} for problem in problems])
    except LedgerBeeError as fault:
        return fault


async def _fail(import_id: UsageImportId, fault: LedgerBeeError, context: Context) -> UsageImport:
    """End an import that can't go on, and keep the lines that show why."""
    before = await store.get(context, import_id)
    seen = fault.refusals if isinstance(fault, UnreadableFileError) else ()
    refusals = [Refusal(one.line, USAGE_IMPORT_UNREADABLE.code, one.property, one.message) for one in seen]
    failed = await store.end(context, import_id, ImportStatus.FAILED, fault.message, refusals)
    emit_failed(context, before, failed)
    return failed


async def _complete(state: UsageImport, context: Context) -> UsageImport:
    ended = await store.end(context, state.id, ImportStatus.COMPLETED)
    emit_completed(context, state, ended)
    return ended
