"""The auditor: recomputes a company's whole ledger from its lines and names the first fault.

It trusts no constraint, trigger or total: what it reads is what stands in the tables. Memory stays the same
however long the books are.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.money import ZERO
from ledgerbee.ledger import told
from ledgerbee.ledger.attachments import audit as attached
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.audit import fault_in_amounts
from ledgerbee.ledger.entries.store import new_entry
from ledgerbee.ledger.reports.trial_balance.audit import fault_in_days, fault_in_months
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context

#: Entries read, with their lines, at a time.
CHUNK: Final = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can't be: what, and the entry (if it is about one) by id and number."""

    what: str
    entry_id: UUID | None = None
    entry_number: int | None = None

    def __str__(self) -> str:
        if self.entry_id is None:
            return self.what
        return f"entry {self.entry_number} ({self.entry_id}): {self.what}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was recomputed, and the first fault; None means that everything agrees."""

    entries: int
    lines: int
    account_months: int
    fiscal_years: int
    fault: Fault | None
    #: Attached files compared with their hashes; None when there was no store to look into.
    attachments: int | None = None

    @property
    def passed(self) -> bool:
        return self.fault is None


class _FoundError(Exception):
    def __init__(self, what: str, entry: asyncpg.Record | None = None) -> None:
        super().__init__(what)
        self.fault = Fault(what, entry["id"], entry["entry_number"]) if entry is not None else Fault(what)


@dataclass(slots=True)
class _Audit:
    """How far the audit has come and what the books have to continue from there."""

    position: int = 0
    head: bytes = b""
    lines: int = 0
    account_months: int = 0
    tag_months: int = 0
    attachments: int = 0
    numbers: dict[UUID, int] = field(default_factory=dict)
    latest: datetime | None = None


async def verify(context: Context, progress: Progress | None = None, blobs: BlobStore | None = None) -> Verification:
    """Recompute everything of the context's company, in a transaction that is run with `one_snapshot`.

    Every entry: balanced in both currencies, complete, dated inside its financial year, numbered without a gap, on
    existing bookable accounts with their party, posted in order, its hash the one that follows from its content and its
    predecessor. Then totals by month, day and dimension value, the parties' balances, the counters and the chain's head
    against the lines, the events against entries and lock date, and, where `blobs` is given, files against hashes.
    `progress` is told (entries done, entries in all) after each chunk.
    """
    # One snapshot for all of it: what is posted meanwhile is not half seen.
    if await context.connection.fetchval("SHOW transaction_isolation") != "repeatable read":
        raise ValueError("verify needs a transaction of one snapshot")
    audit = _Audit(head=rules.genesis(context.company_id))
    years: dict[UUID, asyncpg.Record] = {}
    fault: Fault | None = None
    steps: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: _check_entries(context, audit, years, progress),
        lambda: _check_lines_without_entry(context, audit),
        lambda: _check_months(context, audit),
        lambda: _check_days(context, audit),
        lambda: _check_tag_months(context, audit),
        lambda: _check_parties(context),
        lambda: _check_counters(context, audit, years),
        lambda: _check_told(context),
        lambda: _check_attachments(context, audit, blobs),
    )
    try:
        years.update({row["id"]: row for row in await context.connection.fetch(_YEARS, context.company_id)})
        for step in steps:
            await step()
    except _FoundError as found:
        fault = found.fault
    attachments = None if blobs is None else audit.attachments
    return Verification(audit.position, audit.lines, audit.account_months, len(years), fault, attachments)


_YEARS: Final = (
    "SELECT id, start_date, end_date, last_entry_number FROM fiscal_years WHERE company_id = $1 ORDER BY start_date"
)
_ENTRIES: Final = """
SELECT id, entry_type, entry_date, fiscal_year_id, entry_number, chain_position, line_count, currency, exchange_rate,
       original_amount, description, reference, external_system_id, customer_id, vendor_id, journal_category_id,
       tag_ids, source_type, source_id, reverses_entry_id, attachment_count, delivery_date, posted_at,
       previous_hash, hash
FROM journal_entries WHERE company_id = $1 ORDER BY chain_position
"""
_LINES: Final = """
SELECT l.entry_id, l.id, l.line_number, l.account_id, l.entry_date, l.is_debit, l.currency, l.amount, l.base_amount,
       l.line_type, l.vat_code_id, l.customer_id, l.vendor_id, l.description, l.tag_ids, l.vat_rate, l.vat_difference,
       a.number AS account_number, a.ledger_type, a.control_account_type,
       a.control_account_type IS NOT NULL AS is_control, v.contra_account_id IS NOT NULL AS is_reverse_charge
FROM journal_lines l LEFT JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
LEFT JOIN vat_codes v ON v.company_id = l.company_id AND v.id = l.vat_code_id
WHERE l.company_id = $1 AND l.entry_id = ANY ($2) ORDER BY l.entry_id, l.line_number
"""


