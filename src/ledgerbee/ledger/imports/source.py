"""Where an import reads its file: on the disk, or in the parts that a request left in the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.model import PART_BYTES
from ledgerbee.ledger.imports.tables.store import ImportTables
from ledgerbee.platform.context import Context

Read = Callable[[Callable[[Context], Awaitable[bytes | None]]], Awaitable[bytes | None]]


class Source(Protocol):
    """A file to read."""

    def blocks(self, position: int) -> AsyncIterator[bytes]:
        """Its content from a byte on, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """A file in parts in the database; `read` runs a read in a transaction of the company, `tables` have the parts."""

    import_id: UUID
    read: Read
    tables: ImportTables = store.TABLES

    async def blocks(self, position: int) -> AsyncIterator[bytes]:
        part, skipped = divmod(position, PART_BYTES)
        while (data := await self._part(part)) is not None:
            yield data[skipped:]
            part, skipped = part + 1, 0

    async def _part(self, part: int) -> bytes | None:
        return await self.read(lambda context: self.tables.get_part(context, self.import_id, part))


@dataclass(frozen=True, slots=True)
class File:
    """A file on the disk."""

    path: Path

    async def blocks(self, position: int) -> AsyncIterator[bytes]:
        with self.path.open("rb") as opened:
            opened.seek(position)
            while block := await asyncio.to_thread(opened.read, PART_BYTES):
                yield block
