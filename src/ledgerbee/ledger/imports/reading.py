"""From an import to its rows: which reader a format has."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.beancount.rows import open_books
from ledgerbee.ledger.imports.beancount.syntax import Include, SyntaxProblemError, parse
from ledgerbee.ledger.imports.entered import EnteredRows
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE, CsvDialect, ImportFormat, JournalImport
from ledgerbee.ledger.imports.run import Means, Rows
from ledgerbee.ledger.imports.source import Source
from ledgerbee.platform.company import store as companies

#: Bytes of a CSV file that are looked through before others get their turn.
_TURN_BYTES: Final = 16 * 1024


def no_includes(name: str, _: str) -> Iterator[tuple[str, str]]:
    """Nothing can be included where one file is all there is."""
    raise SyntaxProblemError(f"{name} can't be included: only one file was sent")


async def rows_of(
    means: Means,
    state: JournalImport,
    source: Source,
    *,
    include: Include = no_includes,
    numbers: Mapping[str, int] | None = None,
) -> Rows:
    """The rows of an import's file. For Beancount: what `include` gives is read too, `numbers` maps accounts.

    A CSV file that is read for the first time is looked through to its end before, and what that settles is kept.

    Raises `JOURNAL_IMPORT_UNREADABLE`.
    """
    if state.format is ImportFormat.JSONL:
        return EnteredRows(means, source, state.opens)
    if state.format is ImportFormat.CSV:
        dialect = state.csv_dialect or await _settle(means, state, source)
        company = await means.read(companies.get)
        return EnteredRows(means, source, state.opens, dialect, company.base_currency)
    content = b"".join([block async for block in source.blocks(0)])
    try:
        books = await asyncio.to_thread(parse, content.decode(), include)
    except UnicodeDecodeError:
        raise JOURNAL_IMPORT_UNREADABLE.error("The file is not UTF-8") from None
    return await open_books(means, state, books, numbers or {})


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


class Folder:
    """Gives the files that Beancount books include, by paths relative to the including file; each once."""

    def __init__(self, main: Path) -> None:
        self._main = main.resolve()
        self.read = {self._main}

    def __call__(self, name: str, including: str) -> Iterator[tuple[str, str]]:
        """Name and text of the files that `name`, which may be a pattern, stands for."""
        folder = (self._main.parent / including).parent if including else self._main.parent
        pattern = Path(name)
        base = Path(pattern.anchor) if pattern.is_absolute() else folder
        found = sorted(base.glob(str(pattern.relative_to(pattern.anchor) if pattern.is_absolute() else pattern)))
        if not found:
            raise SyntaxProblemError(f"there is no file {name}")
        for path in found:
            resolved = path.resolve()
            if resolved in self.read:
                raise SyntaxProblemError(f"{name} is included twice")
            self.read.add(resolved)
            try:
                text = resolved.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as fault:
                raise SyntaxProblemError(f"{name} can't be read: {fault}") from None
            yield str(resolved), text
