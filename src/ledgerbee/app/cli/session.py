"""What a command needs to work: settings, a migrated database, a company's transaction."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.console import Console

from ledgerbee.app.config import Settings
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import system_clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.platform.jobs import company_tenant
from ledgerbee.platform.migrate import migrate
from ledgerbee.platform.postgres import EmbeddedPostgresError, default_data_dir, running

T = TypeVar("T")

OPERATOR: Final = Actor("operator", "cli")
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the embedded database (default: the user data folder)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

#: Words for people; standard output is for results.
notes = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Access:
    """Where the database is: `owner_url` logs in as the schema's owner, `app_url` as the application (or None)."""

    owner_url: str
    app_url: str | None

    def environment(self) -> dict[str, str]:
        """The same as environment variables, for child processes."""
        return {
            "LEDGERBEE_DATABASE_URL": self.owner_url,
            "DATABASE_URL": self.owner_url,
            **({"LEDGERBEE_DATABASE_APP_URL": self.app_url} if self.app_url else {}),
        }

    async def open(self) -> Database:
        """A small pool of application connections."""
        url = self.app_url or self.owner_url
        return await Database.open(url, reactions=REACTIONS, max_size=2, set_role=self.app_url is None)


def data_dir_of(data_dir: Path | None, settings: Settings) -> Path:
    """The folder of the embedded database: the option, the setting, the default."""
    return data_dir or settings.data_dir or default_data_dir()


@contextmanager
def access(data_dir: Path | None) -> Iterator[Access]:
    """A migrated database: the one of `DATABASE_URL`, else the embedded one, started if nobody has."""
    settings = Settings()
    if settings.database_url and data_dir is None:
        asyncio.run(migrate(settings.database_url))
        yield Access(settings.database_url, settings.database_app_url)
        return
    with running(data_dir_of(data_dir, settings)) as server:
        asyncio.run(migrate(server.dsn()))
        yield Access(server.dsn(), server.dsn(user="ledgerbee_app"))


def in_company(found: Access, company_id: UUID, work: Callable[[Context], Awaitable[T]], *, new: bool = False) -> T:
    """Run `work` in one transaction of a company, as the operator. `new` is for a company that is being made."""

    async def main() -> T:
        database = await found.open()
        try:
            now = system_clock()
            request_id = new_id().hex
            if new:
                tenant = Tenant(company_id, OPERATOR, request_id, "UTC")
            else:
                tenant = await company_tenant(database, company_id, request_id, now, OPERATOR)
            return await database.run(tenant, now, work)
        finally:
            await database.close()

    return asyncio.run(main())


def all_companies(found: Access) -> list[UUID]:
    """Every company's id, oldest first. Only the owner may read the directory."""

    async def main() -> list[UUID]:
        connection = await asyncpg.connect(found.owner_url)
        try:
            rows = await connection.fetch("SELECT company_id FROM company_directory ORDER BY created_at, company_id")
        finally:
            await connection.close()
        return [row["company_id"] for row in rows]

    return asyncio.run(main())


def the_company(found: Access, company: UUID | None) -> UUID:
    """The named company, or the only one there is."""
    known = all_companies(found)
    if company is not None:
        if company not in known:
            fail(f"There is no company {company}.")
        return company
    if len(known) != 1:
        fail(f"There are {len(known)} companies: name one with --company.")
    return known[0]


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def fail(message: str) -> NoReturn:
    """End with status 1 and a message on standard error."""
    notes.print(f"[bold red]error:[/] {message}", soft_wrap=True)
    raise typer.Exit(1)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Refusals of ours become a message instead of a traceback."""
    try:
        yield
    except LedgerBeeError as fault:
        fail(f"{fault.code}: {fault.message} {fault.details or ''}".strip())
    except EmbeddedPostgresError as fault:
        fail(str(fault))
    except (OSError, asyncpg.PostgresError) as fault:
        fail(f"{type(fault).__name__}: {fault}")
