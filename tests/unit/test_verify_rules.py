"""What an audit calls a fault: one change to a sound entry, line or counter at a time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules import chain_hash
from ledgerbee.ledger.periods.model import FiscalYear, FiscalYearId
from ledgerbee.ledger.verify import rules
from ledgerbee.ledger.verify.model import LedgerState, Recomputed

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
YEAR = FiscalYear(
    id=FiscalYearId(new_id()), start_date=date(2026, 1, 1), end_date=date(2026, 12, 31), last_entry_number=3,
    is_locked=False,
)  # fmt: skip
HEAD, DIGEST = b"\1" * 32, b"\2" * 32
CUSTOMER = new_id()
#: The fourth entry of the company, the third of the year.
ENTRY: dict[str, Any] = {
    "chain_position": 4, "fiscal_year_id": YEAR.id, "entry_date": date(2026, 3, 16), "entry_number": 3,
    "posted_at": NOW, "line_count": 2, "currency": "DKK", "customer_id": CUSTOMER, "vendor_id": None,
    "attachment_count": 1, "previous_hash": HEAD, "hash": chain_hash(HEAD, 4, 3, DIGEST),
}  # fmt: skip
DEBIT: dict[str, Any] = {
    "line_number": 1, "entry_date": date(2026, 3, 16), "currency": "DKK", "account_id": new_id(),
    "account_number": 6190, "ledger_type": "BALANCE_SHEET", "is_debit": True, "amount": Decimal(125),
    "base_amount": Decimal(125), "control_account_type": "ACCOUNTS_RECEIVABLE", "customer_id": CUSTOMER,
    "vendor_id": None,
}  # fmt: skip
CREDIT: dict[str, Any] = DEBIT | {
    "line_number": 2, "account_number": 1010, "ledger_type": "PROFIT_AND_LOSS", "is_debit": False,
    "amount": Decimal(-125), "base_amount": Decimal(-125), "control_account_type": None, "customer_id": None,
}  # fmt: skip


def before() -> Recomputed:
    """Where the entry before it stands."""
    return Recomputed(head=HEAD, position=3, numbers={YEAR.id: 2}, latest=NOW)


def test_a_sound_entry_has_no_fault() -> None:
    assert rules.fault_in_place(before(), {YEAR.id: YEAR}, ENTRY) is None
    assert rules.fault_in_moment(before(), ENTRY, NOW) is None
    assert rules.fault_in_moment(Recomputed(head=HEAD), ENTRY, NOW) is None
    assert rules.fault_in_lines(ENTRY, [DEBIT, CREDIT], "DKK") is None
    assert rules.fault_in_links(before(), ENTRY, 1) is None
    assert rules.fault_in_hash(before(), ENTRY, DIGEST) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chain_position": 5}, "missing or doubled"),
        ({"fiscal_year_id": new_id()}, "does not exist"),
        ({"entry_date": date(2027, 1, 1)}, "outside its fiscal year"),
        ({"entry_number": 4}, "its number is 4 where 3 comes next"),
    ],
)
def test_an_entry_out_of_its_place(change: dict[str, Any], words: str) -> None:
    assert words in (rules.fault_in_place(before(), {YEAR.id: YEAR}, ENTRY | change) or "")


def test_an_entry_out_of_its_time() -> None:
    hour = rules.TOLERANCE
    assert rules.fault_in_moment(before(), ENTRY | {"posted_at": NOW - hour}, NOW) is None
    early, late = NOW - hour - timedelta(seconds=1), NOW + hour + timedelta(seconds=1)
    assert "yet it follows" in (rules.fault_in_moment(before(), ENTRY | {"posted_at": early}, NOW) or "")
    assert "still to come" in (rules.fault_in_moment(before(), ENTRY | {"posted_at": late}, NOW) or "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"line_number": 2}, "2 of its 2 lines"),
        ({"entry_date": date(2026, 3, 15)}, "another date or currency"),
        ({"currency": "EUR"}, "another date or currency"),
        ({"account_number": None}, "does not exist"),
        ({"ledger_type": "HEADING"}, "takes none"),
        ({"is_debit": False}, "on the other side"),
        ({"base_amount": Decimal(-125)}, "on the other side"),
        ({"base_amount": Decimal(124)}, "its base amount differs"),
        ({"amount": Decimal(124), "base_amount": Decimal(124)}, "differ by -1 DKK"),
        ({"control_account_type": "ACCOUNTS_PAYABLE"}, "the entry has no party"),
        ({"customer_id": new_id()}, "another party"),
        ({"vendor_id": new_id()}, "another party"),
    ],
)
def test_a_line_that_is_not_its_entrys(change: dict[str, Any], words: str) -> None:
    assert words in (rules.fault_in_lines(ENTRY, [DEBIT | change, CREDIT], "DKK") or "")


def test_in_a_foreign_currency_both_amounts_balance() -> None:
    entry = ENTRY | {"currency": "EUR"}
    euros = [line | {"currency": "EUR", "amount": line["amount"] / 5} for line in (DEBIT, CREDIT)]
    assert rules.fault_in_lines(entry, euros, "DKK") is None
    off = [euros[0] | {"base_amount": Decimal(126)}, euros[1]]
    assert "differ by 1 in base currency" in (rules.fault_in_lines(entry, off, "DKK") or "")


def test_a_vendors_entry_names_it_on_the_payable() -> None:
    vendor = new_id()
    payable = DEBIT | {"control_account_type": "ACCOUNTS_PAYABLE", "customer_id": None, "vendor_id": vendor}
    assert rules.fault_in_lines(ENTRY | {"customer_id": None, "vendor_id": vendor}, [payable, CREDIT], "DKK") is None


def test_links_and_hashes_that_do_not_fit() -> None:
    assert "0 of its 1 attachments" in (rules.fault_in_links(before(), ENTRY, 0) or "")
    assert "previous hash" in (rules.fault_in_links(before(), ENTRY | {"previous_hash": DIGEST}, 1) or "")
    assert "was changed" in (rules.fault_in_hash(before(), ENTRY, HEAD) or "")


class TestCounters:
    found = Recomputed(head=ENTRY["hash"], position=4, numbers={YEAR.id: 3})
    ledger = LedgerState("DKK", 4, ENTRY["hash"], 0)
    next_year = replace(
        YEAR, id=FiscalYearId(new_id()), start_date=date(2027, 1, 1), end_date=date(2027, 12, 31), last_entry_number=0
    )

    def test_they_go_on_where_the_last_entry_stands(self) -> None:
        assert rules.fault_in_counters(self.found, [YEAR, self.next_year], self.ledger) is None

    def test_they_do_not(self) -> None:
        early = replace(self.next_year, start_date=date(2026, 12, 1))
        for years, ledger, words in (
            ([replace(YEAR, last_entry_number=4)], self.ledger, "counts 4 entries, it has 3"),
            ([YEAR, early], self.ledger, "overlap"),
            ([YEAR], replace(self.ledger, chain_position=5), "the ledger counts 5 entries"),
            ([YEAR], replace(self.ledger, head_hash=HEAD), "head of the chain"),
        ):
            assert words in (rules.fault_in_counters(self.found, years, ledger) or "")
