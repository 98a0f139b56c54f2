"""Accounts on the wire (contract 2.1; adding and changing them is ours)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, cast
from uuid import UUID

from pydantic import Field

from ledgerbee.chart.accounts import rules
from ledgerbee.chart.accounts.model import (
    Account,
    AccountFields,
    AccountRole,
    Classification,
    ControlAccountType,
    LedgerType,
    NewAccount,
)
from ledgerbee.chart.seed.model import AccountSeed
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import View, given
from ledgerbee.http.wire import Id, IdText, Line, RequestModel, ResponseModel, Whole, changes_to, omitted

AccountNumber = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647, examples=[1015]), Whole]


class AccountResponse(ResponseModel):
    """An account of the chart."""

    id: IdText
    name: str = Field(examples=["Salg af varer og ydelser"])
    account_number: int = Field(examples=[1010])
    public_account_id: int = Field(description="The standard account it maps to", examples=[1010])
    ledger_type: LedgerType = Field(description="Only BALANCE_SHEET and PROFIT_AND_LOSS can be booked on")
    account_classification: Classification | None
    control_account_type: ControlAccountType | None = Field(
        description="ACCOUNTS_RECEIVABLE: an entry needs customerId. ACCOUNTS_PAYABLE: an entry needs vendorId."
    )
    vat_code_id: IdText | None = Field(description="VAT code of sales on the account; journal lines name their own")
    sum_from: int | None = Field(
        description="A total sums the bookable accounts whose standard account is from this number up to its own; the "
        "result, total assets, and total equity and liabilities sum all accounts of their kind. The result's line in "
        "equity (TOTAL_INTERVALS) has none."
    )
    is_active: bool = Field(description="Inactive accounts can't be booked on")
    role: str | None = Field(
        description="What the system books on it by itself, or the total of the statements that it is (extension)",
        examples=["DEFERRED_REVENUE"],
    )


class CreateAccountRequest(RequestModel):
    """What a new account needs."""

    account_number: AccountNumber = omitted(description="Unique in the company; left out: `publicAccountId`")
    name: Line = omitted(
        description="Left out: the name of the standard account", examples=["Feriepengeforpligtelse, regulering"]
    )
    ledger_type: LedgerType = omitted(
        description="Left out: that of the standard account, with what else is left out: classification, control "
        "account type, VAT code, `sumFrom`"
    )
    public_account_id: AccountNumber = omitted(
        description="The standard account it maps to, which is its place in the chart; left out: its own number"
    )
    account_classification: Classification = omitted(
        description="Needed for BALANCE_SHEET (ASSET, LIABILITY, EQUITY) and PROFIT_AND_LOSS (REVENUE, EXPENSE)"
    )
    control_account_type: ControlAccountType = omitted(
        description="ACCOUNTS_RECEIVABLE for an ASSET, ACCOUNTS_PAYABLE for a LIABILITY"
    )
    vat_code_id: Id = omitted(description="VAT code of sales on the account; journal lines name their own")
    sum_from: AccountNumber = omitted(description="Needed for totals: the first account number that is summed")
    role: AccountRole = omitted(
        description="Have the system book on it, where no other account has the role: prepayments of customers, "
        "deferred revenue, unidentified receipts (a LIABILITY), what payment providers have not paid out "
        "(PAYMENT_CLEARING, an ASSET), or what they keep (PAYMENT_FEES, an EXPENSE)"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether its properties fit together, where the standard account gives none."""
        account = View(
            ledger_type=lambda: given(self.ledger_type),
            standard_number=lambda: given(self.public_account_id or self.account_number),
            classification=lambda: self.account_classification,
            control_account_type=lambda: self.control_account_type,
            vat_code_id=lambda: self.vat_code_id,
            sum_from=lambda: self.sum_from,
            role=lambda: self.role,
        )
        return rules.checks(cast("Account", account))

    def account(self) -> NewAccount:
        return NewAccount(
            number=self.account_number,
            standard_number=self.public_account_id,
            classification=self.account_classification,
            **self.model_dump(include={"name", "ledger_type", "control_account_type", "vat_code_id", "sum_from"}),
        )


class StandardAccountResponse(ResponseModel):
    """An account of the public standard chart."""

    account_number: int = Field(examples=[2866])
    name: str = Field(examples=["Feriepengeforpligtelse, regulering"])
    ledger_type: LedgerType
    account_classification: Classification | None
    vat_code: str | None = Field(description="The VAT code that a new account of it gets", examples=["K010"])
    sum_from: int | None = Field(description="A total sums the standard accounts from this number up to its own")
    account_ids: list[IdText] = Field(description="The company's accounts that map to it")


class UpdateAccountRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    name: Line = omitted()
    vat_code_id: Id | None = omitted(description="null: none")
    is_active: Annotated[bool, Field(strict=True)] = omitted()


changes_of = changes_to(AccountFields, UpdateAccountRequest)


def render(account: Account) -> AccountResponse:
    return AccountResponse(
        id=account.id,
        name=account.name,
        account_number=account.number,
        public_account_id=account.standard_number,
        ledger_type=account.ledger_type,
        account_classification=account.classification,
        control_account_type=account.control_account_type,
        vat_code_id=account.vat_code_id,
        sum_from=account.sum_from,
        is_active=account.is_active,
        role=account.role,
    )


def render_standard_chart(
    standard: Iterable[AccountSeed], language: str, accounts: Iterable[Account]
) -> list[StandardAccountResponse]:
    """The public standard chart on the wire, with which of the company's `accounts` map to each of its own."""
    mapped: defaultdict[int, list[UUID]] = defaultdict(list)
    for account in accounts:
        mapped[account.standard_number].append(account.id)
    return [
        StandardAccountResponse(
            account_number=one.number,
            name=one.name_in(language),
            ledger_type=LedgerType(one.ledger_type),
            account_classification=Classification(one.classification) if one.classification else None,
            vat_code=one.vat_code,
            sum_from=one.sum_from,
            account_ids=mapped[one.number],
        )
        for one in standard
    ]
