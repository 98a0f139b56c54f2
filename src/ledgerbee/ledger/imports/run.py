"""Carrying an import out: read a chunk, complete it, post it with the progress in one transaction; again and again.

While the database posts one chunk the next is read and completed. What ends it in the middle (a kill, a lost
database) leaves it where its last commit was, and the next run goes on from there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries.actions import HashedEntry, PostingBatch
from ledgerbee.ledger.entries.store.posting import post
from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.actions import emit_failed
from ledgerbee.ledger.imports.model import (
    JOURNAL_IMPORT_BUSY,
    JOURNAL_IMPORT_INVALID_STATE,
    ImportId,
    ImportStatus,
    JournalImport,
    Place,
    Refusal,
    TurnOverError,
    UnreadableFileError,
)
from ledgerbee.ledger.periods import actions as periods
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CompanySession, NameTakenError

T = TypeVar("T")

Progress = Callable[[JournalImport], None]


class CompletedRow(Struct, frozen=True, gc=False):
    """One row after it was completed: the line it begins on, and what is ready to post or what is wrong."""

    line: int
    outcome: HashedEntry | Refusal
    after: Place | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are posted together at `moment`: the last of them has a place after it, `batch` the entries of all."""

    moment: datetime
    rows: Sequence[CompletedRow]
    batch: PostingBatch

    @property
    def after(self) -> Place:
        place = self.rows[-1].after
        assert place is not None, "a chunk ends where reading can go on"
        return place

    @property
    def good_places(self) -> list[int]:
        """The places of the rows that are ready to post."""
        return [place for place, row in enumerate(self.rows) if isinstance(row.outcome, HashedEntry)]


def chunk_of(moment: datetime, rows: Sequence[CompletedRow]) -> Chunk:
    """The chunk of these rows, ready to post."""
    good = [row.outcome for row in rows if isinstance(row.outcome, HashedEntry)]
    return Chunk(moment, rows, entries.posting_batch(good))


class Rows(Protocol):
    """What a format makes of a file."""

    def chunks(self, start: Place) -> AsyncIterator[Chunk]:
        """The file's rows from `start` on, completed.

        Raises `JOURNAL_IMPORT_UNREADABLE` for what is no such file, `TurnOverError` where a turn ends without a row.
        """
        ...

    @property
    def summary(self) -> Mapping[str, Any] | None:
        """What is reported when all is posted."""
        ...


RowsOf = Callable[[JournalImport], Awaitable[Rows]]


class Begun(NamedTuple):
    """An import to carry out here. `places` says where each line of its file comes from, if from another one."""

    import_id: ImportId
    rows_of: RowsOf
    places: Sequence[str] = ()


async def carry_out(
    session: CompanySession,
    import_id: ImportId,
    rows_of: RowsOf,
    *,
    progress: Progress = lambda _: None,
    is_time_over: Callable[[], bool] = lambda: False,
) -> JournalImport:
    """Carry an import out from where it stands; as it stands at the end, which is not over when the time was.

    One process at a time: raises `JOURNAL_IMPORT_BUSY` when another is at it, and `JOURNAL_IMPORT_INVALID_STATE` when
    it is over or is cancelled meanwhile; `TurnOverError` when the time was over and there was nothing to post.
    """
    try:
        async with session.database.exclusive(f"import {session.tenant.company_id} {import_id}") as alone:
            begun = await session.write(lambda context: store.begin(context, import_id))
            run = _Run(replace(session, database=alone), begun)
            try:
                return await run.all(await rows_of(run.state), progress, is_time_over)
            except LedgerBeeError as fault:
                if fault.is_passing or fault.error_code is JOURNAL_IMPORT_INVALID_STATE:
                    raise
                return await session.write(partial(_fail, import_id, fault))  # it would again, in the same way
    except NameTakenError:
        raise JOURNAL_IMPORT_BUSY.error() from None


async def _fail(import_id: ImportId, fault: LedgerBeeError, context: Context) -> JournalImport:
    """End an import that can't go on, and keep the lines that show why."""
    before = await store.get(context, import_id)
    failed = await store.end(context, import_id, ImportStatus.FAILED, f"{fault.message} ({fault.code})")
    emit_failed(context, before, failed)
    refusals = fault.refusals if isinstance(fault, UnreadableFileError) else ()
    if not refusals:
        return failed
    await store.add_errors(context, import_id, refusals, failed.error_count)
    return await store.count_errors(context, import_id, len(refusals))


async def end_unforeseen(session: CompanySession, import_id: ImportId, reason: str) -> JournalImport:
    """End an import that does not get on, for the reason given, which starts a sentence. What it posted stays."""

    async def work(context: Context) -> JournalImport:
        found = await store.get(context, import_id)
        if found.is_over:
            return found
        why = (
            f"{reason[:1].upper()}{reason[1:]} behind line {found.place.line - 1}; the lines up to there are"
            f" done. The log of the program has the error under request {context.request_id}."
        )
        ended = await store.end(context, import_id, ImportStatus.FAILED, why)
        emit_failed(context, found, ended)
        return ended

    return await session.write(work)


