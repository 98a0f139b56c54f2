"""What a day means for saved cards, as what is done for each company once a day."""

from datetime import date, timedelta
from functools import partial

from ledgerbee.payments.payment_methods import actions, store
from ledgerbee.payments.payment_methods.model import EXPIRING_DAYS
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay


async def is_due(context: Context, day: date) -> bool:
    """Whether a card has come to its end by a day, or ends soon and that was not told."""
    return await store.is_any_aging(context, day, day + timedelta(days=EXPIRING_DAYS))


async def age_day(day: CompanyDay) -> None:
    """Mark the cards that are past their end by a day, and tell of those that end soon, some in each transaction."""
    while await day.write(partial(actions.age_chunk, day=day.day)):
        pass
