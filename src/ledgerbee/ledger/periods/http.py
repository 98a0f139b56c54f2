"""Routes of financial years and the lock date (extensions)."""

from typing import Final

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.ledger.periods import actions, store
from ledgerbee.ledger.periods.model import FISCAL_YEAR_NOT_ADJACENT, FISCAL_YEAR_OVERLAPS, LOCK_DATE_MOVES_BACK
from ledgerbee.ledger.periods.wire import (
    CreateFiscalYearRequest,
    FiscalYearResponse,
    LockDateResponse,
    UpdateLockDateRequest,
    render,
)

router = resource_router("Journal Entries")

#: Who sets up the chart opens the years to post in: setting up the books. The lock date, a control, is the company's.
OPEN_SCOPE: Final = "accounts-write"


@router.get(
    "/v1/fiscal-years",
    **operation(
        "List fiscal years",
        scope="accounts-read",
        extension=True,
        description="The financial years that can be posted in, by start. The one that follows the newest is opened by "
        "the first entry dated in it, others by `POST /v1/fiscal-years`.",
    ),
)
async def list_fiscal_years(context: Ctx) -> list[FiscalYearResponse]:
    return [render(year) for year in await store.list_all(context)]


@router.post(
    "/v1/fiscal-years",
    **operation(
        "Open a fiscal year",
        scope=OPEN_SCOPE,
        status=201,
        extension=True,
        description="Opens the financial year after the newest, or one before the first: whole months, twelve unless "
        "told otherwise, without a gap to the others. It stays, as it is.",
        response="Fiscal year opened",
        errors=[FISCAL_YEAR_OVERLAPS, FISCAL_YEAR_NOT_ADJACENT],
    ),
)
async def open_fiscal_year(context: Ctx, body: CreateFiscalYearRequest) -> FiscalYearResponse:
    return render(await actions.open_year(context, body.start_date, body.end_date))


@router.get(
    "/v1/ledger/lock-date",
    **operation("Get the lock date", scope="company-read", extension=True, description="How far the books are locked."),
)
async def get_lock_date(context: Ctx) -> LockDateResponse:
    return LockDateResponse(locked_through=await store.get_lock_date(context))


@router.put(
    "/v1/ledger/lock-date",
    **operation(
        "Set the lock date",
        scope="company-write",
        extension=True,
        description="Locks the books through a day: an entry dated on it or earlier is refused with "
        "`PERIOD_LOCKED`. Postings under way are waited for. Moving the date back reopens a period and needs "
        "`reopen: true`; every move is kept in the audit trail.",
        errors=[LOCK_DATE_MOVES_BACK],
    ),
)
async def set_lock_date(context: Ctx, body: UpdateLockDateRequest) -> LockDateResponse:
    await actions.lock_through(context, body.locked_through, reopen=bool(body.reopen))
    return LockDateResponse(locked_through=body.locked_through)
