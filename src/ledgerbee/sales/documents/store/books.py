"""What an entry on a customer's account is booked by, beside a document."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.platform.context import Context

_BOOKS: Final = f"""
SELECT co.base_currency, co.preferred_language AS language, c.name AS customer_name,
       ({journal_categories.FOR_TYPE}) AS journal_category_id
FROM companies co JOIN customers c ON c.company_id = co.company_id AND c.id = $4
WHERE co.company_id = $1
"""


@dataclass(frozen=True, slots=True)
class CustomerBooks:
    """Currency and language of the company, the customer's name, and where entries of a type are posted."""

    base_currency: str
    language: str
    customer_name: str
    journal_category_id: UUID | None


async def get_books(context: Context, customer_id: UUID, journal_type: JournalType) -> CustomerBooks:
    """What entries of a type on the account of a customer, who is there, are booked by."""
    row = await context.connection.fetchrow(_BOOKS, context.company_id, journal_type, list(JournalType), customer_id)
    assert row is not None, "the customer was found before"
    return CustomerBooks(**row)
