"""Which accounts and VAT codes a company may have."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.chart.accounts.model import BOOKABLE, Account, Classification, ControlAccountType, LedgerType
from ledgerbee.chart.accounts.rules import check_account
from ledgerbee.chart.seed.loader import seed_for
from ledgerbee.chart.vat_codes.model import SINCE_EVER, EInvoiceCategory, Principle, VatCode, VatRate, VatType
from ledgerbee.chart.vat_codes.rules import check_vat_code
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = Account(
    new_id(), 1010, "Salg", 1010, LedgerType.PROFIT_AND_LOSS, Classification.REVENUE, None, None, None, None, True, NOW
)
VAT_ACCOUNT = replace(
    ACCOUNT, id=new_id(), ledger_type=LedgerType.BALANCE_SHEET, classification=Classification.LIABILITY
)
CONTRA_ACCOUNT = replace(VAT_ACCOUNT, id=new_id())
ACCOUNTS = {account.id: account for account in (VAT_ACCOUNT, CONTRA_ACCOUNT)}
CODE = VatCode(
    new_id(), "S1", "Salg", VatType.SALES, Principle.NET, (VatRate(SINCE_EVER, Decimal(25), Fraction(1)),),
    VAT_ACCOUNT.id, None, None, None, None, None, True, NOW,
)  # fmt: skip


def is_account(account: Account) -> bool:
    try:
        check_account(account)
    except LedgerBeeError:
        return False
    return True


@pytest.mark.parametrize("ledger_type", LedgerType)
def test_every_combination_of_type_classification_and_control(ledger_type: LedgerType) -> None:
    allowed = {
        (classification, control)
        for classification, control in product([None, *Classification], [None, *ControlAccountType])
        if is_account(
            replace(
                ACCOUNT,
                ledger_type=ledger_type,
                classification=classification,
                control_account_type=control,
                sum_from=1 if ledger_type.startswith("TOTAL") else None,
            )
        )
    }
    balance_sheet = {
        (Classification.ASSET, None), (Classification.LIABILITY, None), (Classification.EQUITY, None),
        (Classification.ASSET, ControlAccountType.ACCOUNTS_RECEIVABLE),
        (Classification.LIABILITY, ControlAccountType.ACCOUNTS_PAYABLE),
    }  # fmt: skip
    expected = {
        LedgerType.BALANCE_SHEET: balance_sheet,
        LedgerType.PROFIT_AND_LOSS: {(Classification.REVENUE, None), (Classification.EXPENSE, None)},
    }
    assert allowed == expected.get(ledger_type, {(None, None)})


@given(st.sampled_from(LedgerType), st.none() | st.integers(1, 2000))
def test_totals_and_only_totals_sum_from_a_number_up_to_their_own(
    ledger_type: LedgerType, sum_from: int | None
) -> None:
    classification = {
        LedgerType.BALANCE_SHEET: Classification.ASSET,
        LedgerType.PROFIT_AND_LOSS: Classification.REVENUE,
    }.get(ledger_type)
    account = replace(ACCOUNT, ledger_type=ledger_type, classification=classification, sum_from=sum_from)
    if ledger_type in {LedgerType.TOTAL_FROM, LedgerType.TOTAL_INTERVALS}:
        assert is_account(account) is (sum_from is not None and sum_from <= account.number)
    else:
        assert is_account(account) is (sum_from is None)


@pytest.mark.parametrize("ledger_type", LedgerType)
def test_vat_codes_only_where_vat_is_booked(ledger_type: LedgerType) -> None:
    account = replace(ACCOUNT, vat_code_id=new_id())
    assert is_account(account)
    if ledger_type not in BOOKABLE:
        sum_from = 1 if ledger_type.startswith("TOTAL") else None
        heading = replace(account, ledger_type=ledger_type, classification=None, sum_from=sum_from)
        assert not is_account(heading)
        assert is_account(replace(heading, vat_code_id=None))


@pytest.mark.parametrize("country", ["DK", "SE", "US"])
def test_the_seeded_charts_keep_these_rules(country: str) -> None:
    seed = seed_for(country)
    ids = {account.number: new_id() for account in seed.accounts}
    code_ids = {code.code: new_id() for code in seed.vat_codes}
    accounts = {
        ids[row.number]: Account(
            ids[row.number], row.number, row.name, row.standard_number, LedgerType(row.ledger_type),
            Classification(row.classification) if row.classification else None,
            ControlAccountType(row.control_account_type) if row.control_account_type else None,
            code_ids[row.vat_code] if row.vat_code else None, row.role, row.sum_from, True, NOW,
        )
        for row in seed.accounts
    }  # fmt: skip
    for account in accounts.values():
        check_account(account)
    for row in seed.vat_codes:
        code = VatCode(
            code_ids[row.code], row.code, row.name, VatType(row.type), Principle(row.principle),
            (VatRate(SINCE_EVER, row.rate, row.deductible_share),),
            ids[row.account_number] if row.account_number else None,
            ids[row.contra_account_number] if row.contra_account_number else None, row.return_box,
            row.einvoice_category, row.exemption_reason, row.exemption_reason_da, True, NOW,
        )  # fmt: skip
        check_vat_code(code, accounts)


rates = st.sampled_from([Decimal(0), Decimal("0.0001"), Decimal(25), Decimal(100)])


@given(
    rates,
    st.sampled_from(VatType),
    st.sampled_from(Principle),
    st.none() | st.sampled_from([VAT_ACCOUNT.id, CONTRA_ACCOUNT.id]),
    st.none() | st.just(CONTRA_ACCOUNT.id),
    st.none() | st.sampled_from(EInvoiceCategory),
    st.none() | st.just("because"),
)
def test_a_code_that_is_let_in_can_be_booked_and_invoiced(
    rate: Decimal,
    vat_type: VatType,
    principle: Principle,
    account: UUID | None,
    contra: UUID | None,
    category: EInvoiceCategory | None,
    reason: str | None,
) -> None:
    code = replace(
        CODE, rates=(VatRate(SINCE_EVER, rate, Fraction(1)),), type=vat_type,
        principle=principle, account_id=account, contra_account_id=contra,
        einvoice_category=category, exemption_reason_da=reason,
    )  # fmt: skip
    sound = (
        (rate == 0 or account is not None)
        and (contra is None or (principle is Principle.NET and account not in {None, contra}))
        and (category is None or vat_type is VatType.SALES)
        and (category is None or (category is EInvoiceCategory.STANDARD) == (rate > 0))
        and (category in {None, EInvoiceCategory.STANDARD, EInvoiceCategory.ZERO} or reason is not None)
    )
    if sound:
        check_vat_code(code, ACCOUNTS)
    else:
        with pytest.raises(LedgerBeeError):
            check_vat_code(code, ACCOUNTS)


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"control_account_type": ControlAccountType.ACCOUNTS_PAYABLE}]
)
def test_vat_is_booked_on_ordinary_active_accounts(change: dict[str, object]) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        check_vat_code(CODE, {VAT_ACCOUNT.id: replace(VAT_ACCOUNT, **change)})  # type: ignore[arg-type]  # by name
    assert refused.value.code == "ACCOUNT_NOT_BOOKABLE"


def test_a_foreign_companys_account() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        check_vat_code(CODE, {})
    assert refused.value.code == "ACCOUNT_NOT_FOUND"
