"""Which rows of an import can be posted, and which financial years it opens for them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.unit.test_chart_rules import CODE, CONTRA_ACCOUNT

from ledgerbee.chart.vat_codes.model import VatCode, VatCodeId
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import EntryInput, EntryType, LineInput, Side
from ledgerbee.ledger.imports.rules import (
    AccountFacts,
    Directory,
    check_day,
    check_postable,
    check_vat_once,
    opens,
    opens_all,
    refusal_of,
)
from ledgerbee.ledger.periods.model import Span

TODAY = date(2026, 3, 16)
YEAR, NEXT = Span(date(2026, 1, 1), date(2026, 12, 31)), Span(date(2027, 1, 1), date(2027, 12, 31))
BANK, DEBTORS, CREDITORS, HEADING = (new_id() for _ in range(4))
DIRECTORY = Directory(
    accounts={
        BANK: AccountFacts(True, None),
        DEBTORS: AccountFacts(True, "ACCOUNTS_RECEIVABLE"),
        CREDITORS: AccountFacts(True, "ACCOUNTS_PAYABLE"),
        HEADING: AccountFacts(False, None),
    },
    locked_through=date(2026, 1, 31),
    fiscal_years=[YEAR],
)


def entered(*lines: Any, **fields: Any) -> EntryInput:
    """An entry with lines on accounts, each with a VAT code or without."""
    made = tuple(LineInput(account, Side.DEBIT, Decimal(1), vat_code_id=code) for account, code in lines)
    values = {
        "entry_type": EntryType.JOURNAL_ENTRY, "date": TODAY, "lines": made, "original_amount": Decimal(1),
        "owes_control_line": False, **fields,
    }  # fmt: skip
    return EntryInput(**values)


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(LedgerBeeError) as refusal:
        call()
    row = refusal_of(7, refusal.value)
    assert row.line == 7
    return row.code, row.property


def test_posting_opens_the_next_year_and_an_import_all_that_it_needs() -> None:
    assert opens([YEAR], TODAY, all_needed=False) == NEXT
    assert not opens_all(NEXT)
    wide = opens([YEAR], TODAY, all_needed=True)
    assert wide == Span(date(2011, 1, 1), NEXT.end_date)
    assert opens_all(wide)
    # Not before 1950, and no later than a year ahead where the books end long before.
    old = Span(date(1960, 1, 1), date(1960, 12, 31))
    assert opens([old], TODAY, all_needed=True) == Span(date(1950, 1, 1), date(2027, 3, 16))


def test_days_that_nothing_can_be_posted_on() -> None:
    check_day(TODAY, DIRECTORY, NEXT)
    check_day(date(2027, 6, 1), DIRECTORY, NEXT)
    assert refused(lambda: check_day(date(2026, 1, 31), DIRECTORY, NEXT)) == ("PERIOD_LOCKED", "date")
    for span, words in ((NEXT, "openFiscalYears=true"), (Span(date(2011, 1, 1), NEXT.end_date), "2011-01-01")):
        with pytest.raises(LedgerBeeError, match=words) as missing:
            check_day(date(2206, 3, 16), DIRECTORY, span)
        assert missing.value.code == "FISCAL_YEAR_MISSING"


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (entered((BANK, None), (new_id(), None)), ("ACCOUNT_NOT_FOUND", "lines.1.accountId")),
        (entered((BANK, None), (HEADING, None)), ("ACCOUNT_NOT_BOOKABLE", "lines.1.accountId")),
        (entered((DEBTORS, None), vendor_id=new_id()), ("JOURNAL_ENTRY_PARTY_REQUIRED", "customerId")),
        (entered((CREDITORS, None), customer_id=new_id()), ("JOURNAL_ENTRY_PARTY_REQUIRED", "vendorId")),
    ],
)
def test_entries_that_the_database_would_refuse(entry: EntryInput, where: tuple[str, str]) -> None:
    assert refused(lambda: check_postable(entry, DIRECTORY, NEXT)) == where


def test_entries_that_it_would_take() -> None:
    check_postable(entered((BANK, None), (DEBTORS, None), customer_id=new_id()), DIRECTORY, NEXT)
    check_postable(entered((CREDITORS, None), vendor_id=new_id()), DIRECTORY, NEXT)


def test_vat_is_not_booked_twice() -> None:
    code = replace(CODE, contra_account_id=CONTRA_ACCOUNT.id)
    other = replace(CODE, id=VatCodeId(new_id()), account_id=BANK)
    codes: dict[UUID, VatCode] = {code.id: code, other.id: other}
    check_vat_once(entered((BANK, None), (CONTRA_ACCOUNT.id, None)), {})
    check_vat_once(entered((new_id(), code.id), (BANK, None)), codes)  # the bank is another code's, not this entry's
    for account in (CODE.account_id, CONTRA_ACCOUNT.id):
        twice = entered((new_id(), code.id), (account, None))
        assert refused(lambda twice=twice: check_vat_once(twice, codes)) == (  # type: ignore[misc]
            "SHARED_VALIDATION_FAILED", "lines.1.accountId",
        )  # fmt: skip


def test_a_refusal_keeps_the_first_problem_and_no_endless_text() -> None:
    row = refusal_of(3, invalid(("a" * 900, "min", "x" * 900), ("b", "max", "y")))
    assert (row.line, row.code, len(row.message)) == (3, "SHARED_VALIDATION_FAILED", 500)
    assert row.property.startswith("aaa")
