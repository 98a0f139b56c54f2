"""From an import to its rows: which reader a format has."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.entered import EnteredRows
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.model import CsvDialect, ImportFormat, JournalImport
from ledgerbee.ledger.imports.run import Means, Rows
from ledgerbee.ledger.imports.source import Source
from ledgerbee.platform.company import store as companies

#: Bytes of a CSV file that are looked through before others get their turn.
_TURN_BYTES: Final = 16 * 1024


async def rows_of(
    means: Means, state: JournalImport, source: Source, *, summary: Mapping[str, Any] | None = None
) -> Rows:
    """The rows of an import's file; `summary` is what is to be told at the end.

    A CSV file that is read for the first time is looked through to its end before, and what that settles is kept.

    Raises `JOURNAL_IMPORT_UNREADABLE`.
    """
    if state.format is ImportFormat.CSV:
        dialect = state.csv_dialect or await _settle(means, state, source)
        company = await means.read(companies.get)
        return EnteredRows(means, state.id, source, state.opens, dialect, company.base_currency)
    return EnteredRows(
        means, state.id, source, state.opens, takes_commodities=state.format is ImportFormat.BEANCOUNT, summary=summary
    )


async def _settle(means: Means, state: JournalImport, source: Source) -> CsvDialect:
    """Look through a CSV file and keep how it is to be read. Raises `UnreadableFileError`."""
    reader = DialectReader(state.csv_options)
    async for block in source.blocks(0):
        for begin in range(0, len(block), _TURN_BYTES):
            reader.feed(block[begin : begin + _TURN_BYTES])
            await asyncio.sleep(0)
        if reader.is_settled:
            break
    dialect = reader.end()
    await means.write(lambda context: store.settle(context, state.id, dialect))
    return dialect
