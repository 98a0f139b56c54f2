"""The further cells that `LEDGERBEE_CELLS` names: of what is wrong with one `serve` warns, and `doctor` reports it."""

import asyncio
import os
from typing import TYPE_CHECKING, Final

from ledgerbee.app.cli import store
from ledgerbee.app.cli.reach import DatabaseUnusableError, connected, unusable
from ledgerbee.platform.cell_mark import WrongDatabaseError
from ledgerbee.platform.db import APPLICATION_ROLE

if TYPE_CHECKING:
    from pathlib import Path

    from ledgerbee.app.cells import FurtherCell
    from ledgerbee.app.config import Settings

#: Seconds that a cell has to answer: those that don't are looked at together.
_PATIENCE_S: Final = 5.0


async def version_of(cell: "FurtherCell", *, claim: bool) -> str:
    """The version of PostgreSQL that a cell has, once it is found to be ready. `claim`: see `FurtherCell.check`.

    Raises `DatabaseUnusableError`: it can't be reached, its login can't be the API's role, its schema is not this
    release's, its mark is another one, or its folder of attached files is another database's.
    """
    setting = f"LEDGERBEE_CELLS, cell {cell.mark}"
    try:
        async with (
            asyncio.timeout(2 * _PATIENCE_S),
            connected(cell.database_url, setting, role=APPLICATION_ROLE, patience=_PATIENCE_S) as connection,
        ):
            await cell.check(connection, claim=claim)
            return await store.get_version(connection)
    except WrongDatabaseError as fault:
        raise unusable(cell.database_url, setting, str(fault)) from fault
    except TimeoutError as fault:
        raise unusable(cell.database_url, setting, "it stopped answering") from fault


async def warnings_of(settings: "Settings", own_folder: "Path") -> dict[str, str]:
    """Why cells are not ready, by their marks; each that is has its folder of attached files from now on."""
    from ledgerbee.app.cells import further_cells

    cells = further_cells(settings, own_folder)
    warnings = await asyncio.gather(*(_warning_of(cell) for cell in cells))
    return {cell.mark: text for cell, text in zip(cells, warnings, strict=True) if text is not None}


async def _warning_of(cell: "FurtherCell") -> str | None:
    try:
        await version_of(cell, claim=True)
    except DatabaseUnusableError as fault:
        return str(fault)
    if cell.folder is not None and not (cell.folder.is_dir() and os.access(cell.folder, os.W_OK | os.X_OK)):
        return f"No files can be attached: {cell.folder} (LEDGERBEE_CELLS, cell {cell.mark}) is no folder to write to."
    return None
