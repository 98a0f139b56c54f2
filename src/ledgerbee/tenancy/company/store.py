"""Rows of companies, and which company a transaction sees."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company.logo import Logo
from ledgerbee.tenancy.company.model import COMPANY_NOT_FOUND, AfterLastDecline, Company

#: Columns that a company is written to, beside its id; whether it has a logo follows from the logo.
_WRITTEN: Final = tuple(name for name in names_of(Company) if name not in {"company_id", "has_logo"})
_GET: Final = (
    f"SELECT company_id, {', '.join(_WRITTEN)}, logo_format IS NOT NULL AS has_logo"
    " FROM companies WHERE company_id = $1"
)
_GET_FOR_UPDATE: Final = f"{_GET} FOR UPDATE"
_PLACES: Final = tuple(f"${number}" for number in range(2, len(_WRITTEN) + 2))
_INSERT: Final = f"INSERT INTO companies (company_id, {', '.join(_WRITTEN)}) VALUES ($1, {', '.join(_PLACES)})"
_UPDATE: Final = (
    f"UPDATE companies SET {', '.join(f'{name} = {place}' for name, place in zip(_WRITTEN, _PLACES, strict=True))}"
    " WHERE company_id = $1"
)
_LOGO: Final = "SELECT logo FROM companies WHERE company_id = $1 AND logo_format IS NOT NULL"
_UPDATE_LOGO: Final = "UPDATE companies SET logo = $2, logo_format = $3 WHERE company_id = $1"
_LIST_IDS: Final = "SELECT company_id FROM company_directory ORDER BY created_at, company_id"
_CREATIONS: Final = """
SELECT e.occurred_at FROM events e
WHERE e.company_id = $1 AND e.type = 'company.created' AND e.object_id <> $1 AND e.type <> 'journal_entry.posted'
  AND e.occurred_at > $2
ORDER BY e.occurred_at DESC LIMIT $3
"""
_SANDBOXES: Final = """
SELECT count(*) FROM events e
WHERE e.company_id = $1 AND e.type = 'company.created' AND e.object_id <> $1 AND e.type <> 'journal_entry.posted'
  AND e.data ->> 'isSandbox' = 'true'
"""
_ONE_CREATION: Final = "SELECT pg_advisory_xact_lock(hashtextextended('new companies of ' || $1, 5))"
_ENTERED: Final = "SELECT current_setting('app.company_id'), current_setting('app.company_proof')"
_ENTER_AGAIN: Final = "SELECT set_config('app.company_id', $1, true), set_config('app.company_proof', $2, true)"


async def list_ids(owner: Connection) -> list[UUID]:
    """The ids of all companies, oldest first. Only the schema's owner may read the directory."""
    return [row["company_id"] for row in await owner.fetch(_LIST_IDS)]


async def get(context: Context) -> Company:
    """The context's company. Raises `COMPANY_NOT_FOUND`."""
    return _company(await context.connection.fetchrow(_GET, context.company_id))


async def get_for_update(context: Context) -> Company:
    """The context's company, locked until the end of the transaction. Raises `COMPANY_NOT_FOUND`."""
    return _company(await context.connection.fetchrow(_GET_FOR_UPDATE, context.company_id))


async def insert(context: Context, company: Company) -> None:
    """Add the context's company."""
    await _write(context, _INSERT, company)


async def update(context: Context, company: Company) -> None:
    """Write the company's settings; the logo stays as it is."""
    await _write(context, _UPDATE, company)


async def logo(context: Context) -> bytes | None:
    """The company's logo (PNG or JPEG; see `company.logo`), None if it has none that is printed."""
    content: bytes | None = await context.connection.fetchval(_LOGO, context.company_id)
    return content


async def update_logo(context: Context, logo: Logo | None) -> None:
    """Write the company's logo, as `company.logo.redrawn` made it, or remove it."""
    content, form = (logo.content, logo.form) if logo else (None, None)
    await context.connection.execute(_UPDATE_LOGO, context.company_id, content, form)


async def latest_creations(context: Context, since: datetime, limit: int) -> list[datetime]:
    """When the company created others after `since`, the latest first, at most `limit`.

    Commands of the company that ask this wait for each other until their transactions end.
    """
    await context.connection.execute(_ONE_CREATION, str(context.company_id))
    found = await context.connection.fetch(_CREATIONS, context.company_id, since, limit)
    return [row["occurred_at"] for row in found]


async def count_sandboxes(context: Context) -> int:
    """How many sandboxes the company has created. Ask it after `latest_creations`, whose lock holds others back."""
    count: int = await context.connection.fetchval(_SANDBOXES, context.company_id)
    return count


async def entered(context: Context) -> tuple[str, str]:
    """The company that the transaction sees, and the proof that it may, for `enter_again`."""
    row = await context.connection.fetchrow(_ENTERED)
    assert row is not None
    company_id, proof = row
    return company_id, proof


async def enter_new(context: Context, company_id: UUID) -> None:
    """Have the transaction see a company that isn't there yet."""
    await context.connection.execute("SELECT enter_new_company($1)", company_id)


async def enter_again(context: Context, company: tuple[str, str]) -> None:
    """Have the transaction see a company again that it saw before: see `entered`."""
    await context.connection.execute(_ENTER_AGAIN, *company)


async def _write(context: Context, statement: str, company: Company) -> None:
    values = [getattr(company, name) for name in _WRITTEN]
    await context.connection.execute(statement, company.company_id, *values)


def _company(row: asyncpg.Record | None) -> Company:
    values = dict(COMPANY_NOT_FOUND.unless(row))
    values["licenses"] = tuple(values["licenses"])
    values["after_last_decline"] = AfterLastDecline(values["after_last_decline"])
    return Company(**values)
