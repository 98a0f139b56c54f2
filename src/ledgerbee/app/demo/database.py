"""The demo's database: new at every run, and apart from anybody's books.

Apart above all from their queue of jobs: a worker that mails into the demo's own mailbox must not find the invoices
that a company really sent.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.engine import make_url

from ledgerbee.app.config import Settings
from ledgerbee.app.database_access import Access
from ledgerbee.app.demo.client import DemoError
from ledgerbee.migrations.migrate import migrate

#: Demos that may run at once on one server.
_MOST: Final = 9


@contextmanager
def own_database(server_url: str) -> Iterator[Access]:
    """A new, migrated database on the server of `server_url`, named as its database with `_demo` added.

    It stays afterwards, to be looked at, until the next one takes its place; demos that run at once have one each
    (`_demo_2` and so on). `server_url` must log in as a role that may create databases. Raises `DemoError` while too
    many others run.
    """
    beside = make_url(server_url)
    with asyncio.Runner() as runner:
        # A lock of a session that lives as long as the demo: whatever ends it, the name is free again.
        session = runner.run(_connect(server_url))
        try:
            name = runner.run(_take_name(session, f"{beside.database}_demo"))
            own = beside.set(database=name)
            runner.run(_replace(session, name))
            url = own.render_as_string(hide_password=False)
            runner.run(migrate(url, cell=Settings().cell))
            yield Access(owner_url=url, app_url=None, data_dir=None)
        finally:
            session.terminate()


async def _connect(server_url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(server_url)


async def _take_name(session: "asyncpg.Connection[asyncpg.Record]", wanted: str) -> str:
    """The first name that no other demo has, and nobody is connected to; it is this session's from now on."""
    for number in range(1, _MOST + 1):
        name = wanted if number == 1 else f"{wanted}_{number}"
        if not await session.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name):
            continue
        if not await session.fetchval("SELECT numbackends FROM pg_stat_database WHERE datname = $1", name):
            return name
    raise DemoError(f"Other demos, or consoles, are using {_MOST} databases {wanted}…")


async def _replace(session: "asyncpg.Connection[asyncpg.Record]", name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    await session.execute(f"DROP DATABASE IF EXISTS {quoted}")
    await session.execute(f"CREATE DATABASE {quoted}")
