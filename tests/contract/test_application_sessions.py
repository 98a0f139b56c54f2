"""What SQL in a session of the API can leave behind in it, or for the sessions after it."""

import os
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url
from tests.conftest import Api, SteeredClock, clone_template, drop_database, new_company, with_database

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.db import APPLICATION_ROLE, WORKER_ROLE, Database

#: What the role may set for its later sessions, each with a value that would do harm.
HOSTILE = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "search_path": "pg_temp",
    "synchronous_commit": "off",
    "row_security": "off",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Pacific/Auckland",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "standard_conforming_strings": "off",
    "client_min_messages": "debug5",
    "plan_cache_mode": "force_custom_plan",
    "gin_fuzzy_search_limit": "1",
    "enable_seqscan": "on",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
    "enable_nestloop": "off",
    "jit": "on",
    "random_page_cost": "1000",
    "max_parallel_workers_per_gather": "8",
    "application_name": "psql",
}


@pytest_asyncio.fixture(scope="module")
async def own_database(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A database that was migrated under its own name, as an installation's is."""
    name = f"ledgerbee_sessions_{os.getpid()}_{worker_id}"
    url = with_database(server_url, name)
    await clone_template(server_url, name)
    await migrate(url)
    yield url
    await drop_database(server_url, name)


@pytest_asyncio.fixture
async def sessions(own_database: str) -> AsyncIterator[Database]:
    """A pool of one session, which therefore everybody shares."""
    database = await Database.open(own_database, reactions=REACTIONS, max_size=1)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def company(http: httpx.AsyncClient, sessions: Database, clock: SteeredClock) -> Api:
    return await new_company(http, sessions, clock)


async def names(api: Api) -> Any:
    async def work(context: Any) -> Any:
        return await context.connection.fetchval("SELECT name FROM companies WHERE company_id = $1", api.company_id)

    return await api.run(work, read_only=True)


@pytest.mark.parametrize("role", [APPLICATION_ROLE, WORKER_ROLE])
async def test_nothing_temporary_takes_the_place_of_a_table(own_database: str, role: str) -> None:
    owner = await asyncpg.connect(own_database)
    try:
        await owner.execute(f"SET ROLE {role}")
        for statement in (
            "CREATE TEMP TABLE events (id int)", "CREATE TEMP VIEW vendors AS SELECT 1 AS id",
            "CREATE FUNCTION pg_temp.spy() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE TABLE events_2 (id int)",
            "CREATE SCHEMA theirs", "SELECT 1 AS id INTO TEMP events",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(statement)
    finally:
        await owner.close()


async def test_nobody_learns_or_guesses_the_names_of_a_sessions_statements(company: Api) -> None:
    await names(company)
    async with company.database.connection() as connection:
        for statement in ("SELECT * FROM pg_prepared_statements", "SELECT * FROM pg_cursors"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.execute("SET ROLE NONE")
        found = [row["name"] for row in await connection.fetch("SELECT name FROM pg_prepared_statements")]
        await connection.execute(f"SET ROLE {WORKER_ROLE}")
    numbers = {int(name.removeprefix("ledgerbee_stmt_"), 16) for name in found}
    assert len(numbers) == len(found) > 1
    assert all(len(name) == len("ledgerbee_stmt_") + 32 for name in found)


async def test_a_session_that_lost_its_statements_is_replaced(company: Api) -> None:
    name = await names(company)
    async with company.database.connection() as connection:
        await connection.execute("DEALLOCATE ALL")
    with pytest.raises(LedgerBeeError) as refused:
        await names(company)
    assert refused.value.code == "DATABASE_UNAVAILABLE"
    assert await names(company) == name


async def test_what_the_role_sets_for_itself_does_not_count(own_database: str) -> None:
    url = make_url(own_database).set(username=APPLICATION_ROLE).render_as_string(hide_password=False)
    place = f"ALTER ROLE {APPLICATION_ROLE} IN DATABASE {make_url(own_database).database}"
    values = "SELECT name, current_setting(name) FROM unnest($1::text[]) AS name"

    async def in_a_new_session(*then: str) -> dict[str, str]:
        database = await Database.open(url, reactions=REACTIONS, max_size=1, role=None)
        async with database.connection() as connection:
            found = {row["name"]: row["current_setting"] for row in await connection.fetch(values, [*HOSTILE])}
            for statement in then:
                await connection.execute(statement)
        await database.close()
        return found

    before = await in_a_new_session(*(f"{place} SET {name} = '{value}'" for name, value in HOSTILE.items()))
    assert [name for name, value in HOSTILE.items() if before[name] == value] == []
    assert await in_a_new_session() == before
    owner = await asyncpg.connect(own_database)
    await owner.execute(f"{place} RESET ALL")
    await owner.close()


async def test_what_the_role_set_for_itself_is_gone_at_the_next_start(own_database: str) -> None:
    """On a server whose superuser we are; `doctor` names it on others."""
    owner = await asyncpg.connect(own_database)
    try:
        name = await owner.fetchval("SELECT current_database()")
        for role in (APPLICATION_ROLE, WORKER_ROLE):
            await owner.execute(f"ALTER ROLE {role} IN DATABASE {name} SET work_mem = '64kB'")
        await migrate(own_database)
        count = "SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        assert await owner.fetchval(f"{count} WHERE d.datname = current_database()") == 0
    finally:
        await owner.close()
