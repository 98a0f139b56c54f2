"""A database with books in it is brought to a later release, by an owner who sees one company at a time too.

`books_of_0012.sql.gz` are the rows of three companies as the release of revision 0012 wrote them: 11 entries, one of
them in euros, 300 entries, and none (a company outside Denmark). `pg_dump --data-only --inserts` made it.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
import sqlparse
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from sqlalchemy.engine import make_url
from tests import patient
from tests.conftest import OPERATOR, Api, SteeredClock, allow_any_moment, with_database
from tests.ledger_books import BANK, SALES, Books, books_of

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.model import VatCode
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.periods import actions as period_actions
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.periods.model import FiscalYear
from ledgerbee.migrations.migrate import _upgrade, migrate
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.db import Database, Tenant
from ledgerbee.platform.job_queue import queries
from ledgerbee.tenancy.api_keys import actions as api_keys

ROWS = Path(__file__).with_name("books_of_0012.sql.gz")


@pytest_asyncio.fixture
async def upgraded(own_database: str, server_url: str) -> AsyncIterator[list[Books]]:
    """The books of the three companies in the schema of this release, by how many entries they have, most first."""
    await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(own_database), "0012_drafts")
    name = make_url(own_database).database
    assert name is not None
    loader = await asyncpg.connect(with_database(server_url, name))
    await loader.execute("SET session_replication_role = replica")
    await loader.execute(gzip.decompress(ROWS.read_bytes()).decode())
    # Once any year could be posted in: the company with 11 entries has two that lie apart.
    await loader.execute(
        "INSERT INTO fiscal_years (company_id, id, start_date, end_date)"
        " SELECT g.company_id, gen_random_uuid(), y.day, y.day + interval '1 year - 1 day'"
        " FROM ledgers g, unnest(ARRAY['1900-01-01'::date, '2035-01-01']) AS y (day) WHERE g.chain_position = 11"
    )
    counts = await loader.fetch("SELECT company_id, chain_position FROM ledgers ORDER BY chain_position DESC")
    await loader.close()
    assert [row["chain_position"] for row in counts] == [300, 11, 0]
    await migrate(own_database)
    await allow_any_moment(own_database)
    database = await Database.open(own_database, reactions=REACTIONS)
    found = []
    async with patient.async_client() as http:
        for row in counts:
            company: UUID = row["company_id"]
            tenant = Tenant(company, OPERATOR, "test", "Europe/Copenhagen")

            async def key(context: Context) -> str:
                _, secret = await api_keys.create(context, name="tests", scopes=SCOPES)
                return secret

            secret = await database.run(tenant, SteeredClock().now, key)
            found.append(await books_of(Api(http, company, secret, database, SteeredClock())))
    yield found
    await database.close()


async def counted_days(context: Context) -> int:
    count: int = await context.connection.fetchval(
        "SELECT count(*) FROM account_days WHERE company_id = $1", context.company_id
    )
    return count


async def test_filled_books_get_their_totals_by_day(upgraded: list[Books]) -> None:
    # Two accounts and each day of the month; what fills no stride is in no total.
    assert [await books.api.run(counted_days) for books in upgraded] == [56, 0, 0]
    for books in upgraded:
        result = await books.verify()
        assert result.passed, result.fault
    for books in upgraded[:2]:
        await books.post(*[books.sale("2026-03-01", "1.00") for _ in range(300)])
        result = await books.verify()
        assert result.passed, result.fault
    assert [await books.api.run(counted_days) for books in upgraded] == [58, 22, 0]


async def codes(context: Context) -> dict[str, VatCode]:
    return {one.code.code: one.code for one in await vat_codes.list_all(context)}


async def test_vat_codes_keep_their_rates_and_thirds_become_exact(upgraded: list[Books]) -> None:
    found = await upgraded[0].api.run(codes)
    assert len(found) == 72
    for code, rate, share in (
        ("S01", 25, "1"),
        ("K610", 25, "2/3"),
        ("K330", 25, "1/3"),
        ("K070", 25, "1/4"),
        ("S81", 0, "1"),
    ):
        (held,) = found[code].rates
        assert (held.rate, str(held.deductible_share)) == (Decimal(rate), share)
    assert all(len(code.rates) == 1 for code in (await upgraded[2].api.run(codes)).values())


async def test_entries_that_were_converted_as_a_whole_stay_and_the_next_are_converted_one_by_one(
    upgraded: list[Books],
) -> None:
    books = upgraded[1]
    entries = (await books.api.run(lambda context: context.connection.fetch(
        "SELECT base_amount FROM journal_lines WHERE company_id = $1 AND currency = 'EUR' ORDER BY line_number",
        context.company_id,
    )))  # fmt: skip
    assert [row["base_amount"] for row in entries] == [Decimal("248.67"), Decimal("497.50"), Decimal("-746.17")]
    conversion = rules.Conversion("EUR", "DKK", Decimal("7.461"))
    wrong = [
        books.line(BANK, "33.33", "248.66"), books.line(BANK, "66.68", "497.51"),
        books.line(SALES, "-100.01", "746.17"),
    ]  # fmt: skip
    assert conversion.in_base(wrong[0].amount) == Decimal("248.68")
    await books.post(books.entry("2026-02-03", wrong, currency="EUR", exchange_rate=conversion.rate))
    fault = (await books.verify()).fault
    assert fault is not None
    assert (fault.entry_number, fault.what) == (
        12, "its base amounts are further from amount x rate than balancing takes",
    )  # fmt: skip


async def test_years_stay_as_they_are(upgraded: list[Books]) -> None:
    """What lies apart stays apart; from now on a year is opened beside another."""
    books = upgraded[1]

    async def years(context: Context) -> list[int]:
        return [year.start_date.year for year in await periods.list_all(context)]

    async def open_2027(context: Context) -> FiscalYear:
        return await period_actions.open_year(context, date(2027, 1, 1), None)

    assert await books.api.run(years) == [1900, 2026, 2035]
    for day in ("1900-12-31", "2035-01-01", "2026-12-31"):
        await books.post(books.sale(day, "1.00"))
    for day in ("1901-01-01", "2025-12-31", "2027-01-01", "2034-12-31"):
        with pytest.raises(LedgerBeeError) as refused:
            await books.post(books.sale(day, "1.00"))
        assert refused.value.code == "FISCAL_YEAR_MISSING"
    await books.api.run(open_2027)
    await books.post(books.sale("2027-01-01", "1.00"))
    assert await books.api.run(years) == [1900, 2026, 2027, 2035]
    result = await books.verify()
    assert result.passed, result.fault


async def test_a_message_holds_one_statement(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revisions prepare theirs, of which PostgreSQL refuses several at once; here are the others."""
    sent: list[str] = []
    connect = asyncpg.connect

    async def connect_and_note(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
        connection = await connect(dsn)
        connection.add_query_logger(lambda record: sent.append(record.query))
        return connection

    monkeypatch.setattr(asyncpg, "connect", connect_and_note)
    await migrate(own_database)
    for part in ("CREATE TABLE pgqueuer ", "FUNCTION fn_pgqueuer_changed() RETURNS TRIGGER", "GRANT INSERT (job_id"):
        assert [part in one for one in sent].count(True) == 1, part
    connection = await connect(own_database)
    refusals = {one: await _refusal(connection, one) for one in (*sent, "SELECT 1; SELECT 2")}
    await connection.close()
    assert [one for one, why in refusals.items() if "multiple commands" in why] == ["SELECT 1; SELECT 2"]


async def _refusal(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> str:
    """What PostgreSQL says when the statement is prepared: nothing, or why it can't be."""
    try:
        await connection.prepare(statement)
    except asyncpg.PostgresError as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("script", [
    "CREATE TABLE t (a int); INSERT INTO t VALUES (1)",
    "SELECT 'a;b', \"c;d\" FROM (SELECT 1 AS \"c;d\"); -- e;f\nSELECT 2 /* ; */",
    r"SELECT E'b\';c'; SELECT 'it''s;'",
    "DO $$ BEGIN PERFORM 1; PERFORM $a$;$a$; END $$; DO $a$ BEGIN PERFORM $$;$$; END $a$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; BEGIN a := 1; RETURN a; END $$; VALUES (1)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
])  # fmt: skip
async def test_scripts_are_split(own_database: str, script: str) -> None:
    first, second = sqlparse.split(script)
    connection = await asyncpg.connect(own_database)
    assert "multiple commands" in await _refusal(connection, script)
    for one in (first, second):
        await connection.fetch(one)
    await connection.close()


async def test_a_delivery_of_an_invoice_becomes_one_of_a_document_with_its_recipient(own_database: str) -> None:
    await asyncio.to_thread(_upgrade, lambda: asyncpg.connect(own_database), "0023_fair_share")
    connection = await asyncpg.connect(own_database)
    await queries(AsyncpgDriver(connection)).install()
    await connection.execute(
        "INSERT INTO pgqueuer (priority, entrypoint, status) VALUES (0, 'deliver_invoice', 'queued')"
    )
    company, delivery = new_id(), new_id()
    await connection.execute("INSERT INTO company_directory VALUES ($1, now())", company)
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(company))
    await connection.execute(
        "INSERT INTO deliveries (company_id, id, document_type, document_id, delivery_type, recipient, status,"
        " created_at, updated_at) VALUES ($1, $2, 'invoice', $2, 'Email', 'a@b.dk', 'failed', now(), now())",
        company, delivery,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO delivery_attempts VALUES ($1, $2, $2, now(), 'email', 'a@b.dk', 'failed', '550 No', NULL)",
        company, delivery,
    )  # fmt: skip
    await migrate(own_database)
    assert await connection.fetchval("SELECT entrypoint FROM pgqueuer") == "deliver_document"
    found = await connection.fetch("SELECT id, delivery_id, position, address, status, reason FROM delivery_recipients")
    assert [tuple(row) for row in found] == [(delivery, delivery, 1, "a@b.dk", "failed", "550 No")]
    await connection.close()
