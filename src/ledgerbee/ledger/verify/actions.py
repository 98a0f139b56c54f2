"""The audit: recomputes a company's whole ledger from its lines and names the first fault.

It trusts no constraint, trigger or total: what it reads is what stands in the tables.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from ledgerbee.ledger.entries.audit import fault_in_amounts
from ledgerbee.ledger.entries.rules import digest, genesis
from ledgerbee.ledger.entries.store.reads import new_entry
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.periods.model import FiscalYear, FiscalYearId
from ledgerbee.ledger.verify import rules
from ledgerbee.ledger.verify.model import Fault, LedgerState, Progress, Recomputed, Row, Verification
from ledgerbee.ledger.verify.store import entries, events, totals
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context

Check = Callable[[], Awaitable[Fault | None]]


async def verify(context: Context, progress: Progress | None = None, blobs: BlobStore | None = None) -> Verification:
    """Recompute everything of the context's company, in a transaction that is run with `one_snapshot`.

    Every entry: balanced in both currencies, complete, dated inside its financial year, numbered without a gap, on
    existing bookable accounts with their party, posted in order, its hash the one that follows from its content and its
    predecessor. Then totals by month, day and dimension value, the parties' balances, the counters and the chain's head
    against the lines, the events against entries and lock date, and, where `blobs` is given, files against hashes.
    """
    # One snapshot for all of it: of what is posted meanwhile nothing is seen.
    if await context.connection.fetchval("SHOW transaction_isolation") != "repeatable read":
        raise ValueError("verify needs a transaction of one snapshot")
    years = await periods.list_all(context)
    found = Recomputed(head=genesis(context.company_id))
    ledger = await entries.find_ledger(context)
    fault: Fault | None = Fault("the company has no ledger")
    if ledger is not None:
        audit = _Audit(context, ledger, years, found, blobs, progress)
        fault = await audit.first_fault()
    attachments = None if blobs is None else found.attachments
    return Verification(found.position, found.lines, found.account_months, len(years), fault, attachments)


@dataclass(frozen=True, slots=True)
class _Audit:
    """One audit: the books, what has been recomputed of them, and the checks in their order."""

    context: Context
    ledger: LedgerState
    years: list[FiscalYear]
    found: Recomputed
    blobs: BlobStore | None
    progress: Progress | None

    async def first_fault(self) -> Fault | None:
        context, found = self.context, self.found
        checks: tuple[Check, ...] = (
            self._fault_in_entries,
            self._fault_in_number_of_lines,
            self._fault_in_months,
            lambda: totals.fault_in_days(context, found.position),
            lambda: totals.fault_in_tag_months(context),
            lambda: totals.fault_in_parties(context),
            self._fault_in_counters,
            lambda: events.fault_in_posting(context),
            lambda: events.fault_in_correction(context),
            lambda: events.fault_in_lock_date(context),
            self._fault_in_files,
        )
        for check in checks:
            if (fault := await check()) is not None:
                return fault
        return None

    async def _fault_in_entries(self) -> Fault | None:
        years = {year.id: year for year in self.years}
        async for chunk in entries.stream(self.context):
            for rows in chunk:
                if (what := self._fault_in_entry(years, rows)) is not None:
                    return Fault.of_entry(rows.entry, what)
                self.found.add(rows.entry)
            if self.progress is not None:
                self.progress(self.found.position, self.ledger.chain_position)
        return None

    def _fault_in_entry(self, years: Mapping[FiscalYearId, FiscalYear], rows: entries.EntryRows) -> str | None:
        entry, lines, base_currency = rows.entry, rows.lines, self.ledger.base_currency
        what = (
            rules.fault_in_place(self.found, years, entry)
            or rules.fault_in_moment(self.found, entry, self.context.now)
            or rules.fault_in_lines(entry, lines, base_currency)
        )
        if what is None and entry["chain_position"] >= self.ledger.converted_by_line_from:
            what = fault_in_amounts(entry, lines, base_currency)
        return (
            what
            or rules.fault_in_links(self.found, entry, len(rows.attachment_hashes))
            or rules.fault_in_hash(self.found, entry, self._digest(rows))
        )

    def _digest(self, rows: entries.EntryRows) -> bytes:
        content = new_entry(rows.entry, rows.lines, rows.attachment_hashes)
        line_ids = [line["id"] for line in rows.lines]
        return digest(self.context.company_id, content, line_ids, rows.entry["posted_at"])

    async def _fault_in_number_of_lines(self) -> Fault | None:
        more = await entries.count_lines(self.context) - self.found.lines
        return await entries.fault_in_lines_without_entry(self.context, more) if more else None

    async def _fault_in_months(self) -> Fault | None:
        fault = await totals.fault_in_months(self.context)
        if fault is None:
            self.found.account_months = await totals.count_months(self.context)
        return fault

    async def _fault_in_counters(self) -> Fault | None:
        what = rules.fault_in_counters(self.found, self.years, self.ledger)
        return None if what is None else Fault(what)

    async def _fault_in_files(self) -> Fault | None:
        """Every posted attachment's content is in the store and has its hash. A content is read once, one at a time."""
        if self.blobs is None:
            return None
        last: bytes | None = None
        what: str | None = None
        async for row in entries.stream_attachments(self.context):
            if row["hash"] != last:
                last, what = row["hash"], await _fault_in_content(self.blobs, self.context.company_id, row)
            if what is not None:
                return Fault.of_entry(row, f"its attachment {row['file_name']!r} {what}")
            self.found.attachments += 1
        return None


async def _fault_in_content(blobs: BlobStore, company_id: UUID, row: Row) -> str | None:
    """Raises `ATTACHMENT_STORE_UNAVAILABLE`."""
    content = await blobs.get(company_id, row["hash"])
    if content is None:
        return "is missing in the store"
    if len(content) != row["size"] or hashlib.sha256(content).digest() != row["hash"]:
        return "is not what was attached: its content differs from its hash"
    return None
