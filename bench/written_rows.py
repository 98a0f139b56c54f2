"""The rows that a billing run wrote, written once more by SQL alone: what the database itself takes for them."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import asyncpg

#: What a chunk adds to and changes, in the order in which it is written; entries and lines go together, in between.
_ADDED: Final = (
    "document_snapshots", "deliveries", "subscription_charges", "events", "billing_run_results",
)  # fmt: skip
_CHANGED: Final = ("subscriptions", "billing_schedules", "metered_spans")
_TABLES: Final = ("billing_runs", "invoices", "invoice_lines", "journal_entries", "journal_lines", *_ADDED, *_CHANGED)
#: What an invoice has from its booking on: until then it is a draft, which its lines are added to.
_BOOKED: Final = (
    "number", "number_sequence", "receivable_account_id", "exchange_rate", "base_amount", "journal_entry_id", "sent_at",
)  # fmt: skip
_KEYS: Final = {
    "invoices": ("id",),
    "subscriptions": ("id",),
    "billing_schedules": ("subscription_id", "price_id"),
    "metered_spans": ("subscription_id", "price_id", "starts_on"),
}
_COLUMNS: Final = """
SELECT array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'
"""
_NUMBERS: Final = """
UPDATE number_series s SET last_number = r.last FROM (
    SELECT company_id, max(number_sequence) AS last FROM copied_invoices WHERE tx = $1 GROUP BY company_id
) r WHERE s.company_id = r.company_id AND s.name = 'invoice'
"""
_CHUNKS: Final = "SELECT tx FROM copied_invoices GROUP BY tx ORDER BY min(number_sequence)"


async def next_transaction(url: str) -> int:
    """The number of a transaction before which nothing of a run was written that begins now."""
    owner = await asyncpg.connect(url)
    number: int = await owner.fetchval("SELECT pg_current_xact_id()::text::bigint")
    await owner.close()
    return number


async def write_again(source_url: str, target_url: str, company_id: UUID, first_transaction: int) -> float:
    """The seconds that it takes to write into the target what transactions from that one on wrote in the source.

    The target is as the source was before. Each chunk is a transaction of as many statements as tables, from a copy of
    the rows that is there already; constraints and triggers are on.
    """
    source, target = await asyncio.gather(*(asyncpg.connect(url) for url in (source_url, target_url)))
    for connection in (source, target):
        await connection.execute("SELECT set_config('app.company_id', $1, false)", str(company_id))
    columns = {table: await target.fetchval(_COLUMNS, table) for table in _TABLES}
    for table, names in columns.items():
        await _copy(source, target, table, names, first_transaction)
    runs = ", ".join(columns["billing_runs"])
    await target.execute(f"INSERT INTO billing_runs ({runs}) SELECT {runs} FROM copied_billing_runs")
    await target.execute("VACUUM ANALYZE")
    statements = list(_statements(columns))
    started = time.perf_counter()
    for chunk in await target.fetch(_CHUNKS):
        async with target.transaction():
            for statement in statements:
                await target.execute(statement, chunk["tx"])
    elapsed = time.perf_counter() - started
    await asyncio.gather(source.close(), target.close())
    return elapsed


async def _copy(
    source: "asyncpg.Connection[asyncpg.Record]",
    target: "asyncpg.Connection[asyncpg.Record]",
    table: str,
    names: list[str],
    first_transaction: int,
) -> None:
    """Copy what was written of a table, with the number of the transaction."""
    listed = ", ".join(names)
    rows = f"SELECT 0::bigint AS tx, {listed} FROM {table} LIMIT 0"
    await target.execute(f"CREATE UNLOGGED TABLE copied_{table} AS {rows}")
    with tempfile.TemporaryFile() as file:
        await source.copy_from_query(
            f"SELECT xmin::text::bigint, {listed} FROM {table} WHERE xmin::text::bigint >= $1",
            first_transaction,
            output=file,
            format="binary",
        )
        file.seek(0)
        await target.copy_to_table(f"copied_{table}", source=file, format="binary")
    await target.execute(f"CREATE INDEX ON copied_{table} (tx)")


def _statements(columns: dict[str, list[str]]) -> Iterator[str]:
    """What writes one chunk; each takes the number of its transaction."""
    drafts = ["NULL" if one in _BOOKED else "'draft'" if one == "status" else one for one in columns["invoices"]]
    yield _insert("invoices", columns["invoices"], drafts)
    yield _insert("invoice_lines", columns["invoice_lines"])
    yield (
        f"WITH entries AS ({_insert('journal_entries', columns['journal_entries'])})"
        f" {_insert('journal_lines', columns['journal_lines'])}"
    )
    yield _update("invoices", columns["invoices"])
    yield _NUMBERS
    for table in _ADDED:
        yield _insert(table, columns[table])
    for table in _CHANGED:
        yield _update(table, columns[table])


def _insert(table: str, names: list[str], values: list[str] | None = None) -> str:
    listed = ", ".join(values or names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {listed} FROM copied_{table} WHERE tx = $1"


def _update(table: str, names: list[str]) -> str:
    keys = ("company_id", *_KEYS[table])
    changed = ", ".join(f"{name} = r.{name}" for name in names if name not in keys)
    kept = " AND ".join(f"t.{key} = r.{key}" for key in keys)
    return f"UPDATE {table} t SET {changed} FROM copied_{table} r WHERE r.tx = $1 AND {kept}"
