"""The mark that a database has: in which cell its companies live, whoever asks."""

from typing import Final

from ledgerbee.platform.connection import Connection

_HAS_TABLE: Final = "SELECT to_regclass('public.cell_mark') IS NOT NULL"
_MARK: Final = "SELECT mark FROM public.cell_mark"
_INSERT: Final = "INSERT INTO public.cell_mark (mark) VALUES ($1) ON CONFLICT DO NOTHING"


class WrongDatabaseError(Exception):
    """A connection leads to a database that this process is not for. The message is for the operator."""


async def find(connection: Connection) -> str | None:
    """The mark of a database; None for one that has none yet: of an older release, or new."""
    if not await connection.fetchval(_HAS_TABLE):
        return None
    mark: str | None = await connection.fetchval(_MARK)
    return mark


async def check(connection: Connection, cell: str) -> None:
    """Refuse a database that has another mark. One without a mark is let through. Raises `WrongDatabaseError`."""
    check_found(await find(connection), cell)


def check_found(mark: str | None, cell: str, what: str = "database") -> None:
    """The same for a mark that was read: of a database, or of `what` it is in. Raises `WrongDatabaseError`."""
    if mark is not None and mark != cell:
        raise WrongDatabaseError(
            f"The {what} has the mark {mark} of a cell, and this process is set up with {cell}: "
            f"set LEDGERBEE_CELL={mark}, or name the database of cell {cell}."
        )


async def insert(connection: Connection, cell: str) -> None:
    """Give a database its mark, as the owner of its schema. One that has a mark keeps it."""
    await connection.execute(_INSERT, cell)
