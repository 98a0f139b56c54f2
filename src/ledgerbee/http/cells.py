"""The cells that a process serves: finds the database of a credential by the mark that it carries."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledgerbee.core.cells import cell_of_id, cell_of_secret
from ledgerbee.http.command_batcher import CommandBatcher
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.db import Database


@dataclass(frozen=True, slots=True)
class Cell:
    """A database with companies, and the store of their files."""

    database: Database
    blobs: BlobStore
    batcher: CommandBatcher = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batcher", CommandBatcher(self.database))

    @property
    def mark(self) -> str:
        return self.database.cell


class Cells:
    """The cells by their marks. `own` is the one that the process itself is set up with; often it is the only one."""

    def __init__(self, own: Cell, others: Iterable[Cell] = ()) -> None:
        self.own = own
        self._by_mark = {cell.mark: cell for cell in (*others, own)}

    def __getitem__(self, mark: str) -> Cell:
        """The cell of a mark. Raises `KeyError`."""
        return self._by_mark[mark]

    def of_secret(self, secret: str) -> Cell | None:
        """The cell in which a secret would be known; None where it is none of these."""
        return self._by_mark.get(cell_of_secret(secret))

    def of_client(self, client_id: str) -> Cell | None:
        """The cell in which an OAuth client would be known; None where it is none of these."""
        return self._by_mark.get(cell_of_id(client_id))

    def others(self) -> list[Cell]:
        """The cells beside the process's own."""
        return [cell for cell in self._by_mark.values() if cell is not self.own]

    async def close(self) -> None:
        """Close the databases of all cells."""
        for cell in self._by_mark.values():
            await cell.database.close()
