"""What a command needs to work: settings, a migrated database, the company it is for."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.app.blobs import blob_folder
from ledgerbee.app.cli.options import embedded_dir, fail, note
from ledgerbee.app.cli.reach import check_logins, check_owner
from ledgerbee.app.config import Settings, unknown_variables
from ledgerbee.app.database_access import Access, all_companies, as_owner, in_company
from ledgerbee.app.serve import StartFailedError
from ledgerbee.core.dates import system_clock
from ledgerbee.embedded import BrokeDownError, broke_down, running
from ledgerbee.migrations.migrate import MigrationError, migrate
from ledgerbee.platform import logs
from ledgerbee.platform.blobs import marker
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE

T = TypeVar("T")


@contextmanager
def access(data_dir: Path | None) -> Iterator[Access]:
    """A migrated database: the one of `DATABASE_URL`, else the embedded one, started if nobody has."""
    settings = Settings()
    logs.configure("WARNING")
    for name, nearest in unknown_variables(os.environ):
        note(f"{name} is no setting of ledgerbee and is ignored{f': {nearest}?' if nearest else '.'}")
    folder = embedded_dir(data_dir, settings)
    if folder is None:
        assert settings.database_url is not None
        asyncio.run(check_owner(settings.database_url))
        all_looked_at = asyncio.run(check_logins(settings))  # before anything is made: it may be the wrong database
        asyncio.run(migrate(settings.database_url, cell=settings.cell))
        if not all_looked_at:
            asyncio.run(check_logins(settings))
        yield Access(settings.database_url, settings.database_app_url, None, settings.database_worker_url)
        return
    since = system_clock()
    try:
        with running(folder) as server:
            asyncio.run(migrate(server.dsn(), embedded=True, cell=settings.cell))
            yield Access(server.dsn(), server.dsn(user=APPLICATION_ROLE), folder, server.dsn(user=WORKER_ROLE))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, MigrationError, StartFailedError) as fault:
        why = broke_down(folder, since)  # what the caller saw is but a lost connection
        if why is None:
            raise
        raise BrokeDownError(f"The database in {folder} broke down: {why}") from fault


def claim_blob_folder(found: Access) -> None:
    """Have the folder of attached files be this database's. Raises `FolderTakenError`; a bucket has no owner.

    A folder that can't be written is no reason not to start: who attaches a file gets an error.
    """
    settings = Settings()
    if settings.attachments_bucket is None:
        folder = blob_folder(settings, found.data_dir)
        try:
            marker.claim(folder, as_owner(found, marker.identity_of))
        except OSError as fault:
            note(f"No files can be attached: {fault.filename or folder}: {fault.strerror}.")


def in_the_company(data_dir: Path | None, company: UUID | None, work: Callable[[Context], Awaitable[T]]) -> T:
    """Run `work` in one transaction of the named company, or of the only one there is."""
    with access(data_dir) as found:
        return in_company(found, the_company(found, company), work)


def the_company(found: Access, company: UUID | None) -> UUID:
    """The named company, or the only one there is."""
    known = all_companies(found)
    if company is not None:
        if company not in known:
            fail(f"There is no company {company}.")
        return company
    if not known:
        fail("There is no company yet: make one with `ledgerbee company create`.")
    if len(known) > 1:
        fail(f"There are {len(known)} companies: name one with --company (see `ledgerbee company list`).")
    return known[0]
