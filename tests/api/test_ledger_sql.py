"""What the database itself holds to, tried as SQL: by the application's role, and by the owner of the tables."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.conftest import Api, SteeredClock, allow_any_moment, new_company, with_database
from tests.ledger_books import BANK, RECEIVABLES, SALES, Books, allow_temporary_tables, as_owner, books_of, enter

from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.ledger.entries.store.arrays import ARRAYS, POST, arguments_of
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform import literals
from ledgerbee.platform.db import Database

TABLES = ("journal_entries", "journal_lines", "account_months", "account_days", "tag_months", "ledgers", "fiscal_years")
#: Tables that posting shows to the planner, as long as it doesn't know them.
ANALYZED = ("journal_entries", "journal_lines", "account_months")


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    """Books with one invoice posted."""
    books = await books_of(api)
    await books.post(books.invoice("2026-01-15", await books.customer()))
    return books


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await as_owner(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def application(books: Books, database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A transaction of the application's role in the books' company, rolled back at the end."""
    connection = await as_owner(database_url)
    transaction = connection.transaction()
    await transaction.start()
    await enter(connection, books.api.company_id)
    yield connection
    await transaction.rollback()
    await connection.close()


async def call(
    connection: "asyncpg.Connection[asyncpg.Record]", *entries: EntryToPost, **changed: Sequence[Any]
) -> asyncpg.Record | None:
    """Call the posting function past everything that Python checks; `changed` replaces arguments by name."""
    return await call_at(datetime(2026, 3, 16, 12, tzinfo=UTC), connection, *entries, **changed)


async def call_at(
    moment: datetime,
    connection: "asyncpg.Connection[asyncpg.Record]",
    *entries: EntryToPost,
    **changed: Sequence[Any],
) -> asyncpg.Record | None:
    """The same at a moment, for the company that the transaction names."""
    company = await connection.fetchval("SELECT nullif(current_setting('app.company_id'), '')::uuid")
    line_ids = [[new_id() for _ in entry.lines] for entry in entries]
    values = arguments_of(entries, line_ids, [bytes(32) for _ in entries])
    arguments: dict[str, str | None] = dict(zip((name for name, _ in ARRAYS), values, strict=True))
    for name, elements in changed.items():
        arguments[name] = literals.text_array([_text(element) for element in elements])
    async with connection.transaction():
        return await connection.fetchrow(POST, company, moment, [new_id(), new_id()], *arguments.values())


