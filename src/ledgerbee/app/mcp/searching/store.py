"""Finds rows by their number, name, text or reference, of each kind by a statement of its own.

What a company has few of (some hundred thousand customers at most) is looked through; documents and entries are found
by their indexes, at the start of a number, a text or a reference. The statements are written out when the store is
imported: of what a caller sends they have arguments only.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

from ledgerbee.app.mcp.searching.model import Found, Hit, Match, Term
from ledgerbee.platform.context import Context

#: Hits of one kind at most.
MOST: Final = 50
#: $1 the company, $2 the term in small letters, $3 as an id, $4 as a number, $5 as it was given, $6 the limit.
_NOTHING: Final = "NULL::text"


#: What a hit shows beside its number and name, unless its kind says otherwise.
_SHOWN: Final[Mapping[str, str]] = {
    "status": _NOTHING,
    "currency": _NOTHING,
    "customer_id": "NULL::uuid",
    "price_id": "NULL::uuid",
}


def _looked_through(
    table: str, number: str, *, name: str = "t.name", exact: str = "false", where: str = "true", **shown: str
) -> str:
    """The statement for a table of which every row is looked at; `exact` is a further condition for an exact hit."""
    columns = ", ".join(f"{value} AS {column}" for column, value in {**_SHOWN, **shown}.items())
    return f"""
SELECT * FROM (
    SELECT t.id, {number} AS number, {name} AS name, NULL::date AS date, NULL::numeric AS amount, {columns},
           CASE WHEN t.id = $3 OR lower({number}) = $2 OR {exact} THEN 0
                WHEN starts_with(lower({number}), $2) OR starts_with(lower({name}), $2) THEN 1
                WHEN strpos(lower({name}), $2) > 0 THEN 2 END AS match
    FROM {table} WHERE t.company_id = $1 AND {where}
) h WHERE h.match IS NOT NULL AND ($4::int IS NULL OR true) AND ($5::text IS NULL OR true)
ORDER BY h.match, h.name, h.id LIMIT $6
"""


def _indexed(
    table: str,
    *,
    ids: str,
    number: str = "t.number",
    name: str,
    status: str,
    date: str,
    amount: str,
) -> str:
    """The statement for a table of which `ids` finds rows (`id`, `match`) by its indexes."""
    return f"""
SELECT t.id, {number} AS number, {name} AS name, {status} AS status, {date} AS date, {amount} AS amount, t.currency,
       t.customer_id, NULL::uuid AS price_id, h.match