_ATTACHED: Final = """
SELECT entry_id, hash FROM journal_attachments WHERE company_id = $1 AND entry_id = ANY ($2) ORDER BY entry_id, position
"""


async def _check_entries(
    context: Context, audit: _Audit, years: dict[UUID, asyncpg.Record], progress: Progress | None
) -> None:
    book = await context.connection.fetchrow(
        "SELECT chain_position, base_currency, converted_by_line_from FROM ledgers WHERE company_id = $1",
        context.company_id,
    )
    if book is None:
        raise _FoundError("the company has no ledger")
    cursor = await context.connection.cursor(_ENTRIES, context.company_id)
    while entries := await cursor.fetch(CHUNK):
        lines: dict[UUID, list[asyncpg.Record]] = {entry["id"]: [] for entry in entries}
        for line in await context.connection.fetch(_LINES, context.company_id, list(lines)):
            lines[line["entry_id"]].append(line)
        attached: dict[UUID, list[bytes]] = {entry["id"]: [] for entry in entries}
        for row in await context.connection.fetch(_ATTACHED, context.company_id, list(lines)):
            attached[row["entry_id"]].append(row["hash"])
        for entry in entries:
            _check_place(audit, years, entry)
            _check_moment(audit, context.now, entry)
            _check_lines(entry, lines[entry["id"]], book["base_currency"])
            if entry["chain_position"] >= book["converted_by_line_from"]:
                _check_amounts(entry, lines[entry["id"]], book["base_currency"])
            _check_chain(context.company_id, audit, entry, lines[entry["id"]], attached[entry["id"]])
        if progress is not None:
            progress(audit.position, book["chain_position"])


def _check_place(audit: _Audit, years: dict[UUID, asyncpg.Record], entry: asyncpg.Record) -> None:
    """Chain positions and numbers run on from the entry before, and the date is in the entry's year."""
    if entry["chain_position"] != audit.position + 1:
        raise _FoundError(
            f"chain position {entry['chain_position']} follows {audit.position}: an entry is missing or doubled", entry
        )
    year = years.get(entry["fiscal_year_id"])
    if year is None:
        raise _FoundError("its fiscal year does not exist", entry)
    if not year["start_date"] <= entry["entry_date"] <= year["end_date"]:
        raise _FoundError(
            f"its date {entry['entry_date']} is outside its fiscal year {year['start_date']}..{year['end_date']}", entry
        )
    expected = audit.numbers.get(year["id"], 0) + 1
    if entry["entry_number"] != expected:
        raise _FoundError(
            f"its number is {entry['entry_number']} where {expected} comes next in the fiscal year that starts "
            f"{year['start_date']}",
            entry,
        )
    audit.numbers[year["id"]] = expected


def _check_moment(audit: _Audit, now: datetime, entry: asyncpg.Record) -> None:
    if (what := told.fault_in_moment(entry, audit.latest, now)) is not None:
        raise _FoundError(what, entry)
    audit.latest = max(audit.latest or entry["posted_at"], entry["posted_at"])


def _check_lines(entry: asyncpg.Record, lines: list[asyncpg.Record], base_currency: str) -> None:
    """The lines are all there, agree with their entry, stand on accounts that take them, and balance."""
    if [line["line_number"] for line in lines] != list(range(1, entry["line_count"] + 1)):
        raise _FoundError(f"it has {len(lines)} of its {entry['line_count']} lines", entry)
    for line in lines:
        number = line["line_number"]
        if line["entry_date"] != entry["entry_date"] or line["currency"] != entry["currency"]:
            raise _FoundError(f"line {number} has another date or currency than its entry", entry)
        if line["account_number"] is None:
            raise _FoundError(f"line {number} stands on an account that does not exist ({line['account_id']})", entry)
        if line["ledger_type"] not in {"BALANCE_SHEET", "PROFIT_AND_LOSS"}:
            raise _FoundError(f"line {number} stands on account {line['account_number']}, which takes none", entry)
        if any(line[name] != 0 and line["is_debit"] != (line[name] > 0) for name in ("amount", "base_amount")):
            raise _FoundError(f"the amount of line {number} is on the other side than the line", entry)
        if line["currency"] == base_currency and line["amount"] != line["base_amount"]:
            raise _FoundError(f"line {number} is in base currency, yet its base amount differs", entry)
        _check_party(entry, line)
    difference = sum((line["amount"] for line in lines), ZERO)
    if difference != 0:
        raise _FoundError(f"debits and credits differ by {difference:f} {entry['currency']}", entry)
    difference = sum((line["base_amount"] for line in lines), ZERO)
    if difference != 0:
        raise _FoundError(f"debits and credits differ by {difference:f} in base currency", entry)


