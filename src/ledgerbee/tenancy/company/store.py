"""Rows of companies."""

from dataclasses import fields

import asyncpg

from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company.logo import Logo
from ledgerbee.tenancy.company.model import COMPANY_NOT_FOUND, Company

#: Columns that a company is written to; whether it has a logo follows from the logo.
_WRITTEN = tuple(field.name for field in fields(Company) if field.name != "has_logo")
_READ = f"{', '.join(_WRITTEN)}, logo_format IS NOT NULL AS has_logo"


async def get(context: Context) -> Company:
    """The context's company. Raises `COMPANY_NOT_FOUND`."""
    return await _get(context, "")


async def get_for_update(context: Context) -> Company:
    """The context's company, locked until the end of the transaction. Raises `COMPANY_NOT_FOUND`."""
    return await _get(context, "FOR UPDATE")


async def _get(context: Context, lock: str) -> Company:
    row = await context.connection.fetchrow(
        f"SELECT {_READ} FROM companies WHERE company_id = $1 {lock}", context.company_id
    )
    if row is None:
        raise COMPANY_NOT_FOUND.error()
    return _company(row)


async def insert(context: Context, company: Company) -> None:
    """Add the context's company."""
    places = ", ".join(f"${number}" for number in range(1, len(_WRITTEN) + 1))
    await context.connection.execute(
        f"INSERT INTO companies ({', '.join(_WRITTEN)}) VALUES ({places})",
        *(getattr(company, name) for name in _WRITTEN),
    )


async def update(context: Context, company: Company) -> None:
    """Write the company's settings; the logo stays as it is."""
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(_WRITTEN[1:], 2))
    await context.connection.execute(
        f"UPDATE companies SET {changes} WHERE company_id = $1", *(getattr(company, name) for name in _WRITTEN)
    )


async def logo(context: Context) -> bytes | None:
    """The company's logo (PNG or JPEG; see `company.logo`), None if it has none that is printed."""
    content: bytes | None = await context.connection.fetchval(
        "SELECT logo FROM companies WHERE company_id = $1 AND logo_format IS NOT NULL", context.company_id
    )
    return content


async def save_logo(context: Context, logo: Logo | None) -> None:
    """Write the company's logo, as `company.logo.redrawn` made it, or remove it."""
    await context.connection.execute(
        "UPDATE companies SET logo = $2, logo_format = $3 WHERE company_id = $1",
        context.company_id,
        logo.content if logo else None,
        logo.form if logo else None,
    )


def _company(row: asyncpg.Record) -> Company:
    values = dict(row)
    values["licenses"] = tuple(values["licenses"])
    return Company(**values)
