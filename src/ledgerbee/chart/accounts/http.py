"""Accounts over HTTP (contract 2.1; adding and changing them is ours)."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts import actions, store
from ledgerbee.chart.accounts.model import (
    ACCOUNT_IN_USE,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_NUMBER_ALREADY_EXISTS,
    Account,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import Id, IdText, Line, RequestModel, ResponseModel, changes_of, omitted

router = resource_router("Accounts")

AccountId = Annotated[Id, Path(alias="accountId", description="Account ID")]
AccountNumber = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647, examples=[1015])]


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
    sum_from: int | None = Field(description="A total sums the bookable accounts from this number up to its own")
    is_active: bool = Field(description="Inactive accounts can't be booked on")


class CreateAccountRequest(RequestModel):
    """What a new account needs."""

    account_number: AccountNumber = Field(description="Unique in the company")
    name: Line = Field(examples=["Salg af varer og ydelser"])
    ledger_type: LedgerType
    public_account_id: AccountNumber = omitted(description="The standard account it maps to; left out: its own number")
    account_classification: Classification = omitted(
        description="Needed for BALANCE_SHEET (ASSET, LIABILITY, EQUITY) and PROFIT_AND_LOSS (REVENUE, EXPENSE)"
    )
    control_account_type: ControlAccountType = omitted(
        description="ACCOUNTS_RECEIVABLE for an ASSET, ACCOUNTS_PAYABLE for a LIABILITY"
    )
    vat_code_id: Id = omitted(description="VAT code of sales on the account; journal lines name their own")
    sum_from: AccountNumber = omitted(description="Needed for totals: the first account number that is summed")


class UpdateAccountRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    name: Line = omitted()
    vat_code_id: Id | None = omitted(description="null: none")
    is_active: Annotated[bool, Field(strict=True)] = omitted()


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
    **operation(
        "List accounts",
        scope="accounts-read",
        description="The whole chart of accounts, by standard account and number.",
    ),
)
async def list_accounts(context: Ctx) -> list[AccountResponse]:
    """List accounts."""
    return [render(account) for account in await store.list_all(context)]


@router.post(
    "/v1/accounts",
    **operation(
        "Create an account",
        scope="accounts-write",
        status=201,
        extension=True,
        description="Adds an account, a heading or a total to the chart.",
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