def _check_amounts(entry: asyncpg.Record, lines: list[asyncpg.Record], base_currency: str) -> None:
    if (what := fault_in_amounts(entry, lines, base_currency)) is not None:
        raise _FoundError(what, entry)


def _check_party(entry: asyncpg.Record, line: asyncpg.Record) -> None:
    control = line["control_account_type"]
    customer = entry["customer_id"] if control == "ACCOUNTS_RECEIVABLE" else None
    vendor = entry["vendor_id"] if control == "ACCOUNTS_PAYABLE" else None
    if control is not None and customer is None and vendor is None:
        raise _FoundError(f"line {line['line_number']} is on a control account, but the entry has no party", entry)
    if line["customer_id"] != customer or line["vendor_id"] != vendor:
        raise _FoundError(f"line {line['line_number']} has another party than its entry and account call for", entry)


def _check_chain(
    company_id: UUID, audit: _Audit, entry: asyncpg.Record, lines: list[asyncpg.Record], attached: list[bytes]
) -> None:
    """The entry's hash follows from its content and from the entry before it."""
    if len(attached) != entry["attachment_count"]:
        raise _FoundError(f"it has {len(attached)} of its {entry['attachment_count']} attachments", entry)
    if entry["previous_hash"] != audit.head:
        raise _FoundError("its previous hash is not the hash of the entry before it", entry)
    content = rules.digest(
        company_id, new_entry(entry, lines, attached), [line["id"] for line in lines], entry["posted_at"]
    )
    expected = rules.chain_hash(audit.head, entry["chain_position"], entry["entry_number"], content)
    if entry["hash"] != expected:
        raise _FoundError("its hash does not follow from its content: the entry or a line of it was changed", entry)
    audit.head = expected
    audit.position += 1
    audit.lines += len(lines)


async def _check_lines_without_entry(context: Context, audit: _Audit) -> None:
    count = await context.connection.fetchval(
        "SELECT count(*) FROM journal_lines WHERE company_id = $1", context.company_id
    )
    if count == audit.lines:
        return
    entry_id = await context.connection.fetchval(
        "SELECT l.entry_id FROM journal_lines l WHERE l.company_id = $1 AND NOT EXISTS (SELECT FROM journal_entries e"
        " WHERE e.company_id = l.company_id AND e.id = l.entry_id) ORDER BY l.entry_id LIMIT 1",
        context.company_id,
    )
    raise _FoundError(f"{count - audit.lines} lines belong to no entry, the first to {entry_id}")


async def _check_months(context: Context, audit: _Audit) -> None:
    if (what := await fault_in_months(context)) is not None:
        raise _FoundError(what)
    audit.account_months = await context.connection.fetchval(
        "SELECT count(*) FROM account_months WHERE company_id = $1", context.company_id
    )


async def _check_days(context: Context, audit: _Audit) -> None:
    if (what := await fault_in_days(context, audit.position)) is not None:
        raise _FoundError(what)


_TAG_MONTHS: Final = """
WITH actual AS (
    SELECT t.id AS tag_id, l.account_id, date_trunc('month', l.entry_date::timestamp)::date AS month,
           coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0) AS base_debit,
           coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0) AS base_credit
    FROM journal_lines l
    JOIN journal_entries e ON e.company_id = l.company_id AND e.id = l.entry_id
    CROSS JOIN LATERAL (SELECT unnest(e.tag_ids) UNION SELECT unnest(l.tag_ids)) AS t (id)
    WHERE l.company_id = $1 AND (e.tag_ids <> '{}' OR l.tag_ids <> '{}')
    GROUP BY 1, 2, 3
), kept AS (
    SELECT tag_id, account_id, month, base_debit, base_credit FROM tag_months WHERE company_id = $1
)
SELECT tag_id, month, n.number AS account_number, v.name
FROM actual FULL JOIN kept USING (tag_id, account_id, month)
LEFT JOIN accounts n ON n.company_id = $1 AND n.id = account_id
LEFT JOIN dimension_values v ON v.company_id = $1 AND v.id = tag_id
WHERE v.id IS NULL
   OR (actual.base_debit, actual.base_credit) IS DISTINCT FROM (kept.base_debit, kept.base_credit)
ORDER BY month, account_number LIMIT 1
"""


