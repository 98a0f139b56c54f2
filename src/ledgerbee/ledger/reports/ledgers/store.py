"""Lines of the ledger of an account, a customer or a vendor.

They are in the order of day, entry and line, which the indexes of the lines have: among one day's entries the one that
was made last comes last. What a page skips is summed up, so that its balance goes on from there.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.entries.model import source_of
from ledgerbee.ledger.reports.ledgers.model import LedgerLine, LedgerOf, Owner
from ledgerbee.platform.context import Context

_OWNERS: Final[Mapping[LedgerOf, str]] = {
    LedgerOf.ACCOUNT: "SELECT number::text, name FROM accounts WHERE company_id = $1 AND id = $2",
    LedgerOf.CUSTOMER: "SELECT number, name FROM customers WHERE company_id = $1 AND id = $2",
    LedgerOf.VENDOR: "SELECT number, name FROM vendors WHERE company_id = $1 AND id = $2",
}
#: The owner's ($2) lines in the days from $3 to $4, of those that carry one of the tags $5 unless it is null.
_LINES: Final = """
journal_lines l
JOIN journal_entries e ON e.company_id = l.company_id AND e.id = l.entry_id
WHERE l.company_id = $1 AND l.{owner}_id = $2 AND l.entry_date BETWEEN $3 AND $4
    AND ($5::uuid[] IS NULL OR l.tag_ids && $5 OR e.tag_ids && $5)
"""
_IN_ORDER: Final = "ORDER BY l.entry_date, l.entry_id, l.line_number"
_SUMS: Final = """
SELECT count(*), coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0) AS debit,
       coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0) AS credit FROM {lines}
"""
_SKIPPED: Final = """
SELECT coalesce(sum(s.base_amount), 0) FROM (SELECT l.base_amount FROM {lines} {order} LIMIT $6) s
"""
_PAGE: Final = """
WITH page AS MATERIALIZED (SELECT l.entry_id, l.line_number FROM {lines} {order} OFFSET $6 LIMIT $7)
SELECT l.id, l.entry_id AS journal_entry_id, e.entry_number, l.entry_date, e.entry_type, l.account_id,
       a.number AS account_number, a.name AS account_name, coalesce(l.description, e.description) AS description,
       e.reference, l.customer_id, l.vendor_id, l.currency, l.is_debit, l.amount, l.base_amount, l.vat_code_id,
       (SELECT coalesce(array_agg(DISTINCT t.id ORDER BY t.id), '{{}}') FROM unnest(e.tag_ids || l.tag_ids) t (id))
           AS tag_ids,
       e.source_type, e.source_id, e.reverses_entry_id, r.id AS reversed_by_entry_id
FROM page p
JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = p.entry_id AND l.line_number = p.line_number
JOIN journal_entries e ON e.company_id = $1 AND e.id = p.entry_id
JOIN accounts a ON a.company_id = $1 AND a.id = l.account_id
LEFT JOIN journal_entries r ON r.company_id = $1 AND r.reverses_entry_id = e.id
{order}
"""
#: The first and the last day that books can be about.
_ALWAYS: Final = (date(1900, 1, 1), date(2999, 12, 31))


def _of(statement: str, kind: LedgerOf) -> str:
    return statement.format(lines=_LINES.format(owner=kind), order=_IN_ORDER)


async def find_owner(context: Context, kind: LedgerOf, owner_id: UUID) -> Owner | None:
    """Whose ledger it is; None where the company has no such account, customer or vendor."""
    row = await context.connection.fetchrow(_OWNERS[kind], context.company_id, owner_id)
    return Owner(kind, owner_id, row["number"], row["name"]) if row else None


async def get_sums(
    context: Context, owner: Owner, from_date: date | None, to_date: date | None, tag_ids: Sequence[UUID] | None
) -> tuple[int, Decimal, Decimal]:
    """How many lines there are in the days (None: from the beginning, to the end), their debit, and their credit."""
    first, last = from_date or _ALWAYS[0], to_date or _ALWAYS[1]
    statement = _of(_SUMS, owner.kind)
    row = await context.connection.fetchrow(statement, context.company_id, owner.id, first, last, tag_ids)
    assert row is not None, "an aggregate has a row"
    return row["count"], row["debit"], row["credit"]


async def list_page(
    context: Context,
    owner: Owner,
    from_date: date,
    to_date: date,
    tag_ids: Sequence[UUID] | None,
    asked: PageRequest,
) -> tuple[list[LedgerLine], Decimal]:
    """The lines of a page, and the sum of those that come before them in the days."""
    arguments = (context.company_id, owner.id, from_date, to_date, tag_ids)
    skipped: Decimal = await context.connection.fetchval(_of(_SKIPPED, owner.kind), *arguments, asked.offset)
    found = await context.connection.fetch(_of(_PAGE, owner.kind), *arguments, asked.offset, asked.limit)
    return [_line(row) for row in found], skipped


def _line(row: asyncpg.Record) -> LedgerLine:
    values = dict(row)
    source = source_of(values.pop("source_type"), values.pop("source_id"), values.pop("reverses_entry_id"))
    return LedgerLine(**values, source=source)
