"""Row-level security, proven as SQL by the application's role."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import enter

#: Tables that belong to no company. Whatever else there is has to be behind forced row-level security.
SHARED = {
    "alembic_version", "application_trust", "cell_mark", "company_directory", "daily_wakes",
    "exchange_rates", "interrupted_jobs", "last_backup", "membership_directory",
    "passkeys", "rate_limit_hits", "recovery_codes", "sign_in_steps",
    "registered_clients", "user_sessions", "users", "webhook_companies",
}  # fmt: skip
#: Read before the company is known, by functions of the owner; the application still sees its company's rows only.
NOT_FORCED = {"credentials"}


async def tables(connection: asyncpg.Connection) -> dict[str, asyncpg.Record]:
    rows = await connection.fetch(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) AS owner,"
        " EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'company_id') AS of_company,"
        " (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        "  WHERE i.indrelid = c.oid AND i.indisprimary) AS first_key"
        " FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    return {row["relname"]: row for row in rows}


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def application(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of the API's role, rolled back at the end."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("BEGIN; SET ROLE ledgerbee_app")
    yield connection
    await connection.close()


async def test_every_company_table_is_behind_forced_row_level_security(owner: asyncpg.Connection) -> None:
    for name, table in (await tables(owner)).items():
        if name in SHARED or name.startswith("pgqueuer"):
            assert not table["of_company"] or name in {
                "company_directory",
                "daily_wakes",
                "membership_directory",
                "webhook_companies",
            }, name
            continue
        assert table["of_company"], f"{name} has no company_id"
        assert table["relrowsecurity"], f"{name} has no row-level security"
        assert table["relforcerowsecurity"] or name in NOT_FORCED, f"{name} does not force row-level security"
        assert table["first_key"] == "company_id" or name in NOT_FORCED, f"{name}: company_id must lead the key"


async def test_every_key_of_a_company_table_starts_with_the_company(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.relname, x.relname AS index_name, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
    )
    for row in rows:
        if row["relname"] in SHARED | NOT_FORCED or row["relname"].startswith("pgqueuer"):
            continue
        assert row["attname"] == "company_id", row["index_name"]


async def test_the_application_owns_nothing_and_is_nobody_special(owner: asyncpg.Connection) -> None:
    assert all(table["owner"] != "ledgerbee_app" for table in (await tables(owner)).values())
    role = await owner.fetchrow("SELECT * FROM pg_roles WHERE rolname = 'ledgerbee_app'")
    assert role is not None
    for power in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication", "rolinherit"):
        assert not role[power], power


async def test_without_a_company_nothing_is_seen(application: asyncpg.Connection, api: Api) -> None:
    for name, table in (await tables(application)).items():
        if table["of_company"] and await may(application, name, "SELECT"):
            assert await application.fetchval(f'SELECT count(*) FROM "{name}"') == 0, name


async def test_another_company_is_neither_read_nor_written(
    application: asyncpg.Connection, owner: asyncpg.Connection, api: Api, other_api: Api
) -> None:
    seen = 0
    for name, table in (await tables(owner)).items():
        if not table["of_company"] or name in {"company_directory", "daily_wakes", "membership_directory"}:
            continue
        rows_there = await owner.fetchval(f'SELECT count(*) FROM "{name}" WHERE company_id = $1', other_api.company_id)
        seen += bool(rows_there)
        await enter(application, api.company_id)
        if await may(application, name, "SELECT"):
            assert not await application.fetchval(
                f'SELECT count(*) FROM "{name}" WHERE company_id = $1', other_api.company_id
            ), name
        if await may(application, name, "DELETE"):
            await application.execute(f'DELETE FROM "{name}" WHERE company_id = $1', other_api.company_id)
        if await may(application, name, "UPDATE"):
            await application.execute(
                f'UPDATE "{name}" SET company_id = company_id WHERE company_id = $1', other_api.company_id
            )
        after = await owner.fetchval(f'SELECT count(*) FROM "{name}" WHERE company_id = $1', other_api.company_id)
        assert after == rows_there, name
    assert seen >= 8, "the other company has rows in too few tables for this to prove anything"


async def test_a_row_cannot_be_written_into_another_company(
    application: asyncpg.Connection, api: Api, other_api: Api
) -> None:
    await enter(application, api.company_id)
    await application.execute("SAVEPOINT before")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(
            "INSERT INTO draft_attachments SELECT $1, $1, $1, 1, 'a', 'text/plain', 1, sha256(''), now()",
            other_api.company_id,
        )
    await application.execute("ROLLBACK TO before")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(
            "UPDATE companies SET company_id = $2 WHERE company_id = $1", api.company_id, other_api.company_id
        )


async def test_the_list_of_companies_is_closed_to_the_application(application: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.fetch("SELECT * FROM company_directory")


async def may(connection: asyncpg.Connection, table: str, privilege: str) -> bool:
    return bool(await connection.fetchval("SELECT has_table_privilege('ledgerbee_app', $1, $2)", table, privilege))
