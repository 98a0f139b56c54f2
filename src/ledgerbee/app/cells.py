"""Whether a further cell can be served: its schema, its mark, and whose its folder of attached files is."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from ledgerbee.app.cell_settings import CellSettings
from ledgerbee.app.config import Settings
from ledgerbee.platform.blobs import marker
from ledgerbee.platform.cell_mark import WrongDatabaseError
from ledgerbee.platform.connection import Connection

_HAS_TABLES: Final = """
SELECT to_regclass('public.alembic_version') IS NOT NULL AS has_schema,
       to_regclass('public.cell_mark') IS NOT NULL AS has_mark
"""
_FACTS: Final = """
SELECT (SELECT mark FROM public.cell_mark) AS mark, (SELECT version_num FROM public.alembic_version) AS revision
"""


@dataclass(frozen=True, slots=True)
class FurtherCell:
    """A cell that is served beside the process's own. `folder` has its files; None where a bucket has.

    `own_folder` has those of the own cell.
    """

    mark: str
    database_url: str
    folder: Path | None
    own_folder: Path

    async def check(self, connection: Connection, *, claim: bool = True) -> None:
        """Refuse a database that is not this cell's, or not of this release, and a folder of another database.

        The folder becomes this cell's if `claim` says so. Raises `WrongDatabaseError`.
        """
        await self._check_schema(connection)
        if self.folder is None:
            return
        if self.folder.resolve() == self.own_folder.resolve():
            raise WrongDatabaseError(
                f"its attachments_dir, {self.folder}, is the folder of attached files of the own cell: name another one"
            )
        identity = await marker.identity_of(connection)
        ask = marker.claim if claim else marker.check
        try:
            await asyncio.to_thread(ask, self.folder, identity, setting="LEDGERBEE_CELLS")
        except marker.FolderTakenError as fault:
            raise WrongDatabaseError(str(fault).rstrip(".")) from fault
        except OSError:  # whoever attaches a file gets an error
            pass

    async def _check_schema(self, connection: Connection) -> None:
        # Here, for the sake of the start: most processes serve one cell, and migrations load much.
        from ledgerbee.migrations.migrate import head_revision  # noqa: PLC0415

        remedy = f"run `ledgerbee db migrate` with LEDGERBEE_CELL={self.mark} and its DATABASE_URL"
        there = await connection.fetchrow(_HAS_TABLES)
        assert there is not None
        if not there["has_schema"]:
            raise WrongDatabaseError(f"it has no schema of ledgerbee: {remedy}")
        if not there["has_mark"]:
            raise WrongDatabaseError(f"its schema is of an older release: {remedy}")
        try:
            facts = await connection.fetchrow(_FACTS)
        except asyncpg.InsufficientPrivilegeError as fault:
            raise WrongDatabaseError(f"its login may not read what schema it has ({fault}): {remedy}") from fault
        assert facts is not None
        if facts["mark"] != self.mark:
            found = f"the mark {facts['mark']}" if facts["mark"] else "no mark yet"
            raise WrongDatabaseError(f"it has {found}, and LEDGERBEE_CELLS says {self.mark}: put the address right")
        if facts["revision"] != head_revision():
            raise WrongDatabaseError(
                f"its schema is {facts['revision']}, of another release than this ({head_revision()}): {remedy}"
            )


def further_cells(settings: Settings, own_folder: Path) -> list[FurtherCell]:
    """The cells that the API serves beside its own, whose files are in `own_folder` (or in a bucket)."""
    return [_further_cell(mark, cell, own_folder) for mark, cell in settings.cells.items()]


def _further_cell(mark: str, cell: CellSettings, own_folder: Path) -> FurtherCell:
    folder = cell.attachments_dir
    return FurtherCell(mark, cell.database_url, folder.expanduser().absolute() if folder else None, own_folder)