def _text(element: Any) -> str | None:
    if isinstance(element, bytes):
        return f"\\x{element.hex()}"
    return None if element is None else str(element)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_application_can_not_write_the_ledger(
    application: "asyncpg.Connection[asyncpg.Record]", table: str, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(statement.replace("{}", table))


@pytest.mark.parametrize(
    "change",
    [
        "journal_entries SET entry_date = '2020-01-01'", "journal_entries SET original_amount = 1",
        "journal_entries SET description = 'x'", "journal_entries SET company_id = gen_random_uuid()",
        "journal_entries SET entry_number = 7", "journal_entries SET hash = previous_hash",
        "journal_entries SET attachment_count = 1", "journal_entries SET tag_ids = '{}'",
        "journal_lines SET entry_date = '2020-01-01'", "journal_lines SET tag_ids = '{}'",
        "tag_months SET base_debit = 0",
        "journal_lines SET amount = 0", "journal_lines SET account_id = id", "journal_lines SET description = ''",
        "account_months SET debit = 0", "account_days SET base_debit = 0",
        "ledgers SET locked_through = NULL", "ledgers SET chain_position = 0",
        "fiscal_years SET last_entry_number = 0",
    ],
)  # fmt: skip
async def test_the_application_can_not_change_what_is_posted(
    application: "asyncpg.Connection[asyncpg.Record]", change: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(f"UPDATE {change}")


async def test_the_application_can_not_roll_up_days(application: "asyncpg.Connection[asyncpg.Record]") -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute("SELECT roll_up_days(current_company(), 1, 1)")


async def test_the_application_may_correct_the_reference(
    application: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    done = await application.execute("UPDATE journal_entries SET reference = 'PO 7', external_system_id = 'x'")
    assert done == "UPDATE 1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entries SET entry_date = entry_date - 1 WHERE company_id = $1",
        "UPDATE journal_entries SET description = 'x', reference = 'y' WHERE company_id = $1",
        "DELETE FROM journal_entries WHERE company_id = $1",
        "UPDATE journal_lines SET amount = amount WHERE company_id = $1",
        "DELETE FROM journal_lines WHERE company_id = $1",
        "UPDATE journal_entries SET attachment_count = 1 WHERE company_id = $1",
        "UPDATE journal_entries SET tag_ids = ARRAY[id] WHERE company_id = $1",
        "UPDATE journal_lines SET entry_date = entry_date - 1, tag_ids = '{}' WHERE company_id = $1",
    ],
)
async def test_the_owner_can_not_change_what_is_posted(
    books: Books, owner: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner.execute(statement, books.api.company_id)
    assert refused.value.sqlstate == "LB419"


@pytest.mark.parametrize("table", ["journal_entries", "journal_lines"])
async def test_the_owner_can_not_truncate(owner: "asyncpg.Connection[asyncpg.Record]", table: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner.execute(f"TRUNCATE {table} CASCADE")
    assert refused.value.sqlstate == "LB419"


@pytest.mark.parametrize(
    ("amounts", "bases", "sqlstate"),
    [
        (["100.00", "99.99"], ["100.00", "99.99"], "LB412"),
        (["100", "99.999999999999"], ["100", "100"], "LB413"),
        (["100", "100"], ["100", "99.999999999999"], "LB413"),
        (["100.000000000001", "100.000000000001"], ["100", "100"], "LB413"),
        (["100.00", "100.00"], ["100.00", "99.99"], "LB412"),
        (["NaN", "NaN"], ["1", "1"], "23514"),
        (["1e18", "1e18"], ["1e18", "1e18"], "22003"),
        (["-1", "-1"], ["-1", "-1"], "23514"),
        (["Infinity", "Infinity"], ["1", "1"], "22003"),
    ],
)
async def test_unbalanced_or_impossible_amounts_are_refused_by_the_function(
    books: Books,
    application: "asyncpg.Connection[asyncpg.Record]",
    amounts: list[str],
    bases: list[str],
    sqlstate: str,
) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await call(application, books.sale("2026-01-01", "1.00"), line_amounts=amounts, line_base_amounts=bases)
    assert refused.value.sqlstate == sqlstate


async def test_the_function_refuses_what_does_not_belong_together(
    books: Books, application: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    entries = [books.sale("2026-01-01", "1.00"), books.sale("2026-01-02", "1.00")]
    disagreeing: list[dict[str, Sequence[Any]]] = [
        {"line_entries": [1, 1, 1, 1], "line_numbers": [1, 2, 3, 4]},  # the second entry has no lines
        {"line_numbers": [1, 3, 1, 2]},
        {"line_counts": [3, 2]},
        {"line_accounts": [new_id() for _ in range(4)]},
    ]
    impossible: list[dict[str, Sequence[Any]]] = [
        {"ids": [entries[0].id, entries[0].id]},
        {"line_entries": [1, 2, 3, 3]},
        {"line_counts": [1, 3]},
        {"digests": [bytes(32), None]},
    ]
    for changed in disagreeing:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await call(application, *entries, **changed)
        assert refused.value.sqlstate in {"LB418", "LB414"}
    for changed in impossible:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await call(application, *entries, **changed)
    assert await call(application, *entries) is not None


async def test_no_company_no_posting(books: Books, application: "asyncpg.Connection[asyncpg.Record]") -> None:
    await application.execute("SET LOCAL app.company_id = ''")
    for statement in (
        "SELECT open_ledger($1, 'DKK', 2, gen_random_uuid(), '2026-01-01', '2026-12-31')",
        "SELECT add_fiscal_year($1, gen_random_uuid(), '2027-01-01', '2027-12-31')",
        "SELECT hold_ledger($1)",
        "SELECT set_lock_date($1, '2026-01-01', true)",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with application.transaction():
                await application.execute(statement, books.api.company_id)
        assert refused.value.sqlstate == "LB403"
    with pytest.raises(asyncpg.PostgresError) as refused:
        await call(application, books.sale("2026-01-01", "1.00"))
    assert refused.value.sqlstate == "LB403"


async def test_a_company_without_books_is_told_so(
    books: Books, application: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await enter(application, new_id())
    with pytest.raises(asyncpg.PostgresError) as refused:
        await call(application, books.sale("2026-01-01", "1.00"))
    assert refused.value.sqlstate == "LB404"


async def test_books_are_opened_once(books: Books, application: "asyncpg.Connection[asyncpg.Record]") -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await application.execute(
            "SELECT open_ledger($1, 'EUR', 2, gen_random_uuid(), '2026-01-01', '2026-12-31')", books.api.company_id
        )


async def test_other_companies_books_are_not_seen(
    application: "asyncpg.Connection[asyncpg.Record]", other_api: Api
) -> None:
    await enter(application, other_api.company_id)
    for table in ("journal_entries", "journal_lines", "account_months", "account_days"):
        assert await application.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert await application.fetchval("SELECT count(*) FROM ledgers") == 1
    assert await application.fetchval("SELECT count(*) FROM fiscal_years") == 1
    assert await application.execute("UPDATE journal_entries SET reference = 'x'") == "UPDATE 0"


async def test_a_temporary_table_can_not_take_a_real_ones_place(
    books: Books, application: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    """The functions run as the owner: names they use must not be the caller's to define."""
    await allow_temporary_tables(database_url)
    await application.execute("CREATE TEMP TABLE accounts (LIKE public.accounts) ON COMMIT DROP")
    await application.execute("CREATE TEMP TABLE ledgers (LIKE public.ledgers) ON COMMIT DROP")
    await application.execute("INSERT INTO pg_temp.accounts SELECT * FROM public.accounts")
    await application.execute("UPDATE pg_temp.accounts SET control_account_type = NULL, ledger_type = 'BALANCE_SHEET'")
    with pytest.raises(asyncpg.PostgresError) as refused:
        await call(application, books.invoice("2026-01-01", None))
    assert refused.value.sqlstate == "LB416"


async def test_the_owner_writes_no_unbalanced_or_partial_entry_either(
    books: Books, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    entry, company = new_id(), books.api.company_id
    columns = await owner.fetchval(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = 'journal_entries' AND is_generated = 'NEVER'"
    )
    copy = (
        f"INSERT INTO journal_entries ({columns}) SELECT {columns} FROM (SELECT (jsonb_populate_record(e,"
        " jsonb_build_object('id', $2::uuid, 'chain_position', 900, 'entry_number', 900))).*"
        " FROM journal_entries e WHERE company_id = $1) e"
    )
    lines = (
        "INSERT INTO journal_lines SELECT (jsonb_populate_record(l, jsonb_build_object('entry_id', $2::uuid{}))).*"
        " FROM journal_lines l WHERE company_id = $1"
    )
    alone = (copy, lines.format(""))
    together = f"WITH e AS ({copy}) {lines}"
    unbalanced = together.format(", 'amount', CASE WHEN l.is_debit THEN 1250.01 ELSE l.amount END")
    redated = together.format(", 'entry_date', '2026-01-16'")
    no_party = together.format(", 'customer_id', NULL")
    for statement, sqlstate in (
        (alone[0], "LB418"), (alone[1], "LB418"), (unbalanced, "LB412"), (redated, "LB418"), (no_party, "LB418"),
    ):  # fmt: skip
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner.execute(statement, company, entry)
        assert refused.value.sqlstate == sqlstate, statement
        if sqlstate == "LB412":
            assert json.loads(refused.value.detail or "")["difference"] == "0.0100"
    # A posted entry takes no more lines, balanced or not.
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner.execute(
            "INSERT INTO journal_lines SELECT (jsonb_populate_record(l, jsonb_build_object('line_number',"
            " l.line_number + 3))).* FROM journal_lines l WHERE company_id = $1",
            company,
        )
    assert refused.value.sqlstate == "LB418"
    assert (await books.verify()).passed


async def test_what_is_posted_on_stays(books: Books, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    company = books.api.company_id
    for statement in (
        f"DELETE FROM accounts WHERE company_id = $1 AND number = {SALES}",
        f"UPDATE accounts SET ledger_type = 'HEADING' WHERE company_id = $1 AND number = {SALES}",
        f"UPDATE accounts SET control_account_type = NULL WHERE company_id = $1 AND number = {RECEIVABLES}",
        "DELETE FROM customers WHERE company_id = $1",
        "UPDATE customers SET id = gen_random_uuid() WHERE company_id = $1",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            await owner.execute(statement, company)
        assert (refused.value.constraint_name or "").startswith("journal_lines_")
    unused = await books.customer("2")
    await owner.execute(
        f"UPDATE accounts SET control_account_type = 'ACCOUNTS_PAYABLE' WHERE company_id = $1 AND number = {BANK}",
        company,
    )
    await owner.execute(f"UPDATE accounts SET name = 'Salg' WHERE company_id = $1 AND number = {SALES}", company)
    await owner.execute("DELETE FROM customers WHERE company_id = $1 AND id = $2", company, unused)


async def test_primary_keys_are_the_youngest_of_what_finds_a_row(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    """On empty tables the planner takes the youngest of the indexes that it can use, see 0004_ledger.sql."""
    youngest = await owner.fetch(
        "SELECT DISTINCT ON (i.indrelid) i.indrelid::regclass::text AS listed, i.indisprimary FROM pg_index i"
        " WHERE i.indrelid::regclass::text = ANY ($1) AND i.indpred IS NULL ORDER BY i.indrelid, i.indexrelid DESC",
        ["journal_entries", "journal_lines", "draft_journal_entries", "draft_journal_lines"],
    )
    assert [row["indisprimary"] for row in youngest] == [True] * 4, youngest


@pytest_asyncio.fixture
async def new_database_url(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A database in which nothing was ever posted, and whose ledger autovacuum leaves alone."""
    name = f"ledgerbee_planner_{os.getpid()}_{worker_id}"
    url = with_database(server_url, name)
    server = await asyncpg.connect(server_url)
    await server.execute(f'CREATE DATABASE "{name}"')
    try:
        await migrate(url)
        await allow_any_moment(url)
        owner = await as_owner(url)
        for table in ANALYZED:
            await owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        await owner.close()
        yield url
    finally:
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await server.close()


async def test_the_planner_hears_of_the_ledger_at_its_256th_entry(
    http: httpx.AsyncClient, clock: SteeredClock, new_database_url: str
) -> None:
    """Once: a session that planned for empty tables would walk through all entries of a company to find one."""
    database = await Database.open(new_database_url, reactions=REACTIONS, max_size=1)
    owner = await as_owner(new_database_url)

    async def known() -> dict[str, int]:
        rows = await owner.fetch("SELECT relname, reltuples::int FROM pg_class WHERE relname = ANY ($1)", ANALYZED)
        return {row["relname"]: row["reltuples"] for row in rows}

    try:
        books = await books_of(await new_company(http, database, clock))
        empty = await known()
        await books.post(*[books.sale("2026-01-15", "1.00") for _ in range(255)])
        assert await known() == empty
        await books.post(books.sale("2026-01-15", "1.00"))
        heard = await known()
        assert heard == {"journal_entries": 256, "journal_lines": 512, "account_months": 2}
        await books.post(*[books.sale("2026-02-15", "1.00") for _ in range(300)])
        assert await known() == heard
    finally:
        await owner.close()
        await database.close()