async def _check_tag_months(context: Context, audit: _Audit) -> None:
    """Totals by dimension value are the sums of the lines that carry it, and the values are there."""
    wrong = await context.connection.fetchrow(_TAG_MONTHS, context.company_id)
    if wrong is not None and wrong["name"] is None:
        raise _FoundError(f"lines carry the dimension value {wrong['tag_id']}, which does not exist")
    if wrong is not None:
        raise _FoundError(
            f"the total of {wrong['name']} on account {wrong['account_number']} for {wrong['month']:%Y-%m} is not the "
            "sum of its lines"
        )
    audit.tag_months = await context.connection.fetchval(
        "SELECT count(*) FROM tag_months WHERE company_id = $1", context.company_id
    )


_PARTIES: Final = """
WITH parties AS (
    SELECT l.account_id, sum(l.base_amount) AS balance,
           count(*) FILTER (WHERE c.id IS NULL AND v.id IS NULL) AS unknown
    FROM journal_lines l
    LEFT JOIN customers c ON c.company_id = l.company_id AND c.id = l.customer_id
    LEFT JOIN vendors v ON v.company_id = l.company_id AND v.id = l.vendor_id
    WHERE l.company_id = $1 AND (l.customer_id IS NOT NULL OR l.vendor_id IS NOT NULL)
    GROUP BY l.account_id
), controls AS (
    SELECT m.account_id, sum(m.base_debit - m.base_credit) AS balance
    FROM account_months m JOIN accounts a ON a.company_id = m.company_id AND a.id = m.account_id
    WHERE m.company_id = $1 AND a.control_account_type IS NOT NULL
    GROUP BY m.account_id
)
SELECT a.number, parties.unknown, coalesce(parties.balance, 0) AS of_parties,
       coalesce(controls.balance, 0) AS of_account
FROM parties FULL JOIN controls USING (account_id)
LEFT JOIN accounts a ON a.company_id = $1 AND a.id = account_id
WHERE parties.unknown > 0 OR parties.balance IS DISTINCT FROM controls.balance
ORDER BY a.number LIMIT 1
"""


async def _check_parties(context: Context) -> None:
    """What customers owe and vendors are owed is, party by party, what stands on the accounts that stand for them."""
    wrong = await context.connection.fetchrow(_PARTIES, context.company_id)
    if wrong is not None and wrong["unknown"]:
        raise _FoundError(f"{wrong['unknown']} lines of account {wrong['number']} are of parties that do not exist")
    if wrong is not None:
        raise _FoundError(
            f"the balances of the parties on account {wrong['number']} add up to {wrong['of_parties']:f}, "
            f"the account's is {wrong['of_account']:f}"
        )


async def _check_counters(context: Context, audit: _Audit, years: dict[UUID, asyncpg.Record]) -> None:
    """The next entry will continue where the last one stands."""
    for year in years.values():
        last = audit.numbers.get(year["id"], 0)
        if year["last_entry_number"] != last:
            raise _FoundError(
                f"the fiscal year that starts {year['start_date']} counts {year['last_entry_number']} entries, it has "
                f"{last}"
            )
    by_start = list(years.values())
    for earlier, later in pairwise(by_start):
        if later["start_date"] <= earlier["end_date"]:
            raise _FoundError(f"the fiscal years that start {earlier['start_date']} and {later['start_date']} overlap")
    book = await context.connection.fetchrow(
        "SELECT chain_position, head_hash FROM ledgers WHERE company_id = $1", context.company_id
    )
    assert book is not None
    if book["chain_position"] != audit.position:
        raise _FoundError(f"the ledger counts {book['chain_position']} entries, it has {audit.position}")
    if book["head_hash"] != audit.head:
        raise _FoundError("the head of the chain is not the hash of the last entry")


async def _check_told(context: Context) -> None:
    """Each entry has its event and the reference that was told, and the lock date is what its last event says."""
    async for entry, what in told.untold(context):
        raise _FoundError(what, entry)
    if (locked := await told.fault_in_lock_date(context)) is not None:
        raise _FoundError(locked)


async def _check_attachments(context: Context, audit: _Audit, blobs: BlobStore | None) -> None:
    """Every posted attachment's content is there and follows from nothing but its hash."""
    if blobs is None:
        return
    async for entry, what in attached.look_through(context, blobs):
        if what is not None:
            raise _FoundError(what, entry)
        audit.attachments += 1
