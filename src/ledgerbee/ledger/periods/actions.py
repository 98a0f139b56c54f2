"""Opening financial years; locking and reopening periods."""

from collections.abc import Collection
from datetime import date

from ledgerbee.ledger.periods import rules, store
from ledgerbee.ledger.periods.model import FiscalYear, Span
from ledgerbee.ledger.periods.wire import render
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def open_year(context: Context, start: date | None, end: date | None) -> FiscalYear:
    """Open a financial year beside those that there are (`rules.another_year`). Emits `fiscal_year.opened`.

    Raises validation errors, `FISCAL_YEAR_OVERLAPS` (also for the second of two at once), `FISCAL_YEAR_NOT_ADJACENT`.
    """
    year = await store.insert(context, rules.another_year(await _spans(context), start, end, context.today))
    emit_opened(context, year)
    return year


async def open_years_for(context: Context, days: Collection[date]) -> None:
    """Open all financial years that days lack (`rules.missing_years`). Emits `fiscal_year.opened` for each."""
    if not rules.missing_years(await _spans(context), days):
        return
    await store.ledger_for_update(context)
    # Read again: until the lock was taken another transaction could open one.
    for span in rules.missing_years(await _spans(context), days):
        emit_opened(context, await store.insert(context, span))


async def is_year_due(context: Context, day: date) -> bool:
    """Whether a sandbox has come to a day that no financial year holds."""
    return context.is_sandbox and bool(rules.missing_years(await _spans(context), [day]))


async def open_year_of_day(day: CompanyDay) -> None:
    """Open the financial years up to a sandbox's day: its clock may pass a whole one in which nothing was posted.

    Other companies open theirs by posting, or as they want them. Emits `fiscal_year.opened` for each.
    """

    async def work(context: Context) -> None:
        if await is_year_due(context, day.day):
            await open_years_for(context, [day.day])

    if day.tenant.is_sandbox:
        await day.write(work)


def emit_opened(context: Context, year: FiscalYear) -> None:
    context.emit("fiscal_year.opened", year.id, render(year).as_event(), is_first=True)


async def _spans(context: Context) -> list[Span]:
    return [year.span for year in await store.list_all(context)]


async def lock_through(context: Context, day: date | None, *, reopen: bool) -> None:
    """Lock the books through `day` (None: not at all). Nothing is posted on a locked day from then on.

    Moving the date back reopens a period and has to be meant: raises `LOCK_DATE_MOVES_BACK` unless `reopen`. Emits
    `ledger.lock_date_changed`, so that the audit trail keeps who moved it, when, and from where.
    """
    before = await store.update_lock_date(context, day, reopen=reopen)
    if before != day:
        context.emit(
            "ledger.lock_date_changed",
            context.company_id,
            {"lockedThrough": _text(day), "previouslyLockedThrough": _text(before)},
            before={"lockedThrough": _text(before)},
        )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
