"""What is said of something new: an account by its number alone, a category by default, an API key's end, a rate."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledgerbee.chart.accounts.model import AccountFields, Classification, ControlAccountType, LedgerType, NewAccount
from ledgerbee.chart.accounts.rules import completed, standard_number_of
from ledgerbee.chart.journal_categories.model import JournalCategory, JournalCategoryId, JournalType
from ledgerbee.chart.journal_categories.rules import check_category, in_order
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.tenancy.api_keys.rules import check_expiry
from ledgerbee.tenancy.rates.rules import check_foreign

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
STANDARD = standard_accounts("DK")
CODE = new_id()


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(LedgerBeeError) as refusal:
        call()
    return [error["property"] for error in refusal.value.details["validationErrors"]]


class TestAccounts:
    def test_one_number_stands_in_for_the_other(self) -> None:
        assert standard_number_of(NewAccount(number=2866)) == 2866
        assert standard_number_of(NewAccount(number=2867, standard_number=2866)) == 2866
        assert refused(lambda: standard_number_of(NewAccount(name="x"))) == ["accountNumber"]

    def test_a_number_of_the_standard_chart_is_all_it_takes(self) -> None:
        assert completed(NewAccount(number=1850), STANDARD[1850], "da", CODE) == AccountFields(
            number=1850, standard_number=1850, name="Annoncering og reklame", ledger_type=LedgerType.PROFIT_AND_LOSS,
            classification=Classification.EXPENSE, vat_code_id=CODE,
        )  # fmt: skip
        debtors = completed(NewAccount(standard_number=6190, number=6191), STANDARD[6190], "en", None)
        assert (debtors.number, debtors.control_account_type) == (6191, ControlAccountType.ACCOUNTS_RECEIVABLE)
        total = completed(NewAccount(number=1390), STANDARD[1390], "da", None)
        assert (total.ledger_type, total.classification, total.sum_from) == (LedgerType.TOTAL_FROM, None, 1001)

    def test_a_type_of_its_own_takes_only_the_name_over(self) -> None:
        given = NewAccount(number=1850, ledger_type=LedgerType.BALANCE_SHEET)
        found = completed(given, STANDARD[1850], "en", CODE)
        assert (found.name, found.classification, found.vat_code_id) == ("Advertising and marketing", None, None)

    def test_without_a_standard_account_it_says_all_itself(self) -> None:
        assert refused(lambda: completed(NewAccount(number=7), None, "da", None)) == ["name", "ledgerType"]
        own = NewAccount(number=7, name="Eget", ledger_type=LedgerType.HEADING)
        assert completed(own, None, "da", None) == AccountFields(
            number=7, standard_number=7, name="Eget", ledger_type=LedgerType.HEADING
        )


def test_the_default_category_takes_every_type() -> None:
    all_types = tuple(JournalType)
    category = JournalCategory(
        id=JournalCategoryId(new_id()), name="Finans", is_default=True, allowed_journal_types=all_types, created_at=NOW
    )
    check_category(category)
    check_category(replace(category, is_default=False, allowed_journal_types=all_types[:1]))
    assert refused(lambda: check_category(replace(category, allowed_journal_types=all_types[1:]))) == [
        "allowedJournalTypes"
    ]
    assert in_order(["CUSTOMER_PAYMENT", "JOURNAL_ENTRY", "CUSTOMER_PAYMENT"]) == (
        JournalType.JOURNAL_ENTRY, JournalType.CUSTOMER_PAYMENT,
    )  # fmt: skip


def test_a_key_ends_in_the_future_or_never() -> None:
    check_expiry(None, NOW)
    check_expiry(NOW + timedelta(seconds=1), NOW)
    assert refused(lambda: check_expiry(NOW, NOW)) == ["expiresAt"]


def test_the_base_currency_has_no_rate() -> None:
    check_foreign("EUR", "DKK")
    assert refused(lambda: check_foreign("DKK", "DKK")) == ["currency"]
