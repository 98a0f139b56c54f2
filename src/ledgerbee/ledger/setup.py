"""The books of a new company."""

from datetime import date

from ledgerbee.core.money import minor_units
from ledgerbee.ledger.periods import store
from ledgerbee.platform.context import Context


async def open_books(context: Context, base_currency: str, first_year_start: date) -> None:
    """Open the context's company's ledger in `base_currency` (ISO 4217), for good.

    `first_year_start` is the first day of a month; the first financial year runs twelve months from it, and later
    and earlier years follow from it as they are needed. Raises `ValueError` for an unknown currency.
    """
    await store.open_ledger(context, base_currency, minor_units(base_currency), first_year_start)
