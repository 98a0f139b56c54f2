"""Asking once more for refunds that have no answer: what is done for each company once a day."""

from datetime import date

from ledgerbee.payments.charges.rules import left_alone_since
from ledgerbee.payments.refunds import actions, store
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, day: date) -> bool:  # noqa: ARG001  what has no answer is due on any day
    """Whether a refund is to be looked at again."""
    return bool(await store.list_unanswered(context, left_alone_since(context.now, is_sandbox=context.is_sandbox)))


async def refund_day(day: CompanyDay) -> None:
    """Have refunds looked at that nobody asked for lately."""
    await day.write(actions.look_again)
