"""JSON Lines and CSV: rows that say what `POST /v2/journal-entries` says."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries import rules as entry_rules
from ledgerbee.ledger.entries.model import IMPORT_SOURCE, EntryInput
from ledgerbee.ledger.entries.rules import Books
from ledgerbee.ledger.entries.store.books import load_books
from ledgerbee.ledger.imports import row_wire, rules, store
from ledgerbee.ledger.imports.formats import CsvReader, DialectReader, JsonlReader, Row, RowReader
from ledgerbee.ledger.imports.model import (
    CHUNK_BYTES,
    CHUNK_BYTES_DECODED,
    CHUNK_ENTRIES,
    CHUNK_LINES,
    WITHOUT_END,
    CsvDialect,
    ImportFormat,
    JournalImport,
    Place,
    Reached,
    Refusal,
    Turn,
    TurnOverError,
)
from ledgerbee.ledger.imports.run import Chunk, CompletedRow, Rows, chunk_of
from ledgerbee.ledger.imports.source import Source
from ledgerbee.ledger.periods.model import Span
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CompanySession
from ledgerbee.platform.steps import STRIDE, in_steps
from ledgerbee.tenancy.company import store as companies

#: Rows from the fast decoder that are worked on before others get their turn; each of the others takes about as long.
_TURN: Final = 10
#: Bytes of a file that are looked through before other tasks of the process get their turn.
TURN_BYTES: Final = 16 * 1024
#: Bytes that are looked through at least before a run ends between two rows, which are worth a second.
LEAST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _EnteredRows:
    """The rows of a file, read, completed and prepared chunk by chunk: CSV if it has a dialect, else JSON Lines."""

    session: CompanySession
    state: JournalImport
    source: Source
    csv_dialect: CsvDialect | None
    base_currency: str
    summary: Mapping[str, Any] | None
    turn: Turn

    async def chunks(self, start: Place) -> AsyncIterator[Chunk]:
        """The file's rows from `start` on, completed. Raises `TurnOverError` where the turn ends without any."""
        async for rows in self._batches(start):
            yield await self._completed(rows)

    async def _batches(self, start: Place) -> AsyncIterator[list[Row]]:
        at, begun, reader = start.position, *self._reader(start)
        batch, quiet = _Batch(begun), 0
        async for piece in pieces_of(self.source, begun.position):
            quiet += len(piece)
            for row in reader.feed(piece):
                batch.add(row)
                quiet = 0
                if len(batch.rows) % _TURN == 0 or not batch.is_fast:
                    await asyncio.sleep(0)
                if row.after is not None and batch.is_full(row.after):
                    yield batch.rows
                    batch, at = _Batch(row.after), row.after.position
            if quiet < LEAST_BYTES or not self.turn.is_over():
                continue
            if batch.rows:
                after = batch.rows[-1].after
                if after is not None:
                    yield batch.rows
                    batch, at = _Batch(after), after.position
            elif (held := reader.held()) is not None and held[0].position > begun.position:
                raise TurnOverError(Reached(at, held[0], kept=held[1]))
        rows = [*batch.rows, *reader.end()]
        if rows:
            yield rows

    def _reader(self, start: Place) -> tuple[Place, RowReader]:
        """Where reading begins, and what reads from there, for an import at `start`."""
        reached = self.turn.reached_from(start)
        if reached is not None and reached.settling is not None:  # the file was settled since
            reached = None
        if self.csv_dialect is None:
            begin = reached.place if reached is not None else start
            return begin, JsonlReader(begin)
        begin, kept = (reached.place, reached.kept) if reached is not None else (start, None)
        begin = begin if begin.position else self.csv_dialect.first
        return begin, CsvReader(self.csv_dialect, self.base_currency, begin, kept)

    async def _completed(self, rows: Sequence[Row]) -> Chunk:
        """What the books make of a batch."""
        wanted = rules.References()
        async for row in in_steps(rows, _weight):
            row_wire.collect(row.content, wanted)

        # Only there amounts may be of shares and hours. Elsewhere such a currency is a slip of the pen.
        is_of_beancount = self.state.format is ImportFormat.BEANCOUNT
        model = row_wire.BookedEntryRequest if is_of_beancount else row_wire.ImportedEntryRequest

        async def look_up(context: Context) -> tuple[list[EntryInput | Refusal], Books]:
            directory = await store.load_directory(context, wanted)
            found = [await _entered(row, directory, self.state.opens, model) async for row in in_steps(rows, _weight)]
            return found, await load_books(context, [one for one in found if isinstance(one, EntryInput)])

        entered, books = await self.session.read(look_up)
        moment, company_id = self.session.clock(), self.session.tenant.company_id
        completed = []
        async for row, entry in in_steps(zip(rows, entered, strict=True), lambda pair: _weight(pair[0])):
            if isinstance(entry, Refusal):
                completed.append(CompletedRow(row.line, entry, row.after))
                continue
            try:
                rules.check_vat_once(entry, books.vat_codes)
                to_post = entry_rules.entry_to_post(entry, books, new_id())
            except LedgerBeeError as fault:
                completed.append(CompletedRow(row.line, rules.refusal_of(row.line, fault), row.after))
                continue
            to_post = replace(to_post, source_type=IMPORT_SOURCE, source_id=self.state.id)
            completed.append(CompletedRow(row.line, entries.hash_entry(company_id, moment, to_post), row.after))
        return chunk_of(moment, completed)