FROM (SELECT f.id, min(f.match) AS match FROM ({ids}) f GROUP BY f.id) h
JOIN {table} t ON t.company_id = $1 AND t.id = h.id
WHERE ($4::int IS NULL OR true)
ORDER BY h.match, {date} DESC, t.id DESC LIMIT $6
"""


def _starting(table: str, column: str) -> str:
    """The rows whose `column` (small letters, indexed) starts with the term."""
    return f"""(SELECT t.id, CASE WHEN t.{column} = $2 THEN 0 ELSE 1 END AS match FROM {table} t
    WHERE t.company_id = $1 AND t.{column} >= $2 AND t.{column} < $2 || chr(1114111)
    ORDER BY t.{column} LIMIT $6)"""


def _equal(table: str, column: str, argument: str) -> str:
    return f"(SELECT t.id, 0 AS match FROM {table} t WHERE t.company_id = $1 AND t.{column} = {argument} LIMIT $6)"


def _document(table: str, *texts: str, status: str = "t.status", name: str) -> str:
    found = [
        _equal(table, "id", "$3"),
        _starting(table, "number_key"),
        *(_starting(table, text) for text in texts),
        _equal(table, "reference", "$5"),
    ]
    return _indexed(
        table, ids=" UNION ALL ".join(found), name=name, status=status, date="t.issue_date", amount="t.amount"
    )


_OF_NUMBER: Final = """(SELECT t.id, 0 AS match FROM fiscal_years y
    JOIN journal_entries t ON t.company_id = $1 AND t.fiscal_year_id = y.id AND t.entry_number = $4
    WHERE y.company_id = $1)"""
_ENTRY: Final = _indexed(
    "journal_entries",
    ids=" UNION ALL ".join(
        [
            _equal("journal_entries", "id", "$3"),
            _OF_NUMBER,
            _starting("journal_entries", "description_key"),
            _starting("journal_entries", "reference_key"),
            _equal("journal_entries", "external_system_id", "$5"),
        ]
    ),
    number="t.entry_number::text",
    name="t.description",
    status="t.entry_type",
    date="t.entry_date",
    amount="t.original_amount",
)
_ACTIVE: Final = "CASE WHEN t.is_active THEN 'active' ELSE 'inactive' END"
_STATEMENTS: Final[Mapping[Found, str]] = {
    Found.CUSTOMER: _looked_through(
        "customers t", "t.number", exact="t.external_system_id = $5 OR t.vat_number = $5 OR lower(t.email) = $2",
        status=_ACTIVE, currency="t.currency",
    ),
    Found.VENDOR: _looked_through(
        "vendors t", "t.number", exact="t.vat_number = $5 OR lower(t.email) = $2", status="t.status",
        currency="t.currency",
    ),
    Found.INVOICE: _document("invoices", "description_key", name="t.description"),
    Found.CREDIT_NOTE: _document("credit_notes", "description_key", name="t.description"),
    Found.QUOTE: _document("quotes", status="t.list_status", name="t.notes"),
    Found.ORDER_CONFIRMATION: _document("order_confirmations", status="t.list_status", name="t.notes"),
    Found.SUBSCRIPTION: _looked_through(
        "subscriptions t JOIN customers c ON c.company_id = t.company_id AND c.id = t.customer_id", _NOTHING,
        name="concat_ws(', ', t.name, c.name)", exact="t.partner_reference_id = $5 OR lower(c.number) = $2",
        customer_id="t.customer_id", currency="t.currency",
    ),
    Found.SUBSCRIPTION_PLAN: _looked_through("subscription_plans t", _NOTHING, status="t.status"),
    Found.PRODUCT: _looked_through(
        "products t", "t.number", status="t.status",
        price_id="(SELECT p.id FROM prices p WHERE p.company_id = $1 AND p.product_id = t.id AND p.is_default)",
    ),
    Found.METER: _looked_through("meters t", _NOTHING, status="t.status"),
    Found.ACCOUNT: _looked_through("accounts t", "t.number::text", exact="t.role = upper($5)", status="t.ledger_type"),
    Found.JOURNAL_ENTRY: _ENTRY,
    Found.VAT_CODE: _looked_through("vat_codes t", "t.code", status=_ACTIVE),
    Found.DIMENSION_VALUE: _looked_through(
        "dimension_values t JOIN dimensions d ON d.company_id = t.company_id AND d.id = t.dimension_id",
        _NOTHING, name="concat_ws(': ', t.name, d.name)", where="NOT d.is_project",
    ),
    Found.PROJECT: _looked_through(
        "projects t JOIN dimensions d ON d.company_id = t.company_id AND d.id = t.dimension_id",
        "t.external_reference", name="d.name", status="CASE WHEN d.is_archived THEN 'archived' ELSE 'active' END",
        customer_id="t.customer_id", currency="t.currency",
    ),
}  # fmt: skip
_MATCHES: Final = tuple(Match)


async def search(context: Context, kind: Found, term: Term) -> list[Hit]:
    """The best hits of a kind, the best first; one more than `MOST` where there are more."""
    found = await context.connection.fetch(
        _STATEMENTS[kind], context.company_id, term.text.lower(), term.id, term.number, term.text, MOST + 1
    )
    return [_hit(kind, row) for row in found]


def _hit(kind: Found, row: asyncpg.Record) -> Hit:
    return Hit(**{**row, "type": kind, "match": _MATCHES[row["match"]]})
