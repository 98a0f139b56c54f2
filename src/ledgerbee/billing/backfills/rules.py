"""Which days a backfill may be of, which events it takes, and what a preview shows of a period. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from ledgerbee.billing.backfills.model import MAX_DAYS, Backfill, BilledUsage, PreviewedPeriod
from ledgerbee.billing.charges.model import Charge
from ledgerbee.billing.usage.model import NewUsage
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.money import total


def problems_of_days(starts_on: date, ends_on: date, today: date) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the days of a backfill. Usage that is to come has not come in yet."""
    if ends_on < starts_on:
        yield ("to", "minDate", "to must not be before from")
    elif (ends_on - starts_on).days >= MAX_DAYS:
        yield ("to", "maxDate", f"to must be less than {MAX_DAYS} days after from")
    if ends_on > today:
        yield ("to", "maxDate", "to must not be after today")


def fault_in(backfill: Backfill, usage: NewUsage) -> LedgerBeeError | None:
    """What is wrong with an event for a backfill: it is of another meter, another customer or other days."""
    if usage.meter_id != backfill.meter_id:
        return invalid(("meterId", "isOfBackfill", "meterId must be the meter of the backfill"))
    if backfill.customer_id is not None and usage.customer_id != backfill.customer_id:
        return invalid(("customerId", "isOfBackfill", "customerId must be the customer of the backfill"))
    if not backfill.starts_on <= usage.day <= backfill.ends_on:
        text = f"timestamp must be in the days of the backfill, {backfill.starts_on} to {backfill.ends_on}"
        return invalid(("timestamp", "isOfBackfill", text))
    return None


def period_of(billed: Sequence[Charge], differences: Sequence[Charge], currency: str) -> PreviewedPeriod:
    """A period as it is billed, by its charge and the differences since, and as it is with those that are new."""
    first = billed[0]
    return PreviewedPeriod(
        first.subscription_id,
        first.price_id,
        first.service.start,
        first.service.end,
        currency,
        _summed(billed),
        _summed([*billed, *differences]),
    )


def _summed(charges: Sequence[Charge]) -> BilledUsage:
    return BilledUsage(
        sum(charge.events for charge in charges),
        total([charge.quantity for charge in charges]),
        total([charge.net for charge in charges]),
    )
