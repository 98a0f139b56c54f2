"""Financial years and the lock date over HTTP (extensions)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import given
from ledgerbee.http.wire import Day, IdText, RequestModel, ResponseModel, omitted
from ledgerbee.ledger.periods import actions, rules, store
from ledgerbee.ledger.periods.model import FISCAL_YEAR_NOT_ADJACENT, FISCAL_YEAR_OVERLAPS, LOCK_DATE_MOVES_BACK

router = resource_router("Journal Entries")

#: Days that books can be about.
BookDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]

#: Who sets up the chart opens the years to post in: setting up the books. The lock date, a control, is the company's.
OPEN_SCOPE: Final = "accounts-write"


class FiscalYearResponse(ResponseModel):
    """A financial year."""

    id: IdText
    start_date: date = Field(examples=["2026-01-01"])
    end_date: date = Field(description="The last day, inclusive", examples=["2026-12-31"])
    last_entry_number: int = Field(description="Number of the newest entry; 0 while there is none", examples=[42])
    is_locked: bool = Field(description="True when the whole year is locked")


class CreateFiscalYearRequest(RequestModel):
    """Which financial year to open."""

    start_date: BookDay = omitted(
        description="The first day of a month; left out: the day after the newest year, or twelve months before an "
        "`endDate` that lies before its end",
        examples=["2027-01-01"],
    )
    end_date: BookDay = omitted(
        description="The last day of a month, inclusive; left out: twelve months from `startDate`. A year in which the "
        "financial year is changed has 1 to 18 months.",
        examples=["2027-12-31"],
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Both days, where both are told."""
        yield lambda: rules.check_another(given(self.start_date), given(self.end_date), facts.today)


class LockDateResponse(ResponseModel):
    """How far the books are locked."""

    locked_through: date | None = Field(
        description="The last locked day: nothing is posted on it or before it. Null when nothing is locked.",
        examples=["2025-12-31"],
    )


class UpdateLockDateRequest(RequestModel):
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
        description="The financial years that can be posted in, by start. The one that follows the newest is opened by "
        "the first entry dated in it, others by `POST /v1/fiscal-years`.",
    ),
)
async def list_fiscal_years(context: Ctx) -> list[FiscalYearResponse]:
    """List fiscal years."""
    return [FiscalYearResponse.model_validate(year) for year in await store.list_fiscal_years(context)]


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
    """Open a fiscal year."""
    return FiscalYearResponse.model_validate(await actions.open_year(context, body.start_date, body.end_date))


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
async def set_lock_date(context: Ctx, body: UpdateLockDateRequest) -> LockDateResponse:
    """Set the lock date."""
    await actions.lock_through(context, body.locked_through, reopen=bool(body.reopen))
    return LockDateResponse(locked_through=body.locked_through)
