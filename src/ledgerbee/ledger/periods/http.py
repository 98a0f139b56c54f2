"""Financial years and the lock date over HTTP (extensions)."""

from datetime import date
from typing import Annotated

from pydantic import Field

from ledgerbee.ledger.periods import actions, store
from ledgerbee.ledger.periods.model import LOCK_DATE_MOVES_BACK
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import Day, IdText, RequestModel, ResponseModel, omitted

router = resource_router("Journal Entries")

#: Days that books can be about.
BookDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]


class FiscalYearResponse(ResponseModel):
    """A financial year."""

    id: IdText
    start_date: date = Field(examples=["2026-01-01"])
    end_date: date = Field(description="The last day, inclusive", examples=["2026-12-31"])
    last_entry_number: int = Field(description="Number of the newest entry; 0 while there is none", examples=[42])
    is_locked: bool = Field(description="True when the whole year is locked")


class LockDateResponse(ResponseModel):
    """How far the books are locked."""

    locked_through: date | None = Field(
        description="The last locked day: nothing is posted on it or before it. Null when nothing is locked.",
        examples=["2025-12-31"],
    )


class LockDateRequest(RequestModel):
    """How far to lock the books."""

    locked_through: BookDay | None = Field(description="The last locked day, inclusive; null locks nothing")
    reopen: bool = omitted(
        description="Must be true to move the date back (or to null), which reopens a locked period", strict=True
    )


@router.get(
    "/v1/fiscal-years",
    **operation(
        "List fiscal years",
        scope="accounts-read",
        extension=True,
        description="The financial years opened so far, by start. A year is opened by the first entry dated in it; "
        "years follow each other in steps of twelve months from the first.",
    ),
)
async def list_fiscal_years(context: Ctx) -> list[FiscalYearResponse]:
    """List fiscal years."""
    return [FiscalYearResponse.model_validate(year) for year in await store.list_fiscal_years(context)]


@router.get(
    "/v1/ledger/lock-date",
    **operation("Get the lock date", scope="company-read", extension=True, description="How far the books are locked."),
)
async def get_lock_date(context: Ctx) -> LockDateResponse:
    """Get the lock date."""
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
async def set_lock_date(context: Ctx, body: LockDateRequest) -> LockDateResponse:
    """Set the lock date."""
    await actions.lock_through(context, body.locked_through, reopen=bool(body.reopen))
    return LockDateResponse(locked_through=body.locked_through)
