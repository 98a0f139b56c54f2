"""Where the content of attachments lies: by company and by its SHA-256, in a folder or in a bucket.

The same content is stored once a company. Companies share nothing: nobody finds out whether another one has a file.
Nothing here decides what may be removed, see `ledger/uploads/actions.py`.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.files import create_private, naming, sync_folder

T = TypeVar("T")

ATTACHMENT_STORE_UNAVAILABLE = ErrorCode(
    "ATTACHMENT_STORE_UNAVAILABLE",
    503,
    "The store of attachments is full or can't be reached right now. Nothing was changed; try again.",
)

#: Letters of a name that its folder has: 256 folders a company keep each of them small.
_PREFIX: Final = 2


class BlobStore(Protocol):
    """A store of immutable contents. Every method raises `ATTACHMENT_STORE_UNAVAILABLE`."""

    async def put(self, company_id: UUID, content_hash: bytes, content: bytes) -> None:
        """Store a content, whole and durably or not at all; nothing happens if it is there."""
        ...

    async def get(self, company_id: UUID, content_hash: bytes) -> bytes | None:
        """A content, or None where there is none of that hash."""
        ...

    async def delete(self, company_id: UUID, content_hash: bytes) -> None:
        """Remove a content, if it is there."""
        ...


def name_of(company_id: UUID, content_hash: bytes) -> str:
    """The path of a content in any store."""
    name = content_hash.hex()
    return f"{company_id}/{name[:_PREFIX]}/{name}"


class Folder:
    """A store in the file system, for this account only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def put(self, company_id: UUID, content_hash: bytes, content: bytes) -> None:
        await self._run(lambda: self.add(name_of(company_id, content_hash), content))

    async def get(self, company_id: UUID, content_hash: bytes) -> bytes | None:
        def read() -> bytes | None:
            try:
                return (self.path / name_of(company_id, content_hash)).read_bytes()
            except FileNotFoundError:
                return None

        return await self._run(read)

    async def delete(self, company_id: UUID, content_hash: bytes) -> None:
        def remove() -> None:
            target = self.path / name_of(company_id, content_hash)
            target.unlink(missing_ok=True)
            for part in target.parent.glob(f".{target.name}.*"):  # of a process that was killed
                part.unlink(missing_ok=True)

        await self._run(remove)

    def add(self, name: str, content: bytes) -> None:
        """Store a content under a name of `name_of`, unless it is there. Raises `OSError`."""
        target = self.path / name
        if not target.exists():
            self._make_folder(target.parent)
            part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                with naming(target), os.fdopen(create_private(part), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                give_to_owner(part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        # Also for one that was there: whoever put it there may not have come so far yet.
        for folder in (target.parent, target.parent.parent, self.path):
            sync_folder(folder)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent) if folder != self.path else folder.parent.mkdir(
                parents=True, exist_ok=True
            )
            folder.mkdir(mode=0o700, exist_ok=True)
            give_to_owner(folder)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await to_the_end(asyncio.to_thread(work))
        except OSError as fault:
            raise ATTACHMENT_STORE_UNAVAILABLE.error() from fault


def give_to_owner(path: Path) -> None:
    """What root makes in someone else's folder is that account's."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


async def to_the_end(work: Awaitable[T]) -> T:
    """Wait for work that goes on when it is cancelled: what comes next must find it done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
