"""Rows of companies."""

from dataclasses import fields

import asyncpg

from ledgerbee.platform.company.model import COMPANY_NOT_FOUND, Company
from ledgerbee.platform.context import Context

_FIELDS = tuple(field.name for field in fields(Company))
_COLUMNS = ", ".join(_FIELDS)


async def get(context: Context) -> Company:
    """The context's company. Raises `COMPANY_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM companies WHERE company_id = $1", context.company_id
    )
    if row is None:
        raise COMPANY_NOT_FOUND.error()
    return _company(row)


async def insert(context: Context, company: Company) -> None:
    """Add the context's company."""
    places = ", ".join(f"${number}" for number in range(1, len(_FIELDS) + 1))
    await context.connection.execute(
        f"INSERT INTO companies ({_COLUMNS}) VALUES ({places})", *(getattr(company, name) for name in _FIELDS)
    )


async def update(context: Context, company: Company) -> None:
    """Write the company's settings."""
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(_FIELDS[1:], 2))
    await context.connection.execute(
        f"UPDATE companies SET {changes} WHERE company_id = $1", *(getattr(company, name) for name in _FIELDS)
    )


def _company(row: asyncpg.Record) -> Company:
    values = dict(row)
    values["licenses"] = tuple(values["licenses"])
    return Company(**values)
