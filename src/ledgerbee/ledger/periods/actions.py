"""Opening financial years; locking and reopening periods."""

from collections.abc import Collection
from datetime import date

from ledgerbee.ledger.periods import rules, store
from ledgerbee.ledger.periods.model import FiscalYear
from ledgerbee.platform.context import Context


async def open_year(context: Context, start: date | None, end: date | None) -> FiscalYear:
    """Open a financial year beside those that there are (`rules.another_year`). Tells `fiscal_year.opened`.

    Raises validation errors, `FISCAL_YEAR_OVERLAPS` (also for the second of two at once), `FISCAL_YEAR_NOT_ADJACENT`.
    """
    years = [year.span for year in await store.list_fiscal_years(context)]
    opened = await store.add_fiscal_year(context, rules.another_year(years, start, end, context.today))
    tell_opened(context, opened)
    return opened


async def open_years_for(context: Context, days: Collection[date]) -> None:
    """Open all financial years that days lack (`rules.missing_years`). Tells `fiscal_year.opened` of each."""
    if not rules.missing_years([year.span for year in await store.list_fiscal_years(context)], days):
        return
    await store.hold_ledger(context)
    # Looked at again now that no other can open one.
    for year in rules.missing_years([year.span for year in await store.list_fiscal_years(context)], days):
        tell_opened(context, await store.add_fiscal_year(context, year))


def tell_opened(context: Context, year: FiscalYear) -> None:
    """Tell `fiscal_year.opened` of a new year with its wire form."""
    context.emit(
        "fiscal_year.opened",
        year.id,
        {
            "id": str(year.id),
            "startDate": year.start_date.isoformat(),
            "endDate": year.end_date.isoformat(),
            "lastEntryNumber": year.last_entry_number,
            "isLocked": year.is_locked,
        },
        is_first=True,
    )


async def lock_through(context: Context, day: date | None, *, reopen: bool) -> None:
    """Lock the books through `day` (None: not at all). Nothing is posted on a locked day from then on.

    Moving the date back reopens a period and has to be meant: raises `LOCK_DATE_MOVES_BACK` unless `reopen`. Tells
    `ledger.lock_date_changed`, so that the audit trail keeps who moved it, when, and from where.
    """
    before = await store.set_lock_date(context, day, reopen=reopen)
    if before != day:
        context.emit(
            "ledger.lock_date_changed",
            context.company_id,
            {"lockedThrough": _text(day), "previouslyLockedThrough": _text(before)},
            before={"lockedThrough": _text(before)},
        )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
