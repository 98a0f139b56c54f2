"""The books of a new company."""

from ledgerbee.core.money import minor_units
from ledgerbee.ledger.periods import store
from ledgerbee.ledger.periods.model import Span
from ledgerbee.platform.context import Context


async def open_books(context: Context, base_currency: str, first_year: Span) -> None:
    """Open the context's company's ledger in `base_currency` (ISO 4217), for good, with its first financial year.

    Raises `ValueError` for an unknown currency.
    """
    await store.insert_ledger(context, base_currency, minor_units(base_currency), first_year)
