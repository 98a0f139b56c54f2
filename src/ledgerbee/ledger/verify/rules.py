"""What is wrong with an entry, its lines and the counters: each rule gives the first fault, None for nothing. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries.rules import chain_hash
from ledgerbee.ledger.periods.model import FiscalYear, FiscalYearId
from ledgerbee.ledger.verify.model import LedgerState, Recomputed, Row

#: How far the moments of entries may lie from their order: requests carry the moment at which they came in, and none
#: takes longer. The database checks posting by the same bound (`application_trust.clock_tolerance`).
TOLERANCE: Final = timedelta(hours=1)

_BOOKABLE: Final = frozenset({"BALANCE_SHEET", "PROFIT_AND_LOSS"})


def fault_in_place(before: Recomputed, years: Mapping[FiscalYearId, FiscalYear], entry: Row) -> str | None:
    """Chain positions and numbers run on from the entry before, and the date is in the entry's financial year."""
    if entry["chain_position"] != before.position + 1:
        return f"chain position {entry['chain_position']} follows {before.position}: an entry is missing or doubled"
    year = years.get(entry["fiscal_year_id"])
    if year is None:
        return "its fiscal year does not exist"
    if not year.span.holds(entry["entry_date"]):
        return f"its date {entry['entry_date']} is outside its fiscal year {year.start_date}..{year.end_date}"
    expected = before.numbers.get(year.id, 0) + 1
    if entry["entry_number"] != expected:
        return (
            f"its number is {entry['entry_number']} where {expected} comes next in the fiscal year that starts "
            f"{year.start_date}"
        )
    return None


def fault_in_moment(before: Recomputed, entry: Row, now: datetime) -> str | None:
    """An entry was posted after those before it, and not after `now`, the moment of the audit."""
    posted_at = entry["posted_at"]
    if before.latest is not None and posted_at < before.latest - TOLERANCE:
        return f"it says that it was posted at {posted_at}, yet it follows an entry that was posted at {before.latest}"
    if posted_at > now + TOLERANCE:
        return f"it says that it was posted at {posted_at}, which is still to come"
    return None


def fault_in_lines(entry: Row, lines: Sequence[Row], base_currency: str) -> str | None:
    """The lines are all there, agree with their entry, stand on accounts that take them, and balance."""
    if [line["line_number"] for line in lines] != list(range(1, entry["line_count"] + 1)):
        return f"it has {len(lines)} of its {entry['line_count']} lines"
    for line in lines:
        if (what := _fault_in_line(entry, line, base_currency) or _fault_in_party(entry, line)) is not None:
            return what
    for column, currency in (("amount", entry["currency"]), ("base_amount", "in base currency")):
        difference = sum((line[column] for line in lines), ZERO)
        if difference != 0:
            return f"debits and credits differ by {difference:f} {currency}"
    return None


def _fault_in_line(entry: Row, line: Row, base_currency: str) -> str | None:
    number = line["line_number"]
    if line["entry_date"] != entry["entry_date"] or line["currency"] != entry["currency"]:
        return f"line {number} has another date or currency than its entry"
    if line["account_number"] is None:
        return f"line {number} stands on an account that does not exist ({line['account_id']})"
    if line["ledger_type"] not in _BOOKABLE:
        return f"line {number} stands on account {line['account_number']}, which takes none"
    if any(line[name] != 0 and line["is_debit"] != (line[name] > 0) for name in ("amount", "base_amount")):
        return f"the amount of line {number} is on the other side than the line"
    if line["currency"] == base_currency and line["amount"] != line["base_amount"]:
        return f"line {number} is in base currency, yet its base amount differs"
    return None


def _fault_in_party(entry: Row, line: Row) -> str | None:
    control = line["control_account_type"]
    customer = entry["customer_id"] if control == "ACCOUNTS_RECEIVABLE" else None
    vendor = entry["vendor_id"] if control == "ACCOUNTS_PAYABLE" else None
    if control is not None and customer is None and vendor is None:
        return f"line {line['line_number']} is on a control account, but the entry has no party"
    if line["customer_id"] != customer or line["vendor_id"] != vendor:
        return f"line {line['line_number']} has another party than its entry and account call for"
    return None


def fault_in_links(before: Recomputed, entry: Row, attachments: int) -> str | None:
    """An entry has its attachments, and names the hash of the entry before it."""
    if attachments != entry["attachment_count"]:
        return f"it has {attachments} of its {entry['attachment_count']} attachments"
    if entry["previous_hash"] != before.head:
        return "its previous hash is not the hash of the entry before it"
    return None


def fault_in_hash(before: Recomputed, entry: Row, digest: bytes) -> str | None:
    """An entry's hash follows from the digest of its content and from the entry before it."""
    if entry["hash"] != chain_hash(before.head, entry["chain_position"], entry["entry_number"], digest):
        return "its hash does not follow from its content: the entry or a line of it was changed"
    return None


def fault_in_counters(found: Recomputed, years: Sequence[FiscalYear], ledger: LedgerState) -> str | None:
    """The next entry will continue where the last one stands. `years` are in their order."""
    for year in years:
        last = found.numbers.get(year.id, 0)
        if year.last_entry_number != last:
            counted = f"counts {year.last_entry_number} entries, it has {last}"
            return f"the fiscal year that starts {year.start_date} {counted}"
    for earlier, later in pairwise(years):
        if later.start_date <= earlier.end_date:
            return f"the fiscal years that start {earlier.start_date} and {later.start_date} overlap"
    if ledger.chain_position != found.position:
        return f"the ledger counts {ledger.chain_position} entries, it has {found.position}"
    if ledger.head_hash != found.head:
        return "the head of the chain is not the hash of the last entry"
    return None
