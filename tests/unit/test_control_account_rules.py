"""Which accounts parties and product groups may stand on."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.unit.test_chart_rules import ACCOUNT, CODE, VAT_ACCOUNT

from ledgerbee.catalog.product_groups.model import ProductGroup, ProductGroupId
from ledgerbee.catalog.product_groups.rules import ACCOUNT_FIELDS, check_accounts
from ledgerbee.chart.accounts.model import Account, Classification, ControlAccountType, LedgerType
from ledgerbee.chart.vat_codes.model import VatType
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.parties.groups.rules import control_account
from ledgerbee.parties.vendors.rules import check_default_account

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFUSAL = ErrorCode("GROUP_ACCOUNT_INVALID", 400, "No control account")
DEBTORS = replace(
    VAT_ACCOUNT,
    classification=Classification.ASSET,
    control_account_type=ControlAccountType.ACCOUNTS_RECEIVABLE,
)
SALES = replace(ACCOUNT, vat_code_id=CODE.id)
GROUP = ProductGroup(
    number="1", name="Varer", domestic_account_id=SALES.id, eu_account_id=SALES.id, abroad_account_id=SALES.id,
    domestic_without_vat_account_id=ACCOUNT.id, id=ProductGroupId(new_id()), created_at=NOW, updated_at=NOW,
)  # fmt: skip


class TestParties:
    def test_a_group_stands_on_an_active_control_account_of_its_type(self) -> None:
        receivable, payable = ControlAccountType.ACCOUNTS_RECEIVABLE, ControlAccountType.ACCOUNTS_PAYABLE
        assert control_account(DEBTORS.id, DEBTORS, receivable, REFUSAL) is DEBTORS
        for account, control in (
            (DEBTORS, payable),
            (ACCOUNT, receivable),
            (replace(DEBTORS, is_active=False), receivable),
        ):
            with pytest.raises(LedgerBeeError) as refused:
                control_account(account.id, account, control, REFUSAL)
            assert refused.value.code == "GROUP_ACCOUNT_INVALID"
            assert refused.value.details == {"property": "accountId", "accountId": str(account.id)}
        with pytest.raises(LedgerBeeError) as missing:
            control_account(DEBTORS.id, None, receivable, REFUSAL)
        assert missing.value.code == "ACCOUNT_NOT_FOUND"

    def test_bills_of_a_vendor_are_booked_on_any_account_but_those_of_parties(self) -> None:
        check_default_account(ACCOUNT.id, ACCOUNT)
        for account, code in (
            (None, "LEDGER_NOT_FOUND"),
            (DEBTORS, "VENDOR_DEFAULT_ACCOUNT_INVALID"),
            (replace(ACCOUNT, ledger_type=LedgerType.HEADING), "VENDOR_DEFAULT_ACCOUNT_INVALID"),
        ):
            with pytest.raises(LedgerBeeError) as refused:
                check_default_account(ACCOUNT.id, account)
            assert refused.value.code == code


class TestProductGroups:
    def refused(self, account: Account | None, vat_type: VatType = VatType.SALES) -> tuple[str, list[str]]:
        with pytest.raises(LedgerBeeError) as refusal:
            self.check(account, vat_type)
        details = refusal.value.details
        return refusal.value.code, details.get("properties", [details["property"]])

    def check(self, account: Account | None, vat_type: VatType = VatType.SALES) -> None:
        accounts: dict[UUID, Account] = {SALES.id: account} if account else {}
        check_accounts(GROUP, ACCOUNT_FIELDS, accounts, {CODE.id: replace(CODE, type=vat_type)})

    def test_sales_with_vat_need_a_code_of_sales(self) -> None:
        self.check(SALES)
        with_vat = ["domesticAccountId", "euAccountId", "abroadAccountId"]
        assert self.refused(ACCOUNT) == ("PRODUCT_GROUP_ACCOUNT_INVALID", with_vat)
        assert self.refused(SALES, VatType.PURCHASE) == ("PRODUCT_GROUP_ACCOUNT_INVALID", with_vat)

    def test_every_account_is_there_and_can_be_booked_on(self) -> None:
        names = ["domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId"]
        assert self.refused(None) == ("ACCOUNT_NOT_FOUND", names)
        assert self.refused(replace(SALES, is_active=False)) == ("PRODUCT_GROUP_ACCOUNT_INVALID", names)

    def test_what_a_request_does_not_name_is_not_judged(self) -> None:
        check_accounts(GROUP, {"name"}, {}, {})
