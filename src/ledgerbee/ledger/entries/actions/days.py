"""Whether anything can be posted on a day: what whoever books later asks before something happens elsewhere."""

from datetime import date

from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, HOW_TO_OPEN, PERIOD_LOCKED
from ledgerbee.ledger.periods import rules, store
from ledgerbee.platform.context import Context


async def check_day(context: Context, day: date) -> None:
    """Refuse a day on which posting would refuse an entry by now; nothing is held, so a later one may be refused still.

    Raises `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`.
    """
    locked_through = await store.get_lock_date(context)
    if locked_through is not None and day <= locked_through:
        raise PERIOD_LOCKED.error(date=day.isoformat(), lockedThrough=locked_through.isoformat())
    years = [year.span for year in await store.list_all(context)]
    if not rules.takes_entries(years, day, context.now.date()):
        raise FISCAL_YEAR_MISSING.error(
            date=day.isoformat(),
            firstKnownDay=years[0].start_date.isoformat(),
            lastKnownDay=years[-1].end_date.isoformat(),
            hint=HOW_TO_OPEN,
        )
