"""The tool that sums up."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from ledgerbee.app.mcp.aggregates.model import (
    DIMENSIONS_OF,
    MAX_DIMENSIONS,
    MEASURES_OF,
    Dimension,
    Group,
    Measure,
    Named,
    Question,
    Source,
)
from ledgerbee.app.mcp.aggregates.rules import question_of
from ledgerbee.app.mcp.aggregates.store import answer
from ledgerbee.app.mcp.model import Call, Effect, Remedy, Result, Tool
from ledgerbee.app.mcp.operations import PAGING, Schema, object_schema, operation_route, scopes_of
from ledgerbee.app.mcp.results import page_data, page_schema
from ledgerbee.app.mcp.tools.parts import asked_period
from ledgerbee.chart.accounts.model import Classification
from ledgerbee.core.money import format_amount, format_decimal
from ledgerbee.http.authentication import authorize
from ledgerbee.platform.context import Context

#: The operation whose scope it takes to sum up what a source has.
_SEEN_BY: Final[Mapping[Source, str]] = {Source.BOOKS: "get_trial_balance", Source.DOCUMENTS: "list_invoices"}
#: Rows that are given at once.
_MOST_ROWS: Final = 500
_COUNTS: Final = frozenset({Measure.LINES, Measure.ENTRIES, Measure.DOCUMENTS})
_OBJECTS: Final = frozenset(
    {
        Dimension.ACCOUNT,
        Dimension.CUSTOMER,
        Dimension.VENDOR,
        Dimension.PRODUCT,
        Dimension.PRODUCT_GROUP,
        Dimension.DIMENSION_VALUE,
        Dimension.PROJECT,
    }
)


_BOOKS, _DOCUMENTS = Source.BOOKS, Source.DOCUMENTS
_MEASURES: Final = (
    f"Of the books, in the company's currency (debit positive): {', '.join(MEASURES_OF[_BOOKS])}. Of booked invoices "
    "and credit notes (negative), in their own currency, by which they are always grouped: "
    f"{', '.join(MEASURES_OF[_DOCUMENTS])}. openAmount is what is due on invoices now. Measures of both can't be mixed"
)
_DIMENSIONS: Final = (
    f"What is grouped by, in this order; none: one row of all. Of the books: {', '.join(DIMENSIONS_OF[_BOOKS])}; of "
    f"documents: {', '.join(DIMENSIONS_OF[_DOCUMENTS])}. Months, quarters and years are the calendar's. A line with "
    "several dimension values counts for each of them, so that rows by dimensionValue may add up to more than all"
)


async def _run(call: Call) -> Result:
    question = question_of(call.arguments)
    authorize(operation_route(_SEEN_BY[question.source]).operation, call.caller.principal)
    page = int(call.arguments.get("page", 1))
    limit = int(call.arguments.get("limit", 100))

    async def work(context: Context) -> tuple[list[Group], int]:
        return await answer(context, question, limit=limit, offset=(page - 1) * limit)

    groups, total = await call.caller.read(work)
    rows = [_row(group, question, call.company.currency) for group in groups]
    untrusted = [f"data.*.{one}.name" for one in question.dimensions if one in _OBJECTS - {Dimension.ACCOUNT}]
    data = {"source": question.source, **page_data(rows, total, page, limit)}
    return Result(data=data, period=asked_period(call, "fromDate", "toDate"), untrusted=untrusted)


def _row(group: Group, question: Question, base_currency: str) -> dict[str, Any]:
    is_of_documents = question.source is Source.DOCUMENTS
    currency = str(group.keys[Dimension.CURRENCY]) if is_of_documents and group.keys else base_currency
    keys = {one.value: _key(key) for one, key in group.keys.items()}
    return keys | {one.value: _figure(one, figure, currency) for one, figure in group.figures.items()}


def _key(key: str | Named | None) -> Any:
    return {"id": key.id, "number": key.number, "name": key.name} if isinstance(key, Named) else key


def _figure(measure: Measure, figure: Decimal | int, currency: str) -> int | str:
    if measure in _COUNTS:
        return int(figure)
    exact = Decimal(figure)
    return format_decimal(exact) if measure is Measure.QUANTITY else format_amount(exact, currency)


def _input_schema() -> Schema:
    ids = {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 100}

    def enum(values: Any, **more: Any) -> Schema:
        return {"type": "array", "items": {"type": "string", "enum": [str(one) for one in values]}, **more}

    day = {"type": "string", "format": "date"}
    own = {
        "measures": enum(
            Measure,
            minItems=1,
            uniqueItems=True,
            description=_MEASURES,
        ),
        "dimensions": enum(
            Dimension,
            maxItems=MAX_DIMENSIONS,
            uniqueItems=True,
            description=_DIMENSIONS,
        ),
        "fromDate": {**day, "description": "First day, of entries or of issue, inclusive"},
        "toDate": {**day, "description": "Last day, inclusive"},
        "accountIds": {**ids, "description": "Of the books: only lines on these accounts"},
        "accountClasses": enum(
            Classification, minItems=1, description="Of the books: only lines on accounts of these classes"
        ),
        "customerIds": {**ids, "description": "Only what is of these customers"},
        "vendorIds": {**ids, "description": "Of the books: only entries of these vendors"},
        "productIds": {**ids, "description": "Of documents: only lines of these products"},
        "productGroupIds": {**ids, "description": "Of documents: only lines of products of these groups"},
        "dimensionId": {
            "type": "string",
            "format": "uuid",
            "description": "With dimensionValue: only values of this dimension",
        },
        "dimensionValueIds": {**ids, "description": "Of the books: only lines that carry one of these values"},
        "projectIds": {**ids, "description": "Of the books: only lines of these projects"},
        "currencies": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "minItems": 1,
            "maxItems": 100,
            "description": "Only entries or documents in these currencies",
        },
        "documentKinds": enum(
            ["invoice", "credit_note"], minItems=1, description="Of documents: only these; both unless given"
        ),
        "sortBy": {
            "type": "string",
            "enum": [str(one) for one in Measure],
            "description": "One of the measures; by the dimensions, ascending, unless given",
        },
        "sortOrder": {"type": "string", "enum": ["ASC", "DESC"], "default": "DESC", "description": "Of sortBy"},
        "page": PAGING["page"],
        "limit": {**PAGING["limit"], "maximum": _MOST_ROWS, "default": 100},
    }
    return object_schema(own, ["measures"])


def _output_schema() -> Schema:
    named = {
        "type": ["object", "null"],
        "properties": {
            "id": {"type": "string"},
            "number": {"type": ["string", "null"], "description": "Of a dimension value the name of its dimension"},
            "name": {"type": "string"},
        },
        "required": ["id", "number", "name"],
    }
    text = {"type": ["string", "null"]}
    amount = {"type": "string", "description": "A decimal"}
    row = {
        **{one.value: named if one in _OBJECTS else text for one in Dimension},
        **{one.value: {"type": "integer"} if one in _COUNTS else amount for one in Measure},
    }
    page = page_schema({"type": "object", "properties": row})
    properties = {"source": {"type": "string", "enum": [one.value for one in Source]}, **page["properties"]}
    return {**page, "properties": properties, "required": list(properties)}


@cache
def aggregate_tools() -> tuple[Tool, ...]:
    """The tool, made when the first MCP request comes."""
    return (
        Tool(
            name="aggregate",
            title="Sum up",
            description="Sums and counts of posted entries, or of booked invoices and credit notes, by up to four"
            " dimensions and filtered: revenue by month and customer, costs by account and project, the best products,"
            " what is due by customer. For the balances of all accounts use get_trial_balance, for the lines behind a"
            " figure explain_balance, list_journal_entries or list_documents. It takes no query text.",
            scopes=scopes_of(_SEEN_BY[Source.DOCUMENTS]),
            effect=Effect.READS,
            input_schema=_input_schema(),
            output_schema=_output_schema(),
            run=_run,
            remedies={
                "AGGREGATE_TOO_LARGE": [Remedy("Call again with fromDate and toDate nearer together, or more filters.")]
            },
        ),
    )
