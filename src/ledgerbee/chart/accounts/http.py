"""Routes of accounts (contract 2.1; adding and changing them is ours)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.chart.accounts import actions, store
from ledgerbee.chart.accounts.model import (
    ACCOUNT_IN_USE,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_NUMBER_ALREADY_EXISTS,
    ACCOUNT_ROLE_ALREADY_EXISTS,
    VAT_CODE_NOT_FOUND,
    AccountId,
)
from ledgerbee.chart.accounts.wire import (
    AccountResponse,
    CreateAccountRequest,
    StandardAccountResponse,
    UpdateAccountRequest,
    changes_of,
    render,
    render_standard_chart,
)
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.http.arrays import array
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.tenancy.company import store as companies

router = resource_router("Accounts")

PathId = Annotated[IdOf[AccountId], Path(alias="accountId", description="Account ID")]


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
    company = await companies.get(context)
    standard = standard_accounts(company.country_code).values()
    return render_standard_chart(standard, company.preferred_language, await store.list_all(context))


@router.post(
    "/v1/accounts",
    **operation(
        "Create an account",
        scope="accounts-write",
        status=201,
        extension=True,
        description="Adds an account, a heading or a total to the chart. A number of the public standard chart "
        "(`GET /v1/standard-accounts`) is enough: the rest is as the standard has it. With a `role` the system books "
        "on it by itself; charts of earlier releases may lack one.",
        response="Account created",
        errors=[VAT_CODE_NOT_FOUND, ACCOUNT_NUMBER_ALREADY_EXISTS, ACCOUNT_ROLE_ALREADY_EXISTS],
    ),
)
async def create_account(context: Ctx, body: CreateAccountRequest) -> AccountResponse:
    return render(await actions.create(context, body.account(), body.role))


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
async def update_account(context: Ctx, account_id: PathId, body: UpdateAccountRequest) -> AccountResponse:
    return render(await actions.update(context, account_id, changes_of(body)))
