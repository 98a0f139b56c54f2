"""Which questions make sense. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ledgerbee.app.mcp.aggregates.model import (
    DIMENSIONS_OF,
    FILTERS_OF,
    LINE_FILTERS,
    MEASURES_OF,
    OF_LINES,
    Dimension,
    Measure,
    Question,
    Source,
)
from ledgerbee.core.errors import invalid
from ledgerbee.core.ids import parse_id


def question_of(given: Mapping[str, Any]) -> Question:
    """The question that the arguments ask, which have the shape that the tool's schema wants.

    Raises validation errors for measures of two sources, dimensions and filters that these don't have, an open amount
    by product, and a last day before the first.
    """
    measures = [Measure(one) for one in given["measures"]]
    (source, *others) = dict.fromkeys(_source_of(one) for one in measures)
    if others:
        raise invalid(("measures", "isOneSource", "measures of the books can't be mixed with those of documents"))
    dimensions = [Dimension(one) for one in given.get("dimensions", ())]
    filters = {name: given[name] for names in FILTERS_OF.values() for name in names if name in given}
    _check(source, measures, dimensions, filters)
    if source is Source.DOCUMENTS and Dimension.CURRENCY not in dimensions:
        dimensions.append(Dimension.CURRENCY)
    sort_by = Measure(given["sortBy"]) if "sortBy" in given else None
    if sort_by is not None and sort_by not in measures:
        raise invalid(("sortBy", "isIn", "sortBy must be one of the measures"))
    return Question(
        source,
        measures,
        dimensions,
        {name: _value(name, value) for name, value in filters.items()},
        sort_by,
        given.get("sortOrder", "DESC") == "DESC",
    )


def is_of_lines(question: Question) -> bool:
    """Whether lines of documents are summed up, and not documents as a whole."""
    return bool(
        OF_LINES & set(question.dimensions)
        or LINE_FILTERS & question.filters.keys()
        or Measure.QUANTITY in question.measures
    )


def _source_of(measure: Measure) -> Source:
    return next(source for source, measures in MEASURES_OF.items() if measure in measures)


def _check(
    source: Source, measures: Sequence[Measure], dimensions: Sequence[Dimension], filters: Mapping[str, Any]
) -> None:
    problems = [
        (f"dimensions.{place}", "isIn", f"dimensions.{place} must be one that measures of {source} have")
        for place, one in enumerate(dimensions)
        if one not in DIMENSIONS_OF[source]
    ]
    problems += [
        (name, "isIn", f"{name} must not be given with measures of {source}")
        for name in filters
        if name not in FILTERS_OF[source]
    ]
    by_line = OF_LINES & set(dimensions) or LINE_FILTERS & filters.keys() or Measure.QUANTITY in measures
    if Measure.OPEN_AMOUNT in measures and by_line:
        text = "openAmount is of whole documents: it can't be asked for with products, product groups or quantity"
        problems.append(("measures", "isOfDocuments", text))
    if "dimensionId" in filters and Dimension.DIMENSION_VALUE not in dimensions:
        problems.append(("dimensionId", "isIn", "dimensionId is given where dimensions has dimensionValue"))
    if "fromDate" in filters and "toDate" in filters and filters["toDate"] < filters["fromDate"]:
        problems.append(("toDate", "minDate", "toDate must not be before fromDate"))
    if problems:
        raise invalid(*problems)


def _value(name: str, value: Any) -> Any:
    """An argument as the database takes it."""
    if name in {"fromDate", "toDate"}:
        return date.fromisoformat(value)
    if name == "dimensionId":
        return parse_id(value)
    return [parse_id(one) for one in value] if name.endswith("Ids") else list(value)
