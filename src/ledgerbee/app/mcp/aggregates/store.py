"""Sums over the company's entries and documents.

A statement is put together of the pieces below, which are all there is: what a caller sends chooses among them, and is
otherwise an argument. Rows are those of the company alone, by row-level security and by each table's condition.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from ledgerbee.app.mcp.aggregates.model import AGGREGATE_TOO_LARGE, Dimension, Group, Measure, Named, Question, Source
from ledgerbee.app.mcp.aggregates.rules import is_of_lines
from ledgerbee.platform.context import Context

#: Milliseconds that a statement may take.
_TIME_LIMIT: Final = "5000"
#: What suits a month is slow for ten years.
_WITHIN_LIMITS: Final = (
    "SELECT set_config('statement_timeout', $1, true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)


class _By(NamedTuple):
    """A dimension: its columns `key`, or `id`, `number` and `name`, in the order in which rows are sorted, and what has
    to be joined."""

    columns: Sequence[str]
    join: str = ""


def _time(day: str) -> dict[Dimension, _By]:
    return {
        Dimension.MONTH: _By([f"to_char({day}, 'YYYY-MM')"]),
        Dimension.QUARTER: _By([f"to_char({day}, 'YYYY\"-Q\"Q')"]),
        Dimension.YEAR: _By([f"to_char({day}, 'YYYY')"]),
    }


def _object(alias: str, number: str = "number") -> list[str]:
    return [f"{alias}.{number}::text", f"{alias}.name", f"{alias}.id"]


#: Tags of a line, through its entry too. A line counts once for each value that it carries.
_TAGS: Final = "unnest(e.tag_ids || l.tag_ids) g (id)"
_BOOKS_BY: Final[Mapping[Dimension, _By]] = {
    **_time("e.entry_date"),
    Dimension.ACCOUNT: _By(["lpad(a.number::text, 10, '0')", "a.name", "a.id"]),
    Dimension.ACCOUNT_CLASS: _By(["a.classification"]),
    Dimension.CUSTOMER: _By(_object("c"), "LEFT JOIN customers c ON c.company_id = $1 AND c.id = e.customer_id"),
    Dimension.VENDOR: _By(_object("v"), "LEFT JOIN vendors v ON v.company_id = $1 AND v.id = e.vendor_id"),
    Dimension.DIMENSION_VALUE: _By(
        ["t.dimension", "t.name", "t.id"],
        f"""LEFT JOIN LATERAL (
            SELECT DISTINCT w.id, w.name, d.name AS dimension FROM {_TAGS}
            JOIN dimension_values w ON w.company_id = $1 AND w.id = g.id
            JOIN dimensions d ON d.company_id = $1 AND d.id = w.dimension_id AND NOT d.is_project
            WHERE {{dimensionId}}
        ) t ON true""",
    ),
    Dimension.PROJECT: _By(
        ["p.external_reference", "p.name", "p.id"],
        f"""LEFT JOIN LATERAL (
            SELECT DISTINCT q.id, q.external_reference, d.name FROM {_TAGS}
            JOIN subprojects s ON s.company_id = $1 AND s.id = g.id
            JOIN projects q ON q.company_id = $1 AND q.id = s.project_id
            JOIN dimensions d ON d.company_id = $1 AND d.id = q.dimension_id
        ) p ON true""",
    ),
    Dimension.CURRENCY: _By(["e.currency"]),
}
_BOOKS_FROM: Final = """journal_entries e
JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = e.id
JOIN accounts a ON a.company_id = $1 AND a.id = l.account_id"""
_BOOKS_MEASURES: Final[Mapping[Measure, str]] = {
    Measure.DEBIT: "coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0)",
    Measure.CREDIT: "coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0)",
    Measure.NET: "coalesce(sum(l.base_amount), 0)",
    Measure.LINES: "count(*)",
    Measure.ENTRIES: "count(DISTINCT e.id)",
}
_BOOKS_FILTERS: Final[Mapping[str, str]] = {
    "fromDate": "e.entry_date >= {}",
    "toDate": "e.entry_date <= {}",
    "accountIds": "l.account_id = ANY ({}::uuid[])",
    "accountClasses": "a.classification = ANY ({}::text[])",
    "customerIds": "e.customer_id = ANY ({}::uuid[])",
    "vendorIds": "e.vendor_id = ANY ({}::uuid[])",
    "dimensionValueIds": "(e.tag_ids && {}::uuid[] OR l.tag_ids && {}::uuid[])",
    "projectIds": "EXISTS (SELECT FROM subprojects s WHERE s.company_id = $1 AND s.project_id = ANY ({}::uuid[])"
    " AND s.id = ANY (e.tag_ids || l.tag_ids))",
    "currencies": "e.currency = ANY ({}::text[])",
}
#: Booked invoices and credit notes, which are negative.
_DOCUMENTS: Final = """(
    SELECT 'invoice' AS kind, i.id, i.customer_id, i.issue_date, i.currency, i.subtotal AS net, i.vat,
           i.amount AS gross, greatest(i.amount - i.amount_paid - i.credited_amount - i.applied_credit
           - i.written_off_amount, 0) AS open
    FROM invoices i WHERE i.company_id = $1 AND i.journal_entry_id IS NOT NULL
    UNION ALL
    SELECT 'credit_note', n.id, n.customer_id, n.issue_date, n.currency, n.subtotal, n.vat, n.amount, 0
    FROM credit_notes n WHERE n.company_id = $1 AND n.journal_entry_id IS NOT NULL
) e"""
_DOCUMENT_LINES: Final = f"""{_DOCUMENTS}
JOIN (
    SELECT 'invoice' AS kind, x.invoice_id AS document_id, x.product_id, x.quantity, x.net, x.vat
    FROM invoice_lines x WHERE x.company_id = $1 AND x.product_id IS NOT NULL
    UNION ALL
    SELECT 'credit_note', x.credit_note_id, x.product_id, x.quantity, x.net, x.vat
    FROM credit_note_lines x WHERE x.company_id = $1 AND x.product_id IS NOT NULL
) l ON l.kind = e.kind AND l.document_id = e.id
JOIN products p ON p.company_id = $1 AND p.id = l.product_id"""
_DOCUMENTS_BY: Final[Mapping[Dimension, _By]] = {
    **_time("e.issue_date"),
    Dimension.CUSTOMER: _By(_object("c"), "JOIN customers c ON c.company_id = $1 AND c.id = e.customer_id"),
    Dimension.PRODUCT: _By(_object("p")),
    Dimension.PRODUCT_GROUP: _By(
        _object("o"), "JOIN product_groups o ON o.company_id = $1 AND o.id = p.product_group_id"
    ),
    Dimension.CURRENCY: _By(["e.currency"]),
    Dimension.DOCUMENT_KIND: _By(["e.kind"]),
}
_DOCUMENT_MEASURES: Final[Mapping[Measure, str]] = {
    Measure.INVOICED_NET: "coalesce(sum(e.net), 0)",
    Measure.INVOICED_VAT: "coalesce(sum(e.vat), 0)",
    Measure.INVOICED_GROSS: "coalesce(sum(e.gross), 0)",
    Measure.OPEN_AMOUNT: "coalesce(sum(e.open), 0)",
    Measure.DOCUMENTS: "count(*)",
}
_LINE_MEASURES: Final[Mapping[Measure, str]] = {
    Measure.INVOICED_NET: "coalesce(sum(l.net), 0)",
    Measure.INVOICED_VAT: "coalesce(sum(l.vat), 0)",
    Measure.INVOICED_GROSS: "coalesce(sum(l.net + l.vat), 0)",
    Measure.QUANTITY: "coalesce(sum(l.quantity), 0)",
    Measure.DOCUMENTS: "count(DISTINCT e.id)",
}
_DOCUMENT_FILTERS: Final[Mapping[str, str]] = {
    "fromDate": "e.issue_date >= {}",
    "toDate": "e.issue_date <= {}",
    "customerIds": "e.customer_id = ANY ({}::uuid[])",
    "productIds": "l.product_id = ANY ({}::uuid[])",
    "productGroupIds": "p.product_group_id = ANY ({}::uuid[])",
    "currencies": "e.currency = ANY ({}::text[])",
    "documentKinds": "e.kind = ANY ({}::text[])",
}
#: Of which source what is summed up, and how.
_ENTRIES: Final = (_BOOKS_FROM, _BOOKS_BY, _BOOKS_MEASURES, _BOOKS_FILTERS)
_WHOLE: Final = (_DOCUMENTS, _DOCUMENTS_BY, _DOCUMENT_MEASURES, _DOCUMENT_FILTERS)
_BY_LINE: Final = (_DOCUMENT_LINES, _DOCUMENTS_BY, _LINE_MEASURES, _DOCUMENT_FILTERS)


def statement_of(question: Question) -> tuple[str, list[Any]]:
    """The statement that answers a question, and its arguments behind the company ($1), the limit and the offset.

    Its columns are those of the dimensions (`d0_0`, `d0_1`, ...), the measures (`m0`, ...), and the number of rows.
    """
    whole = _BY_LINE if is_of_lines(question) else _WHOLE
    source, dimensions, measures, filters = _ENTRIES if question.source is Source.BOOKS else whole
    arguments: list[Any] = []

    def place(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments) + 3}"

    conditions = ["e.company_id = $1"] if question.source is Source.BOOKS else []
    for name, condition in filters.items():
        if name in question.filters:
            conditions.append(condition.replace("{}", place(question.filters[name])))
    of_dimension = question.filters.get("dimensionId")
    within = "true" if of_dimension is None else f"d.id = {place(of_dimension)}"
    chosen = [dimensions[one] for one in question.dimensions]
    columns = [
        f"{column} AS d{number}_{part}" for number, one in enumerate(chosen) for part, column in enumerate(one.columns)
    ]
    keys = [f"d{number}_{part}" for number, one in enumerate(chosen) for part in range(len(one.columns))]
    figures = [f"{measures[one]} AS m{number}" for number, one in enumerate(question.measures)]
    joins = "\n".join(one.join.replace("{dimensionId}", within) for one in chosen if one.join)
    grouped = ", ".join(column for one in chosen for column in one.columns)
    order = [*_first(question), *(f"{key} NULLS LAST" for key in keys)]
    parts = [
        f"SELECT *, count(*) OVER () AS total FROM (SELECT {', '.join([*columns, *figures])}",
        f"FROM {source}",
        joins,
        f"WHERE {' AND '.join(conditions) or 'true'}",
        f"GROUP BY {grouped}" if grouped else "",
        ") r",
        f"ORDER BY {', '.join(order)}" if order else "",
        "LIMIT $2 OFFSET $3",
    ]
    return "\n".join(part for part in parts if part), arguments


def _first(question: Question) -> list[str]:
    """What rows are sorted by before the dimensions."""
    if question.sort_by is None:
        return []
    return [f"m{question.measures.index(question.sort_by)} {'DESC' if question.descending else 'ASC'}"]


async def answer(context: Context, question: Question, *, limit: int, offset: int) -> tuple[list[Group], int]:
    """The rows of a page, and how many there are in all. Raises `AGGREGATE_TOO_LARGE` where it takes too long.

    Without dimensions there is one row, of everything.
    """
    statement, arguments = statement_of(question)
    try:
        await context.connection.fetchrow(_WITHIN_LIMITS, _TIME_LIMIT)
        found = await context.connection.fetch(statement, context.company_id, limit, offset, *arguments)
        if not found and offset:
            first = await context.connection.fetchrow(statement, context.company_id, 1, 0, *arguments)
            return [], first["total"] if first else 0
    except asyncpg.QueryCanceledError:
        raise AGGREGATE_TOO_LARGE.error() from None
    return [_group(question, row) for row in found], found[0]["total"] if found else 0


def _group(question: Question, row: asyncpg.Record) -> Group:
    figures = {one: row[f"m{number}"] for number, one in enumerate(question.measures)}
    return Group({one: _key(one, number, row) for number, one in enumerate(question.dimensions)}, figures)


def _key(dimension: Dimension, place: int, row: asyncpg.Record) -> str | Named | None:
    if f"d{place}_2" not in row:
        key: str | None = row[f"d{place}_0"]
        return key
    number, name, id_ = (row[f"d{place}_{part}"] for part in range(3))
    if id_ is None:
        return None
    return Named(id_, number.lstrip("0") if dimension is Dimension.ACCOUNT else number, name)
