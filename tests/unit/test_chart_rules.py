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

from ledgerbee.chart.accounts.model import (
    BOOKABLE,
    Account,
    AccountId,
    AccountRole,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.chart.accounts.rules import check_account
from ledgerbee.chart.seed.loader import seed_for
from ledgerbee.chart.vat_codes.model import (
    SINCE_EVER,
    EInvoiceCategory,
    Principle,
    VatCode,
    VatCodeId,
    VatRate,
    VatType,
)
from ledgerbee.chart.vat_codes.rules import check_vat_code
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = Account(
    id=AccountId(new_id()), number=1010, name="Salg", standard_number=1010, ledger_type=LedgerType.PROFIT_AND_LOSS,
    classification=Classification.REVENUE, created_at=NOW,
)  # fmt: skip
VAT_ACCOUNT = replace(
    ACCOUNT, id=AccountId(new_id()), ledger_type=LedgerType.BALANCE_SHEET, classification=Classification.LIABILITY
)
CONTRA_ACCOUNT = replace(VAT_ACCOUNT, id=AccountId(new_id()))
ACCOUNTS: dict[UUID, Account] = {account.id: account for account in (VAT_ACCOUNT, CONTRA_ACCOUNT)}
CODE = VatCode(
    id=VatCodeId(new_id()), code="S1", name="Salg", type=VatType.SALES, principle=Principle.NET,
    rates=(VatRate(SINCE_EVER, Decimal(25), Fraction(1)),), account_id=VAT_ACCOUNT.id, created_at=NOW,
)  # fmt: skip


def is_account(account: Account) -> bool:
    try:
        check_account(account)
    except LedgerBeeError:
        return False
    return True


@pytest.mark.parametrize("role", AccountRole)
def test_a_role_goes_with_one_kind_of_account_of_no_party(role: AccountRole) -> None:
    expense = role is AccountRole.PAYMENT_FEES
    ledger_type = LedgerType.PROFIT_AND_LOSS if expense else LedgerType.BALANCE_SHEET
    account = replace(VAT_ACCOUNT, role=role, ledger_type=ledger_type)
    right = {one for one in Classification if is_account(replace(account, classification=one))}
    assert right == {role.classification}
    assert right < {Classification.ASSET, Classification.EXPENSE, Classification.LIABILITY}
    for control in ControlAccountType:
        assert not is_account(replace(account, classification=role.classification, control_account_type=control))


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
    ids = {account.number: AccountId(new_id()) for account in seed.accounts}
    code_ids = {code.code: VatCodeId(new_id()) for code in seed.vat_codes}
    accounts: dict[UUID, Account] = {
        ids[row.number]: Account(
            id=ids[row.number], number=row.number, name=row.name, standard_number=row.standard_number,
            ledger_type=LedgerType(row.ledger_type),
            classification=Classification(row.classification) if row.classification else None,
            control_account_type=ControlAccountType(row.control_account_type) if row.control_account_type else None,
            vat_code_id=code_ids[row.vat_code] if row.vat_code else None, role=row.role, sum_from=row.sum_from,
            created_at=NOW,
        )
        for row in seed.accounts
    }  # fmt: skip
    for account in accounts.values():
        check_account(account)
    for row in seed.vat_codes:
        code = VatCode(
            id=code_ids[row.code], code=row.code, name=row.name, type=VatType(row.type),
            principle=Principle(row.principle), rates=(VatRate(SINCE_EVER, row.rate, row.deductible_share),),
            account_id=ids[row.account_number] if row.account_number else None,
            contra_account_id=ids[row.contra_account_number] if row.contra_account_number else None,
            return_box=row.return_box, einvoice_category=row.einvoice_category,
            exemption_reason=row.exemption_reason, exemption_reason_da=row.exemption_reason_da, created_at=NOW,
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
