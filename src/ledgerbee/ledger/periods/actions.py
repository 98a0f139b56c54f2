"""Locking and reopening periods."""

from datetime import date

from ledgerbee.ledger.periods import store
from ledgerbee.platform.context import Context


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
        )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
