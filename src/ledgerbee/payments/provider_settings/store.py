"""Rows of a company's payment providers."""

from typing import Final

import asyncpg

from ledgerbee.payments.provider_settings.model import PAYMENT_PROVIDER_NOT_FOUND, ProviderSettings
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(ProviderSettings)} FROM payment_providers WHERE company_id = $1"
_INSERT: Final = rows.insert("payment_providers", ProviderSettings)
_UPDATE: Final = rows.update("payment_providers", ProviderSettings)
#: Two that are set up at once would both be the first one.
_HOLD: Final = "SELECT FROM companies WHERE company_id = $1 FOR NO KEY UPDATE"


async def list_all(context: Context) -> list[ProviderSettings]:
    """The company's providers, by name."""
    found = await context.connection.fetch(f"{_SELECT} ORDER BY name", context.company_id)
    return [_settings(row) for row in found]


async def list_for_update(context: Context) -> list[ProviderSettings]:
    """The company's providers, of which nobody else changes or adds one until the transaction ends."""
    await context.connection.execute(_HOLD, context.company_id)
    found = await context.connection.fetch(f"{_SELECT} ORDER BY name FOR UPDATE", context.company_id)
    return [_settings(row) for row in found]


async def find(context: Context, name: ProviderName) -> ProviderSettings | None:
    """One provider; None where the company has not set it up."""
    row = await context.connection.fetchrow(f"{_SELECT} AND name = $2", context.company_id, name)
    return _settings(row) if row else None


async def get(context: Context, name: ProviderName) -> ProviderSettings:
    """One provider. Raises `PAYMENT_PROVIDER_NOT_FOUND` where the company has not set it up."""
    return PAYMENT_PROVIDER_NOT_FOUND.unless(await find(context, name))


async def find_default(context: Context) -> ProviderSettings | None:
    """The provider that is used where none is named; None where none is enabled."""
    row = await context.connection.fetchrow(f"{_SELECT} AND is_default", context.company_id)
    return _settings(row) if row else None


async def insert(context: Context, settings: ProviderSettings) -> None:
    """Add a provider."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(settings))


async def update(context: Context, settings: ProviderSettings) -> None:
    """Write the fields of a provider that is locked."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(settings))


def _settings(row: asyncpg.Record) -> ProviderSettings:
    return ProviderSettings(**{**row, "name": ProviderName(row["name"])})
