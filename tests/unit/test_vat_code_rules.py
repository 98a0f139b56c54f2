"""What a VAT code says of itself: its rates by days, how much is deducted, its accounts, its place in documents."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_chart_rules import ACCOUNT, ACCOUNTS, CODE, CONTRA_ACCOUNT

from ledgerbee.chart.accounts.model import ControlAccountType, LedgerType
from ledgerbee.chart.accounts.rules import check_kind
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.chart.vat_codes.model import MAX_RATES, SINCE_EVER, Principle, VatCode, VatRate, VatType
from ledgerbee.chart.vat_codes.rules import check_rates, check_vat_code, deductible_share, percent_of_share
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id

STANDARD = VatRate(SINCE_EVER, Decimal(25), Fraction(1))
FREE = replace(STANDARD, rate=Decimal(0))


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """Where and how a call is refused: the property, and the constraint or code."""
    with pytest.raises(LedgerBeeError) as refusal:
        call()
    details = refusal.value.details
    if "validationErrors" not in details:
        return details["property"], refusal.value.code
    (error,) = details["validationErrors"]
    return error["property"], next(iter(error["constraints"]))


class TestShares:
    def test_neither_is_all_of_it(self) -> None:
        assert deductible_share(None, None) == 1

    @given(st.integers(0, 10**6), st.integers(1, 10**6))
    def test_a_fraction_is_exact_and_its_percentage_may_stand_beside_it(self, numerator: int, denominator: int) -> None:
        numerator = min(numerator, denominator)
        share = Fraction(numerator, denominator)
        text = f"{numerator}/{denominator}"
        assert deductible_share(None, text) == deductible_share(percent_of_share(share), text) == share

    @given(st.decimals(0, 100, places=4))
    def test_a_percentage_of_four_decimals_is_exact(self, percent: Decimal) -> None:
        assert deductible_share(percent, None) == Fraction(percent) / 100

    @pytest.mark.parametrize(
        ("percent", "share", "where"),
        [
            ("66.66667", None, ("rates.0.deductiblePercent", "maxDecimalPlaces")),
            (None, "3/2", ("rates.0.deductibleShare", "matches")),
            (None, "1/0", ("rates.0.deductibleShare", "matches")),
            (None, "½", ("rates.0.deductibleShare", "matches")),
            ("66", "2/3", ("rates.0.deductibleShare", "equals")),
        ],
    )
    def test_what_is_no_share(self, percent: str | None, share: str | None, where: tuple[str, str]) -> None:
        given_percent = Decimal(percent) if percent else None
        assert refused(lambda: deductible_share(given_percent, share, "rates.0.")) == where


class TestRates:
    def test_the_first_holds_since_ever_and_each_later_one_from_a_later_day(self) -> None:
        later = [replace(STANDARD, valid_from=date(year, 1, 1)) for year in (2020, 2021)]
        check_rates([STANDARD])
        check_rates([STANDARD, *later])
        assert refused(lambda: check_rates([])) == ("rates.0.validFrom", "isEmpty")
        assert refused(lambda: check_rates(later)) == ("rates.0.validFrom", "isEmpty")
        assert refused(lambda: check_rates([STANDARD, *reversed(later)])) == ("rates.2.validFrom", "minDate")
        assert refused(lambda: check_rates([STANDARD, later[0], later[0]])) == ("rates.2.validFrom", "minDate")

    def test_there_are_a_hundred_at_most(self) -> None:
        rates = [STANDARD, *(replace(STANDARD, valid_from=date(1900 + year, 1, 1)) for year in range(MAX_RATES))]
        check_rates(rates[:-1])
        assert refused(lambda: check_rates(rates)) == ("rates", "arrayMaxSize")


@pytest.mark.parametrize(
    ("code", "where"),
    [
        (replace(CODE, account_id=None), ("accountToBookId", "isDefined")),
        (replace(CODE, rates=(FREE, STANDARD), account_id=None), ("accountToBookId", "isDefined")),
        (replace(CODE, contra_account_id=CODE.account_id), ("accountToBookId", "isDefined")),
        (replace(CODE, contra_account_id=CONTRA_ACCOUNT.id, principle=Principle.GROSS), ("principle", "isIn")),
        (replace(CODE, rates=(replace(STANDARD, deductible_share=Fraction(1, 2)),)), ("deductiblePercent", "isEmpty")),
        (replace(CODE, return_box="OUTPUT_VAT+ELSEWHERE"), ("returnBoxes", "isIn")),
        (replace(CODE, type=VatType.PURCHASE, einvoice_category="S"), ("eInvoiceCategory", "isEmpty")),
        (replace(CODE, einvoice_category="Z"), ("eInvoiceCategory", "isIn")),
        (replace(CODE, rates=(FREE,), einvoice_category="S"), ("eInvoiceCategory", "isIn")),
        (replace(CODE, rates=(FREE,), einvoice_category="E"), ("exemptionReason", "isDefined")),
        (replace(CODE, account_id=new_id()), ("accountToBookId", "ACCOUNT_NOT_FOUND")),
    ],
)
def test_codes_that_can_be_neither_booked_nor_invoiced(code: VatCode, where: tuple[str, str]) -> None:
    assert refused(lambda: check_vat_code(code, ACCOUNTS)) == where


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        replace(CODE, rates=(FREE,), account_id=None),
        replace(CODE, contra_account_id=CONTRA_ACCOUNT.id),
        replace(CODE, type=VatType.PURCHASE, principle=Principle.GROSS, return_box="INPUT_VAT"),
        replace(CODE, einvoice_category="S"),
        replace(CODE, rates=(FREE,), einvoice_category="E", exemption_reason_da="Undervisning"),
    ],
)
def test_codes_that_can(code: VatCode) -> None:
    check_vat_code(code, ACCOUNTS)


def test_vat_is_not_booked_on_accounts_of_parties_or_headings() -> None:
    (account,) = (account for account in ACCOUNTS.values() if account.id == CODE.account_id)
    for unusable in (
        replace(account, is_active=False),
        replace(account, ledger_type=LedgerType.HEADING),
        replace(account, control_account_type=ControlAccountType.ACCOUNTS_PAYABLE),
    ):
        found = refused(lambda unusable=unusable: check_vat_code(CODE, {unusable.id: unusable}))  # type: ignore[misc]
        assert found == ("accountToBookId", "ACCOUNT_NOT_BOOKABLE")


def test_an_account_is_of_its_standard_accounts_kind() -> None:
    standard = standard_accounts("DK")
    check_kind(ACCOUNT, standard[1010])
    check_kind(replace(ACCOUNT, classification=None), standard[6480])
    check_kind(ACCOUNT, standard[1390])  # a total: it has no side
    assert refused(lambda: check_kind(ACCOUNT, standard[6480])) == ("publicAccountId", "isIn")
