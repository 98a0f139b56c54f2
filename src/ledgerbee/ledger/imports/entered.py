"""JSON Lines and CSV: rows that say what `POST /v2/journal-entries` says."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from msgspec.structs import replace

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries import rules as entry_rules
from ledgerbee.ledger.entries import store as entry_store
from ledgerbee.ledger.entries.model import IMPORT_SOURCE, EnteredEntry, NewEntry
from ledgerbee.ledger.entries.rules import Books
from ledgerbee.ledger.imports import rules, store, wire
from ledgerbee.ledger.imports.formats import CsvReader, JsonlReader, Row, RowReader
from ledgerbee.ledger.imports.model import CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_LINES, CsvDialect, Place
from ledgerbee.ledger.imports.run import Chunk, Completed, Means, chunk_of, refused
from ledgerbee.ledger.imports.source import Source
from ledgerbee.ledger.periods.model import Span
from ledgerbee.platform.context import Context

T = TypeVar("T")

#: Rows that are worked on before others get their turn.
_TURN: Final = 10


@dataclass(frozen=True, slots=True)
class EnteredRows:
    """The rows of a file, read, completed and prepared chunk by chunk: CSV if it has a dialect, else JSON Lines."""

    means: Means
    import_id: UUID
    source: Source
    opens: Span
    csv_dialect: CsvDialect | None = None
    base_currency: str = ""
    #: Whether amounts may be of shares and hours. Elsewhere such a currency is a slip of the pen.
    takes_commodities: bool = False
    summary: Mapping[str, Any] | None = None

    def _of_import(self, entry: NewEntry) -> NewEntry:
        return replace(entry, source_type=IMPORT_SOURCE, source_id=self.import_id)

    async def chunks(self, start: Place) -> AsyncIterator[Chunk]:
        """The file's rows from `start` on, completed."""
        async for rows in self._batches(start):
            yield await self._completed(rows)

    async def _batches(self, start: Place) -> AsyncIterator[list[Row]]:
        reader: RowReader = JsonlReader(start)
        if self.csv_dialect is not None:
            start = start if start.position else self.csv_dialect.first
            reader = CsvReader(self.csv_dialect, self.base_currency, start)
        batch: list[Row] = []
        lines = 0
        async for block in self.source.blocks(start.position):
            for row in reader.feed(block):
                batch.append(row)
                lines += _lines_of(row)
                if len(batch) % _TURN == 0:
                    await asyncio.sleep(0)
                if row.after is not None and (
                    len(batch) >= CHUNK_ENTRIES
                    or lines >= CHUNK_LINES
                    or row.after.position - start.position >= CHUNK_BYTES
                ):
                    yield batch
                    batch, lines, start = [], 0, row.after
        batch.extend(reader.end())
        if batch:
            yield batch

    async def _completed(self, rows: Sequence[Row]) -> Chunk:
        """What the books make of a batch."""
        wanted = rules.References()
        async for some in _in_turns(rows):
            for row in some:
                wire.collect(row.content, wanted)

        model = wire.BookedEntryRequest if self.takes_commodities else wire.ImportedEntryRequest

        async def look_up(context: Context) -> tuple[list[EnteredEntry | LedgerBeeError], Books]:
            directory = await store.load_directory(context, wanted)
            found: list[EnteredEntry | LedgerBeeError] = []
            async for some in _in_turns(rows):
                found += [_entered(row, directory, self.opens, model) for row in some]
            return found, await entry_store.load_books(context, [one for one in found if isinstance(one, EnteredEntry)])

        entered, books = await self.means.read(look_up)
        moment, company_id = self.means.clock(), self.means.tenant.company_id
        completed = []
        async for pairs in _in_turns(list(zip(rows, entered, strict=True))):
            for row, entry in pairs:
                try:
                    if isinstance(entry, LedgerBeeError):
                        raise entry
                    rules.check_vat_once(entry, books.vat_codes)
                    prepared = entries.prepare(
                        company_id, moment, self._of_import(entry_rules.complete(entry, books, new_id()))
                    )
                except LedgerBeeError as fault:
                    completed.append(refused(row.line, fault, row.after))
                else:
                    completed.append(Completed(row.line, prepared, None, row.after))
        return chunk_of(moment, completed)


async def _in_turns(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """A few at a time: in between, the chunk before takes its steps with the database."""
    for start in range(0, len(items), _TURN):
        yield items[start : start + _TURN]
        await asyncio.sleep(0)


def _entered(
    row: Row,
    directory: rules.Directory,
    opens: Span,
    model: type[wire.ImportedEntryRequest] = wire.ImportedEntryRequest,
) -> EnteredEntry | LedgerBeeError:
    try:
        if isinstance(row.content, LedgerBeeError):
            raise row.content
        entered = wire.entered(row.content, directory, model)
        rules.check_postable(entered, directory, opens)
    except LedgerBeeError as fault:
        return fault
    return entered


def _lines_of(row: Row) -> int:
    if isinstance(row.content, wire.PlainRow):
        return len(row.content.amounts)
    lines = row.content.get("lines") if isinstance(row.content, dict) else None
    return len(lines) if isinstance(lines, list) else 1
