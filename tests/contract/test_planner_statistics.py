"""What EXPLAIN tells someone who has the API's login to the database, and no company.

Row-level security hides rows. When a comparison is leakproof (equal, less, starts with), the planner estimates with
statistics of all rows, and looks it up in an index before the policy is asked. The first tells values by the estimate,
the second by the number of rows that were removed.
"""

import re
from collections.abc import AsyncIterator
from typing import Final, TypeAlias

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.conftest import SteeredClock, new_company
from tests.ledger_books import as_owner, books_of

from ledgerbee.platform.db import Database

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

#: Types of columns that keep their statistics: plans go by them.
TOLD: Final = {"boolean", "smallint", "integer", "bigint", "date", "timestamp with time zone"}
#: Indexes of companies' tables that begin with something else than the company, and why the API's role can't ask them.
NOT_BY_COMPANY: Final = {
    "credentials_of_session": "the role may not compare sessions",
    "credentials_pkey": "the role may not compare hashes",
    "customers_metadata": "its comparison is not leakproof, so that it comes after the policy",
}
#: One estimate for each row, unrounded: an outer join has a row for each row of the right side that fits.
ESTIMATE: Final = "EXPLAIN SELECT FROM {} t LEFT JOIN generate_series(1, 1000000000000) g ON t.{} {}"

_COLUMNS = """
SELECT c.relname, quote_ident(a.attname) AS attname, format_type(a.atttypid, NULL) AS type, a.attstattarget,
       has_column_privilege('ledgerbee_app', c.oid, a.attnum, 'SELECT') AS is_readable,
       EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = c.oid AND s.staattnum = a.attnum) AS is_noted
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND (c.relkind = 'r' AND c.relrowsecurity
    OR i.indkey[a.attnum - 1] = 0 AND (SELECT t.relrowsecurity FROM pg_class t WHERE t.oid = i.indrelid))
ORDER BY 1, 2
"""
_NOTED_AGAIN = "ALTER TABLE {} ALTER COLUMN {} SET STATISTICS 100"


@pytest_asyncio.fixture(scope="module")
async def companies(http: httpx.AsyncClient, database: Database, module_clock: SteeredClock) -> None:
    """Two companies have books and keys."""
    for company in [await new_company(http, database, module_clock) for _ in range(2)]:
        books = await books_of(company)
        await books.post(*[books.sale("2026-01-15", f"{n}.00", description=f"Sale {n}") for n in range(1, 30)])
        for n in range(5):
            answer = await company.post("/v1/api-keys", {"name": f"Key {n}", "scopes": ["company-read"]})
            assert answer.status_code == 201, answer.text


@pytest_asyncio.fixture
async def connection(database_url: str, companies: None) -> AsyncIterator[Connection]:
    """A transaction of the owner's."""
    connection = await as_owner(database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest_asyncio.fixture
async def owner(connection: Connection) -> Connection:
    """A transaction of the owner's, in which ANALYZE has just seen everything."""
    await connection.execute("ANALYZE")
    return connection


async def as_stranger(connection: Connection) -> None:
    await connection.execute("SET LOCAL ROLE ledgerbee_app")
    assert await connection.fetchval("SELECT count(*) FROM companies") == 0


async def estimates(connection: Connection, table: str, column: str, values: list[str]) -> set[tuple[str, int]]:
    """What the planner expects around each of the values, which are literals."""
    found: set[tuple[str, int]] = set()
    for value in values:
        for comparison in ("<", "<=", "="):
            plan = await connection.fetchval(ESTIMATE.format(f'"{table}"', column, f"{comparison} {value}"))
            rows = re.search(r"rows=(\d+)", plan)
            assert rows, plan
            found.add((comparison, int(rows[1])))
    return found


async def test_what_companies_say_is_not_noted(owner: Connection) -> None:
    """A new column of such a type fails here until its revision calls forget_values() for the table."""
    rows = await owner.fetch(_COLUMNS)
    noted = {(row["relname"], row["attname"]) for row in rows if row["is_noted"] or row["attstattarget"] != 0}
    allowed = {
        (row["relname"], row["attname"]) for row in rows if row["type"] in TOLD or row["attname"] == "company_id"
    }
    assert noted - allowed == set()
    assert len(rows) > len(allowed) > 100
    assert await owner.fetch("SELECT stxname FROM pg_statistic_ext") == []


async def test_no_estimate_tells_a_value(owner: Connection) -> None:
    """Of any column: below, at and above what other companies have written."""
    columns = [
        row for row in await owner.fetch(_COLUMNS)
        if row["is_readable"] and row["type"] in {"text", "uuid", "bytea", "numeric"} and row["attname"] != "company_id"
    ]  # fmt: skip
    samples: dict[tuple[str, str], list[str]] = {}
    for row in columns:
        values = await owner.fetchval(
            f"SELECT array_agg(DISTINCT quote_literal(x.v) || '::{row['type']}') FROM"
            f' (SELECT {row["attname"]} AS v FROM "{row["relname"]}" WHERE {row["attname"]} IS NOT NULL'
            f" ORDER BY {row['attname']}) x"
        )
        if values and len(values) > 1:
            samples[row["relname"], row["attname"]] = [values[0], values[len(values) // 2], values[-1]]
    assert len(samples) > 40

    async def told() -> set[tuple[str, str]]:
        await as_stranger(owner)
        found = {place for place, values in samples.items() if len(await estimates(owner, *place, values)) > 3}
        await owner.execute("SET LOCAL ROLE NONE")
        return found

    assert await told() == set()
    for table, column in samples:  # the same way tells most of them as soon as they are noted
        await owner.execute(_NOTED_AGAIN.format(f'"{table}"', column))
    await owner.execute("ANALYZE")
    assert {("events", "object_id"), ("events", "type"), ("journal_lines", "account_id")} <= await told()


async def test_each_index_begins_with_the_company(connection: Connection) -> None:
    """An index that begins with another column counts rows of all companies, if the role may compare the column."""
    rows = await connection.fetch(
        "SELECT x.relname AS name, has_column_privilege('ledgerbee_app', c.oid, i.indkey[0], 'SELECT') AS is_readable,"
        "  (SELECT bool_or(p.proleakproof) FROM pg_amop o JOIN pg_operator r ON r.oid = o.amopopr"
        "   JOIN pg_proc p ON p.oid = r.oprcode JOIN pg_opclass k ON k.opcfamily = o.amopfamily"
        "   WHERE k.oid = i.indclass[0]) AS is_leakproof"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity"
        " AND a.attname IS DISTINCT FROM 'company_id'"
    )
    assert {row["name"] for row in rows} == NOT_BY_COMPANY.keys()
    assert [row["name"] for row in rows if row["is_readable"] and row["is_leakproof"]] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT secret_hash FROM credentials ORDER BY secret_hash", "SELECT * FROM credentials",
        "SELECT FROM credentials WHERE secret_hash < '\\x80'", "SELECT FROM credentials c WHERE c < NULL",
        "DELETE FROM credentials WHERE secret_hash < '\\x80'",
        "UPDATE credentials SET version = 1 WHERE secret_hash < '\\x80'",
        "INSERT INTO credentials (secret_hash) VALUES ('') RETURNING secret_hash",
        "INSERT INTO credentials (secret_hash) VALUES ('') ON CONFLICT (secret_hash) DO NOTHING",
    ],
)  # fmt: skip
async def test_hashes_are_compared_by_functions_alone(connection: Connection, statement: str) -> None:
    await as_stranger(connection)
    for explain in ("EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (GENERIC_PLAN)", ""):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.fetch(f"{explain} {statement}")
