"""From an import to its rows: which reader a format has."""

import asyncio
from collections.abc import Mapping
from typing import Any

from ledgerbee.ledger.imports import entered, store
from ledgerbee.ledger.imports.entered import TURN_BYTES, EnteredRows
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.model import (
    WITHOUT_END,
    CsvDialect,
    ImportFormat,
    JournalImport,
    Reached,
    Turn,
    TurnOverError,
)
from ledgerbee.ledger.imports.run import ImportSession, Rows
from ledgerbee.ledger.imports.source import Source
from ledgerbee.tenancy.company import store as companies


async def rows_of(
    session: ImportSession,
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
    return EnteredRows(session, state, source, dialect, base_currency, summary, turn)


async def _settle(session: ImportSession, state: JournalImport, source: Source, turn: Turn) -> CsvDialect:
    """Look through a CSV file and keep how it is to be read. Raises `UnreadableFileError` and `TurnOverError`."""
    reached = turn.reached_from(state.place)
    start, known = (reached.place, reached.settling) if reached is not None else (state.place, None)
    reader = DialectReader(state.csv_options, start, known)
    read = 0
    async for block in source.blocks(start.position):
        for begin in range(0, len(block), TURN_BYTES):
            reader.feed(block[begin : begin + TURN_BYTES])
            await asyncio.sleep(0)
            read += len(block[begin : begin + TURN_BYTES])
            if read >= entered.LEAST_BYTES and turn.is_over() and reader.place.position > start.position:
                raise TurnOverError(Reached(state.place.position, reader.place, settling=reader.known))
        if reader.is_settled:
            break
    dialect = reader.end()
    await session.write(lambda context: store.settle(context, state.id, dialect))
    return dialect
