"""Accounts over HTTP (contract 2.1; adding and changing them is ours)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, cast
from uuid import UUID

from fastapi import Path, Response
from pydantic import Field

from ledgerbee.chart.accounts import actions, rules, store
from ledgerbee.chart.accounts.model import (
    ACCOUNT_IN_USE,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_NUMBER_ALREADY_EXISTS,
    Account,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.http.arrays import array
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import View, given
from ledgerbee.http.wire import Id, IdText, Line, RequestModel, ResponseModel, Whole, changes_of, omitted
from ledgerbee.tenancy.company import store as companies

router = resource_router("Accounts")

AccountId = Annotated[Id, Path(alias="accountId", description="Account ID")]
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

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether its properties fit together, where the standard account gives none."""
        account = View(
            ledger_type=lambda: given(self.ledger_type),
            standard_number=lambda: given(self.public_account_id or self.account_number),
            classification=lambda: self.account_classification,
            control_account_type=lambda: self.control_account_type,
            vat_code_id=lambda: self.vat_code_id,
            sum_from=lambda: self.sum_from,
            role=lambda: None,
        )
        return rules.checks(cast("Account", account))


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


@form_of(Account)
def render(account: Account) -> AccountResponse:
    """The wire form of an account."""
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
    )


@router.get(
    "/v1/accounts",
    response_model=list[AccountResponse],
    **operation(
        "List accounts",
        scope="accounts-read",
        description="The whole chart of accounts, by standard account and number.",
    ),
)
async def list_accounts(context: Ctx) -> Response:
    """List accounts."""
    return await array(await store.list_all(context), render)


@router.get(
    "/v1/standard-accounts",
    **operation(
        "List standard accounts",
        scope="accounts-read",
        extension=True,
        description="The public standard chart of the company's country by number, and which accounts of the company "
        "map to each. Only Denmark has one; the list is empty for any other country.",
    ),
)
async def list_standard_accounts(context: Ctx) -> list[StandardAccountResponse]:
    """List standard accounts."""
    company = await companies.get(context)
    mapped: defaultdict[int, list[UUID]] = defaultdict(list)
    for account in await store.list_all(context):
        mapped[account.standard_number].append(account.id)
    return [
        StandardAccountResponse(
            account_number=standard.number,
            name=standard.name_in(company.preferred_language),
            ledger_type=LedgerType(standard.ledger_type),
            account_classification=Classification(standard.classification) if standard.classification else None,
            vat_code=standard.vat_code,
            sum_from=standard.sum_from,
            account_ids=mapped[standard.number],
        )
        for standard in standard_accounts(company.country_code).values()
    ]


@router.post(
    "/v1/accounts",
    **operation(
        "Create an account",
        scope="accounts-write",
        status=201,
        extension=True,
        description="Adds an account, a heading or a total to the chart. A number of the public standard chart "
        "(`GET /v1/standard-accounts`) is enough: the rest is as the standard has it.",
        response="Account created",
        errors=[VAT_CODE_NOT_FOUND, ACCOUNT_NUMBER_ALREADY_EXISTS],
    ),
)
async def create_account(context: Ctx, body: CreateAccountRequest) -> AccountResponse:
    """Create an account."""
    account = await actions.create(
        context,
        number=body.account_number,
        name=body.name,
        ledger_type=body.ledger_type,
        standard_number=body.public_account_id,
        classification=body.account_classification,
        control_account_type=body.control_account_type,
        vat_code_id=body.vat_code_id,
        sum_from=body.sum_from,
    )
    return render(account)


@router.patch(
    "/v1/accounts/{accountId}",
    **operation(
        "Update an account",
        scope="accounts-write",
        extension=True,
        description="Changes name, VAT code or whether it can be booked on. Number and type stay as they are.",
        response="Account updated",
        errors=[ACCOUNT_NOT_FOUND, VAT_CODE_NOT_FOUND, ACCOUNT_IN_USE],
    ),
)
async def update_account(context: Ctx, account_id: AccountId, body: UpdateAccountRequest) -> AccountResponse:
    """Update an account."""
    return render(await actions.update(context, account_id, changes_of(body)))