async def rows_of(
    session: CompanySession,
    state: JournalImport,
    source: Source,
    *,
    summary: Mapping[str, Any] | None = None,
    turn: Turn = WITHOUT_END,
) -> Rows:
    """The rows of an import's file; `summary` is what is reported at the end.

    A CSV file that is read for the first time is looked through to its end before, and what that settles is kept.

    Raises `JOURNAL_IMPORT_UNREADABLE`, and `TurnOverError` when the turn is over before the file is looked through.
    """
    dialect, base_currency = None, ""
    if state.format is ImportFormat.CSV:
        dialect = state.csv_dialect or await _settle(session, state, source, turn)
        base_currency = (await session.read(companies.get)).base_currency
    return _EnteredRows(session, state, source, dialect, base_currency, summary, turn)


async def _settle(session: CompanySession, state: JournalImport, source: Source, turn: Turn) -> CsvDialect:
    """Look through a CSV file and keep how it is to be read. Raises `UnreadableFileError` and `TurnOverError`."""
    reached = turn.reached_from(state.place)
    start, known = (reached.place, reached.settling) if reached is not None else (state.place, None)
    reader = DialectReader(state.csv_options, start, known)
    read = 0
    async for piece in pieces_of(source, start.position):
        reader.feed(piece)
        read += len(piece)
        if read >= LEAST_BYTES and turn.is_over() and reader.place.position > start.position:
            raise TurnOverError(Reached(state.place.position, reader.place, settling=reader.known))
        if reader.is_settled:
            break
    dialect = reader.end()
    await session.write(lambda context: store.settle(context, state.id, dialect))
    return dialect


class _Batch:
    """Rows that are completed and posted together."""

    def __init__(self, start: Place) -> None:
        self.rows: list[Row] = []
        self.is_fast = True
        self._start = start
        self._lines = 0

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.is_fast = self.is_fast and isinstance(row.content, row_wire.FastRow)
        self._lines += _lines_of(row)

    def is_full(self, after: Place) -> bool:
        """Whether the batch is to end at the place `after` its last row."""
        return (
            len(self.rows) >= CHUNK_ENTRIES
            or self._lines >= CHUNK_LINES
            or after.position - self._start.position >= (CHUNK_BYTES if self.is_fast else CHUNK_BYTES_DECODED)
        )


async def pieces_of(source: Source, position: int) -> AsyncIterator[bytes]:
    """A file a little at a time: a piece may be nothing but empty lines, which take long and give no row."""
    async for block in source.blocks(position):
        for begin in range(0, len(block), TURN_BYTES):
            yield block[begin : begin + TURN_BYTES]
            await asyncio.sleep(0)


async def _entered(
    row: Row, directory: rules.Directory, opens: Span, model: type[row_wire.ImportedEntryRequest]
) -> EntryInput | Refusal:
    """The entry of a row, or what is kept of its fault: an exception would hold on to all that validation found."""
    if isinstance(row.content, LedgerBeeError):
        return rules.refusal_of(row.line, row.content)
    try:
        if row_wire.is_large(row.content):
            entered = await row_wire.entered_in_steps(row.content, directory, model)
        else:
            entered = row_wire.entered(row.content, directory, model)
        rules.check_postable(entered, directory, opens)
    except LedgerBeeError as fault:
        return rules.refusal_of(row.line, fault)
    return entered


def _lines_of(row: Row) -> int:
    if isinstance(row.content, row_wire.FastRow):
        return len(row.content.amounts)
    lines = row.content.get("lines") if isinstance(row.content, dict) else None
    return len(lines) if isinstance(lines, list) else 1


def _weight(row: Row) -> int:
    """Of the things between two turns of others (`steps.STRIDE`), how many a row counts for."""
    return max(_lines_of(row), STRIDE // _TURN if isinstance(row.content, row_wire.FastRow) else STRIDE)
