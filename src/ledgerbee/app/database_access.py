"""Access to a migrated database, for commands and the demo: its logins, and the ways to run something in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.app.blobs import blob_folder, blob_store
from ledgerbee.app.config import Settings
from ledgerbee.app.e_invoices import e_invoice_folder
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.secret_keys import key_file, keys_of
from ledgerbee.core.dates import system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.db import WORKER_ROLE, Database
from ledgerbee.platform.jobs import company_tenant
from ledgerbee.platform.pool import LONG_LOCK_TIMEOUT
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.tenancy.company import store as companies

T = TypeVar("T")

OPERATOR: Final = Actor("operator", "cli")


@dataclass(frozen=True, slots=True)
class Access:
    """Where the database is: `owner_url` logs in as the schema's owner, the others (or None) as the roles that work.

    `app_url` is the API's, `worker_url` that of the worker and of commands. `data_dir` is the embedded database's
    folder, None for a database of the operator's.
    """

    owner_url: str
    app_url: str | None
    data_dir: Path | None
    worker_url: str | None = None

    def environment(self) -> dict[str, str]:
        """The same as environment variables, for child processes."""
        variables = {
            "DATABASE_URL": self.owner_url,
            "LEDGERBEE_DATABASE_APP_URL": self.app_url or "",
            "LEDGERBEE_DATABASE_WORKER_URL": self.worker_url or "",
        }
        if self.data_dir is not None:  # children get the database's address, not its folder
            settings = Settings()
            variables["LEDGERBEE_ATTACHMENTS_DIR"] = str(blob_folder(settings, self.data_dir))
            variables["LEDGERBEE_EINVOICE_DIR"] = str(e_invoice_folder(settings, self.data_dir))
            variables["LEDGERBEE_SECRET_KEY_FILE"] = str(key_file(settings, self.data_dir))
        return variables

    def blobs(self) -> BlobStore:
        """The store of attached files that belongs to this database."""
        return blob_store(Settings(), self.data_dir)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Database]:
        """A small pool of connections of the role that commands work as, for the length of the block."""
        url, role = (self.worker_url, None) if self.worker_url else (self.owner_url, WORKER_ROLE)
        database = await Database.open(
            url, reactions=REACTIONS, max_size=2, role=role, lock_timeout=LONG_LOCK_TIMEOUT, cell=Settings().cell
        )
        database.secrets = SecretBox(lambda: keys_of(Settings(), self.data_dir))
        try:
            yield database
        finally:
            await database.close()


def in_company(
    found: Access, company_id: UUID, work: Callable[[Context], Awaitable[T]], *, one_snapshot: bool = False
) -> T:
    """Run `work` in one transaction of a company, or of one that it makes, as the operator.

    With `one_snapshot` all of it sees the same state of the database.
    """

    async def main() -> T:
        async with found.open() as database:
            now = system_clock()
            tenant = await company_tenant(database, company_id, new_id().hex, now, OPERATOR)
            return await database.run(tenant, now, work, one_snapshot=one_snapshot)

    return asyncio.run(main())


def as_worker(found: Access, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work` on a connection of the worker's role, outside any company."""

    async def main() -> T:
        async with found.open() as database, database.connection() as connection:
            return await work(connection)

    return asyncio.run(main())


def as_owner(found: Access, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work` as the schema's owner, for what the application has no right to."""

    async def main() -> T:
        connection = await asyncpg.connect(found.owner_url)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(main())


def all_companies(found: Access) -> list[UUID]:
    """Every company's id, oldest first."""
    return as_owner(found, companies.list_ids)
