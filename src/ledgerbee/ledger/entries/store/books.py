"""What completing entered entries takes from the company's books, loaded at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalCategory
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.ledger.entries.model import EntryInput
from ledgerbee.ledger.entries.rules.entering import Books
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.rates import store as rates

_BOOKS: Final = f"""
SELECT g.base_currency,
       ARRAY(SELECT ROW({journal_categories.columns("j")}) FROM journal_categories j
             WHERE j.company_id = $1 AND (j.is_default OR j.id = ANY ($2::uuid[]))) AS categories,
       ARRAY(SELECT ROW(c.id, p.account_id) FROM customers c
             JOIN customer_groups p ON p.company_id = c.company_id AND p.id = c.customer_group_id
             WHERE c.company_id = $1 AND c.id = ANY ($3::uuid[])) AS customers,
       ARRAY(SELECT ROW(v.id, p.account_id) FROM vendors v
             JOIN vendor_groups p ON p.company_id = v.company_id AND p.id = v.vendor_group_id
             WHERE v.company_id = $1 AND v.id = ANY ($4::uuid[])) AS vendors
FROM ledgers g WHERE g.company_id = $1
"""


@dataclass(frozen=True, slots=True)
class CompanyDefaults:
    """What every entry needs of the company and what hardly ever changes: kept in `Context.company_cache`."""

    base_currency: str
    default_category: JournalCategory | None


async def load_books(context: Context, entries: Sequence[EntryInput]) -> Books:
    """What `rules.entry_to_post` needs for these entries: for most nothing, once the company's defaults are known."""
    books = await load_references(context, entries)
    return replace(books, rates=await _rates(context, entries, books.base_currency))


async def hold_tags(context: Context, entries: Sequence[EntryInput]) -> None:
    """Keep the tags of entries from being deleted until the transaction ends; one that is gone is missing in the books.

    It comes before the books are loaded: whoever waits for a delete here sees what it did.
    """
    if tags := _tags_of(entries):
        await dimensions.lock_values_for_key_share(context, tags)


async def load_references(context: Context, entries: Sequence[EntryInput]) -> Books:
    """What `rules.validated` needs for these entries: the books without the rates of days."""
    named = (
        _named([entry.journal_category_id for entry in entries]),
        _named([entry.customer_id for entry in entries]),
        _named([entry.vendor_id for entry in entries]),
    )
    defaults: CompanyDefaults | None = (
        None if context.company_cache is None else context.company_cache.get(CompanyDefaults)
    )
    categories: list[JournalCategory] = []
    customers: dict[UUID, UUID] = {}
    vendors: dict[UUID, UUID] = {}
    if defaults is None or any(named):
        row = await context.connection.fetchrow(_BOOKS, context.company_id, *named)
        assert row is not None, "a company has its books from the start"
        categories = [journal_categories.category(values) for values in row["categories"]]
        customers, vendors = dict(row["customers"]), dict(row["vendors"])
        default = next((category for category in categories if category.is_default), None)
        defaults = CompanyDefaults(row["base_currency"], default)
        if context.company_cache is not None:
            context.company_cache[CompanyDefaults] = defaults
    base_currency = defaults.base_currency
    taxed = {line.vat_code_id for entry in entries for line in entry.lines if line.vat_code_id}
    stood_on = {
        line.account_id
        for entry in entries
        for line in entry.lines
        if line.vat_code_id or entry.currency not in {None, base_currency}
    }
    tags = _tags_of(entries)
    return Books(
        base_currency=base_currency,
        default_category=defaults.default_category,
        categories={category.id: category for category in categories},
        customers=customers,
        vendors=vendors,
        accounts=await accounts.get_many(context, stood_on) if stood_on else {},
        vat_codes=await vat_codes.get_many(context, taxed),
        tags=await dimensions.get_tags(context, tags) if tags else {},
    )


def _named(ids: Iterable[UUID | None]) -> list[UUID]:
    return [found for found in set(ids) if found is not None]


def _tags_of(entries: Sequence[EntryInput]) -> set[UUID]:
    """The tags of the entries and their lines."""
    tags = {tag for entry in entries for tag in entry.tag_ids}
    tags.update(tag for entry in entries for line in entry.lines for tag in line.tag_ids)
    return tags


async def _rates(
    context: Context, entries: Sequence[EntryInput], base_currency: str
) -> dict[tuple[str, date], Decimal]:
    """The day's rate of every foreign currency that comes without one; those without a rate are missing."""
    wanted = {
        (entry.currency, entry.date)
        for entry in entries
        if entry.currency not in {None, base_currency} and entry.exchange_rate is None
    }
    found = {}
    for currency, day in sorted(wanted, key=str):
        assert currency is not None, "only entries with a currency of their own are asked for"
        if (rate := await rates.find(context, currency, day)) is not None:
            found[currency, day] = rate.value
    return found
