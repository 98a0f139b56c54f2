"""A database of its own whose published rates a test puts there: everywhere else they are the shipped history."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date

import asyncpg
import pytest
import pytest_asyncio
from tests.conftest import OPERATOR, SteeredClock, clone_template, drop_database, with_database

from ledgerbee.app.onboarding import create_company
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.tenancy.company.model import CompanyFields
from ledgerbee.tenancy.rates import store
from ledgerbee.tenancy.rates.ecb import RateRow
from ledgerbee.tenancy.rates.model import Rate

RATES = CompanyFields(name="Rates", preferred_language="da", time_zone="Europe/Copenhagen")


@dataclass
class Rates:
    """The published rates, filled as the schema's owner and asked for as a company."""

    url: str
    owner: "asyncpg.Connection[asyncpg.Record]"
    database: Database
    _companies: dict[str, Tenant] = field(default_factory=dict)

    async def find(self, currency: str, base_currency: str, on: date) -> Rate | None:
        """What a company with that base currency is told."""
        if base_currency not in self._companies:
            tenant = Tenant(new_id(), OPERATOR, "test", "UTC")

            async def found(context: Context) -> None:
                await create_company(context, RATES, country_code="DK", base_currency=base_currency)

            await self.database.run(tenant, SteeredClock()(), found)
            self._companies[base_currency] = tenant

        async def ask(context: Context) -> Rate | None:
            return await store.find(context, currency, on)

        return await self.database.run(self._companies[base_currency], SteeredClock()(), ask)

    async def stored(self) -> set[RateRow]:
        """Every published rate that is stored."""
        rows = await self.owner.fetch("SELECT currency, day, rate_per_eur FROM exchange_rates")
        return {tuple(row) for row in rows}


@pytest.fixture(scope="session")
def rates_url(server_url: str, worker_id: str) -> Iterator[str]:
    """A migrated database, as its owner."""
    name = f"ledgerbee_rates_{os.getpid()}_{worker_id}"
    asyncio.run(clone_template(server_url, name))
    yield with_database(server_url, name)
    asyncio.run(drop_database(server_url, name))


@pytest_asyncio.fixture(scope="session")
async def all_rates(rates_url: str) -> AsyncIterator[Rates]:
    owner = await asyncpg.connect(rates_url)
    database = await Database.open(rates_url, reactions=REACTIONS, max_size=5)
    yield Rates(rates_url, owner, database)
    await database.close()
    await owner.close()


@pytest_asyncio.fixture
async def rates(all_rates: Rates) -> Rates:
    """No published rates."""
    await all_rates.owner.execute("TRUNCATE exchange_rates")
    return all_rates