class _Run:
    """One run of an import. `alone` has the connection that posts."""

    def __init__(self, alone: CompanySession, state: JournalImport) -> None:
        self.alone = alone
        self.state = state
        #: Set once a chunk is with the database.
        self.sent = asyncio.Event()

    async def all(self, rows: Rows, progress: Progress, is_time_over: Callable[[], bool]) -> JournalImport:
        """Post chunk by chunk."""
        posting: asyncio.Task[None] | None = None
        try:
            async for chunk in rows.chunks(self.state.place):
                if posting is not None:
                    await posting
                    progress(self.state)
                self.sent.clear()
                posting = asyncio.create_task(self._post(chunk))
                await self._is_sent(posting)
                if is_time_over():
                    await posting
                    return self.state
            if posting is not None:
                await posting
        except TurnOverError:
            if posting is not None:
                await posting
            raise
        finally:
            # Also what has failed by now: where reading failed with it, nobody else asks why.
            if posting is not None:
                posting.cancel()
                await asyncio.gather(posting, return_exceptions=True)
        self.state = await self.alone.write(lambda context: self._complete(context, rows.summary))
        progress(self.state)
        return self.state

    async def _is_sent(self, posting: "asyncio.Task[None]") -> None:
        """Until the database has the chunk: from then on it works, and so can we, on the next."""
        sent = asyncio.create_task(self.sent.wait())
        try:
            await asyncio.wait([sent, posting], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sent.cancel()

    async def _post(self, chunk: Chunk) -> None:
        """Post a chunk; what the database refuses is taken out of it, and the rest posted."""
        while True:
            try:
                self.state = await self.alone.write(partial(self._record, chunk), chunk.moment)
            except LedgerBeeError as fault:
                if fault.is_passing or fault.error_code is JOURNAL_IMPORT_INVALID_STATE:
                    raise
                guilty = _guilty(chunk, fault)
                if guilty is None:
                    for half in _halves(chunk):
                        await self._post(half)
                    return
                chunk = guilty
            else:
                return

    async def _record(self, chunk: Chunk, context: Context) -> JournalImport:
        """Post a chunk's good rows, keep its bad ones and move the import on."""
        count = len(chunk.batch.entries)
        refusals = [row.outcome for row in chunk.rows if isinstance(row.outcome, Refusal)]
        state, after = self.state, chunk.after
        errors_before = await store.advance(context, state.id, state.place, after, count, len(refusals))
        await store.add_errors(context, state.id, refusals, errors_before)
        await store.delete_parts_read(context, state.id, state.place, after)
        if count:
            paths = [str(place) for place in chunk.good_places]
            await periods.open_years_for(context, {entry.date for entry in chunk.batch.entries})
            self.sent.set()
            places = await post(context, chunk.batch.entries, chunk.batch.arguments, paths)
            _emit_posted(context, state.id, [entry.id for entry in chunk.batch.entries], places.first_position)
        return replace(
            state,
            place=after,
            entries_posted=state.entries_posted + count,
            error_count=state.error_count + len(refusals),
        )

    async def _complete(self, context: Context, summary: Mapping[str, Any] | None) -> JournalImport:
        """The end: what the import posted, and how many rows it refused."""
        ended = await store.end(context, self.state.id, ImportStatus.COMPLETED, summary=summary)
        context.emit(
            "journal_import.completed",
            ended.id,
            {"importId": str(ended.id), "entriesPosted": ended.entries_posted, "errorCount": ended.error_count},
        )
        return ended


def _emit_posted(context: Context, import_id: ImportId, entry_ids: Sequence[UUID], first_position: int) -> None:
    """Entries of a chunk of an import were posted: which, and the first and last of their chain positions."""
    context.emit(
        "journal_import.posted",
        import_id,
        {
            "importId": str(import_id),
            "entries": len(entry_ids),
            "entryIds": [str(entry_id) for entry_id in entry_ids],
            "firstPosition": first_position,
            "lastPosition": first_position + len(entry_ids) - 1,
        },
    )


def _guilty(chunk: Chunk, fault: LedgerBeeError) -> Chunk | None:
    """The chunk with the row that the refusal names refused; None if it names none."""
    first, _, rest = str(fault.details.get("property", "")).partition(".")
    if not first.isdigit():
        if len(chunk.good_places) > 1:
            return None
        first, rest = str(chunk.good_places[0]), ""
    rows = list(chunk.rows)
    row = rows[int(first)]
    rows[int(first)] = CompletedRow(row.line, Refusal(row.line, fault.code, rest, fault.message), row.after)
    return chunk_of(chunk.moment, rows)


def _halves(chunk: Chunk) -> tuple[Chunk, Chunk]:
    """Two chunks of it, cut where reading can go on."""
    cuts = [index + 1 for index, row in enumerate(chunk.rows[:-1]) if row.after is not None]
    middle = cuts[len(cuts) // 2]
    return chunk_of(chunk.moment, chunk.rows[:middle]), chunk_of(chunk.moment, chunk.rows[middle:])
