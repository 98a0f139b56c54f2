"""The routes of ledgers: of an account, a customer and a vendor (extensions)."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, AccountId
from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.operation import Ctx, RouteOptions, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.reports.ledgers import actions
from ledgerbee.ledger.reports.ledgers.model import LedgerOf
from ledgerbee.ledger.reports.ledgers.wire import LedgerQuery, LedgerResponse, render
from ledgerbee.ledger.reports.tags import tags_of
from ledgerbee.parties.party.http import CustomerPath, VendorPath
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context

router = resource_router("Reports")

AccountPath = Annotated[IdOf[AccountId], Path(alias="accountId", description="Account ID")]

_LINES: Final = (
    "opening balance, each line with the balance after it, closing balance, in base currency. By day, and among one "
    "day's entries the one made last comes last."
)
_NARROWED: Final = (
    "\n\nWith `dimensionValueId` or `projectId` only lines that carry it count, by themselves or through their entry."
)


def _operation(title: str, text: str, errors: Sequence[ErrorCode]) -> RouteOptions:
    return operation(
        title,
        scope="reports-read",
        extension=True,
        description=f"{text}{_NARROWED}",
        response="A page of the ledger",
        errors=errors,
    )


@router.get(
    "/v1/accounts/{accountId}/ledger",
    **_operation(
        "Get the ledger of an account",
        f"What was posted on an account over a span of days: {_LINES} It opens and closes as in the trial balance of "
        "the same days. A heading or a total has no lines.",
        [ACCOUNT_NOT_FOUND],
    ),
)
async def get_account_ledger(
    context: Ctx, account_id: AccountPath, query: Annotated[LedgerQuery, Query()]
) -> LedgerResponse:
    return await _ledger(context, LedgerOf.ACCOUNT, account_id, query)


@router.get(
    "/v1/customers/{customerId}/ledger",
    **_operation(
        "Get the ledger of a customer",
        f"What was posted on receivables for a customer over a span of days: {_LINES} The balance is what it owes: the "
        "company gets what is positive.",
        [CUSTOMER_NOT_FOUND],
    ),
)
async def get_customer_ledger(
    context: Ctx, customer_id: CustomerPath, query: Annotated[LedgerQuery, Query()]
) -> LedgerResponse:
    return await _ledger(context, LedgerOf.CUSTOMER, customer_id, query)


@router.get(
    "/v1/vendors/{vendorId}/ledger",
    **_operation(
        "Get the ledger of a vendor",
        f"What was posted on payables for a vendor over a span of days: {_LINES} The company owes what is negative.",
        [VENDOR_NOT_FOUND],
    ),
)
async def get_vendor_ledger(
    context: Ctx, vendor_id: VendorPath, query: Annotated[LedgerQuery, Query()]
) -> LedgerResponse:
    return await _ledger(context, LedgerOf.VENDOR, vendor_id, query)


async def _ledger(context: Context, kind: LedgerOf, owner_id: UUID, query: LedgerQuery) -> LedgerResponse:
    tag_ids = await tags_of(context, query.dimension_value_id, query.project_id)
    found = await actions.ledger(context, kind, owner_id, query.from_date, query.to_date, tag_ids, query.asked)
    return render(found, query.asked)
