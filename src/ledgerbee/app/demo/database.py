"""The demo's database: new at every run, and apart from anybody's books.

Apart above all from their queue of jobs: a worker that mails into the demo's own mailbox must not find the invoices
that a company really sent.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.engine import make_url

from ledgerbee.app.cli.session import Access
from ledgerbee.app.demo.client import DemoError
from ledgerbee.platform.migrate import migrate


@contextmanager
def own_database(server_url: str) -> Iterator[Access]:
    """A new, migrated database on the server of `server_url`, named as its database with `_demo` added.

    It stays afterwards, to be looked at, until the next one takes its place. `server_url` must log in as a role that
    may create databases. Raises `DemoError` while another demo uses it.
    """
    beside = make_url(server_url)
    own = beside.set(database=f"{beside.database}_demo")
    asyncio.run(_replace(server_url, own.database or ""))
    url = own.render_as_string(hide_password=False)
    asyncio.run(migrate(url))
    yield Access(owner_url=url, app_url=None, data_dir=None)


async def _replace(server_url: str, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {quoted}")
        await connection.execute(f"CREATE DATABASE {quoted}")
    except asyncpg.ObjectInUseError:
        raise DemoError(f"Another demo is using the database {name}") from None
    finally:
        await connection.close()
