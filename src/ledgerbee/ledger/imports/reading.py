"""From an import to its rows: which reader a format has."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from ledgerbee.ledger.imports.beancount.rows import open_books
from ledgerbee.ledger.imports.beancount.syntax import Include, SyntaxProblemError, parse
from ledgerbee.ledger.imports.entered import EnteredRows
from ledgerbee.ledger.imports.model import JOURNAL_IMPORT_UNREADABLE, ImportFormat, JournalImport
from ledgerbee.ledger.imports.run import Means, Rows
from ledgerbee.ledger.imports.source import Source


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

    Raises `JOURNAL_IMPORT_UNREADABLE`.
    """
    if state.format is not ImportFormat.BEANCOUNT:
        return EnteredRows(means, source, state.format, state.opens)
    content = b"".join([block async for block in source.blocks(0)])
    try:
        books = await asyncio.to_thread(parse, content.decode(), include)
    except UnicodeDecodeError:
        raise JOURNAL_IMPORT_UNREADABLE.error("The file is not UTF-8") from None
    return await open_books(means, state, books, numbers or {})


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
