"""Drafts before the database: the accounts of their lines, how they change, which lines keep their ids. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledgerbee.chart.accounts.model import Account, Classification, ControlAccountType, LedgerType
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.drafts import rules
from ledgerbee.ledger.drafts.model import Draft, DraftId, DraftStatus
from ledgerbee.ledger.entries.model import (
    CONTROL_SIDES,
    CUSTOMER_TYPES,
    EntryInput,
    EntryType,
    LineInput,
    LineType,
    Side,
)
from ledgerbee.ledger.entries.rules import Books, validated

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
CASH, SALES, RECEIVABLES, PAYABLES, HEADING, CLOSED, CUSTOMER, VENDOR, ENTRY = (
    UUID(int=number) for number in range(1, 10)
)
LOCKED = frozenset(CONTROL_SIDES)
VENDOR_TYPES = LOCKED - CUSTOMER_TYPES


def account(account_id: UUID, **fields: Any) -> Account:
    values: dict[str, Any] = {
        "id": account_id, "number": 1000 + account_id.int, "name": "Konto", "standard_number": 1000,
        "ledger_type": LedgerType.BALANCE_SHEET, "classification": Classification.ASSET, "control_account_type": None,
        "vat_code_id": None, "role": None, "sum_from": None, "is_active": True, "created_at": NOW,
    }  # fmt: skip
    return Account(**(values | fields))


ACCOUNTS: dict[UUID, Account] = {
    one.id: one
    for one in (
        account(CASH),
        account(SALES, ledger_type=LedgerType.PROFIT_AND_LOSS, classification=Classification.REVENUE),
        account(RECEIVABLES, control_account_type=ControlAccountType.ACCOUNTS_RECEIVABLE),
        account(PAYABLES, control_account_type=ControlAccountType.ACCOUNTS_PAYABLE),
        account(HEADING, ledger_type=LedgerType.HEADING, classification=None),
        account(CLOSED, is_active=False),
    )
}
BOOKS = Books("DKK", None, customers={CUSTOMER: RECEIVABLES}, vendors={VENDOR: PAYABLES})

cents = st.integers(min_value=1, max_value=10**9).map(lambda units: Decimal(units).scaleb(-2))
lines = st.lists(
    st.builds(LineInput, st.sampled_from([CASH, SALES]), st.sampled_from(Side), cents), min_size=1, max_size=5
).map(tuple)
amounts = st.integers(min_value=-(10**9), max_value=10**9).map(lambda units: Decimal(units).scaleb(-2))
types = st.sampled_from(EntryType)


def party_of(entry_type: EntryType) -> dict[str, UUID | None]:
    return {
        "customer_id": CUSTOMER if entry_type in CUSTOMER_TYPES else None,
        "vendor_id": VENDOR if entry_type in VENDOR_TYPES else None,
    }


def entered(entry_type: EntryType, sent: tuple[LineInput, ...], amount: Decimal, **fields: Any) -> EntryInput:
    values: dict[str, Any] = {"currency": "DKK", "owes_control_line": True} | party_of(entry_type) | fields
    return EntryInput(entry_type, date(2026, 3, 16), amount, lines=sent, **values)


def draft(content: EntryInput, **fields: Any) -> Draft:
    ids = tuple([UUID(int=1000 + number) for number, _ in enumerate(content.lines)])
    return Draft(DraftId(UUID(int=500)), content, ids, {}, NOW, NOW, **fields)


@given(types, lines, amounts, types, lines, amounts)
def test_a_changed_draft_is_as_if_it_had_been_entered_so(
    before_type: EntryType,
    before_lines: tuple[LineInput, ...],
    before_amount: Decimal,
    entry_type: EntryType,
    new_lines: tuple[LineInput, ...],
    amount: Decimal,
) -> None:
    """Field by field or all at once, with new lines or those that it has."""
    before = validated(entered(before_type, before_lines, before_amount), BOOKS)
    changes = {"entry_type": entry_type, "original_amount": amount, **party_of(entry_type)}
    for more, expected in (({}, before_lines), ({"lines": new_lines}, new_lines)):
        after = validated(rules.changed(before, Changes(changes | more)), BOOKS)
        assert after == validated(entered(entry_type, expected, amount), BOOKS)
        assert [line.line_type for line in after.lines].count(LineType.CONTROL) == (entry_type in LOCKED)


@given(st.sampled_from(sorted(LOCKED)), lines, amounts, amounts)
def test_a_line_that_the_caller_sent_stays_as_it_is(
    entry_type: EntryType, sent: tuple[LineInput, ...], amount: Decimal, other: Decimal
) -> None:
    own = LineInput(RECEIVABLES if entry_type in CUSTOMER_TYPES else PAYABLES, Side.DEBIT, Decimal(5))
    before = validated(entered(entry_type, (*sent, own), amount, owes_control_line=False), BOOKS)
    after = validated(rules.changed(before, Changes({"original_amount": other})), BOOKS)
    assert after == replace(before, original_amount=other)


def test_nothing_changes_but_what_is_named() -> None:
    before = validated(
        entered(EntryType.CUSTOMER_INVOICE, (LineInput(SALES, Side.CREDIT, Decimal(9)),), Decimal(9)), BOOKS
    )
    assert validated(rules.changed(before, Changes({})), BOOKS) == before
    after = validated(rules.changed(before, Changes({"description": "Te", "tag_ids": ()})), BOOKS)
    assert after == replace(before, description="Te")


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({}, "7.46"),
        ({"currency": "EUR"}, "7.46"),
        ({"currency": "USD"}, None),
        ({"currency": None}, None),
        ({"currency": "USD", "exchange_rate": Decimal("6.9")}, "6.9"),
        ({"exchange_rate": None}, None),
    ],
)
def test_a_rate_is_that_of_its_currency(changes: dict[str, Any], rate: str | None) -> None:
    before = entered(
        EntryType.JOURNAL_ENTRY, (LineInput(CASH, Side.DEBIT, Decimal(1)),), Decimal(1), currency="EUR",
        exchange_rate=Decimal("7.46"),
    )  # fmt: skip
    assert rules.changed(before, Changes(changes)).exchange_rate == (None if rate is None else Decimal(rate))


@given(lines, lines)
def test_lines_that_stay_keep_their_ids(before: tuple[LineInput, ...], after: tuple[LineInput, ...]) -> None:
    old = draft(entered(EntryType.JOURNAL_ENTRY, before, Decimal(0)))
    numbers: Iterator[int] = count(9000)
    found = rules.line_ids(old, replace(old.content, lines=after), lambda: UUID(int=next(numbers)))
    assert len(found) == len(after) == len(set(found))
    for place, line in enumerate(after):
        stays = place < len(before) and before[place] == line
        assert (found[place] in old.line_ids) == stays
        assert not stays or found[place] == old.line_ids[place]


@pytest.mark.parametrize(
    ("account_id", "fields", "code", "field"),
    [
        (UUID(int=99), {}, "ACCOUNT_NOT_FOUND", None),
        (HEADING, {}, "ACCOUNT_NOT_BOOKABLE", None),
        (CLOSED, {}, "ACCOUNT_NOT_BOOKABLE", None),
        (RECEIVABLES, {"vendor_id": VENDOR}, "JOURNAL_ENTRY_PARTY_REQUIRED", "customerId"),
        (PAYABLES, {"customer_id": CUSTOMER}, "JOURNAL_ENTRY_PARTY_REQUIRED", "vendorId"),
    ],
)
def test_lines_stand_on_accounts_that_take_them(
    account_id: UUID, fields: dict[str, Any], code: str, field: str | None
) -> None:
    sent = tuple([LineInput(one, Side.DEBIT, Decimal(1)) for one in (CASH, account_id)])
    entry = entered(EntryType.JOURNAL_ENTRY, sent, Decimal(1), **fields)
    for path, place in (("", "lines.1"), ("entries.3", "entries.3.lines.1")):
        (fault,) = rules.account_faults(entry, ACCOUNTS, path)
        assert fault.code == code
        assert fault.details == {
            "property": place if field else f"{place}.accountId", "accountId": str(account_id),
            **({"field": field} if field else {}),
        }  # fmt: skip


def test_control_accounts_take_lines_of_their_party() -> None:
    sent = tuple([LineInput(one, Side.DEBIT, Decimal(1)) for one in (RECEIVABLES, PAYABLES)])
    entry = entered(EntryType.JOURNAL_ENTRY, sent, Decimal(1), customer_id=CUSTOMER, vendor_id=VENDOR)
    assert not list(rules.account_faults(entry, ACCOUNTS))


def test_a_booked_draft_is_closed() -> None:
    content = entered(EntryType.JOURNAL_ENTRY, (LineInput(CASH, Side.DEBIT, Decimal(1)),), Decimal(1))
    rules.check_open(draft(content))
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_open(draft(content, status=DraftStatus.BOOKED, journal_entry_id=ENTRY))
    assert refused.value.code == "DRAFT_JOURNAL_ENTRY_INVALID_STATE"
    assert refused.value.details == {"status": "booked", "journalEntryId": str(ENTRY)}
