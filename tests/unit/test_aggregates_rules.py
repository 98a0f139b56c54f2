"""Which questions make sense, for every measure with every dimension and filter."""

from itertools import product
from typing import Any

import pytest

from ledgerbee.app.mcp.aggregates.model import (
    DIMENSIONS_OF,
    FILTERS_OF,
    LINE_FILTERS,
    MEASURES_OF,
    OF_LINES,
    Dimension,
    Measure,
    Source,
)
from ledgerbee.app.mcp.aggregates.rules import is_of_lines, question_of
from ledgerbee.app.mcp.aggregates.store import statement_of
from ledgerbee.core.errors import LedgerBeeError

ID = "0198a4f0-0000-7000-8000-000000000000"
VALUES: dict[str, Any] = {"fromDate": "2026-01-01", "toDate": "2026-01-31", "dimensionId": ID, "currencies": ["DKK"],
                          "accountClasses": ["ASSET"], "documentKinds": ["invoice"]}  # fmt: skip


def faults(**given: Any) -> list[str]:
    """The arguments that a question is refused for."""
    try:
        question_of(given)
    except LedgerBeeError as fault:
        return [one["property"] for one in fault.details["validationErrors"]]
    return []


@pytest.mark.parametrize(("measure", "dimension"), list(product(Measure, Dimension)))
def test_measures_have_the_dimensions_of_their_source(measure: Measure, dimension: Dimension) -> None:
    source = next(one for one in Source if measure in MEASURES_OF[one])
    is_whole = measure is Measure.OPEN_AMOUNT and dimension in OF_LINES
    wanted = [] if dimension in DIMENSIONS_OF[source] else ["dimensions.0"]
    assert faults(measures=[measure], dimensions=[dimension]) == wanted + (["measures"] if is_whole else [])
    if wanted or is_whole:
        return
    question = question_of({"measures": [measure], "dimensions": [dimension], "sortBy": measure, "sortOrder": "ASC"})
    assert (Dimension.CURRENCY in question.dimensions) is (
        source is Source.DOCUMENTS or dimension is Dimension.CURRENCY
    )
    assert is_of_lines(question) is (measure is Measure.QUANTITY or dimension in OF_LINES)
    assert "ORDER BY m0 ASC" in statement_of(question)[0]


@pytest.mark.parametrize(("source", "name"), list(product(Source, sorted(set().union(*FILTERS_OF.values())))))
def test_filters_are_those_of_the_source(source: Source, name: str) -> None:
    given: dict[str, Any] = {"measures": [MEASURES_OF[source][0]], name: VALUES.get(name, [ID])}
    wanted = [name] if name not in FILTERS_OF[source] or name == "dimensionId" else []
    assert set(faults(**given)) == set(wanted)
    if not wanted:
        question = question_of(given)
        statement, arguments = statement_of(question)
        assert arguments == list(question.filters.values())
        assert is_of_lines(question) is (name in LINE_FILTERS)
        assert ID not in statement  # what a caller sends is an argument


def test_a_dimensions_values_are_those_of_one_dimension_where_it_is_given() -> None:
    question = question_of({"measures": ["net"], "dimensions": ["dimensionValue"], "dimensionId": ID})
    statement, arguments = statement_of(question)
    assert [str(one) for one in arguments] == [ID]
    assert "d.id = $4" in statement


def test_the_rest_is_refused() -> None:
    assert faults(measures=["net", "documents"]) == ["measures"]
    assert faults(measures=["net"], sortBy="debit") == ["sortBy"]
    assert faults(measures=["openAmount", "quantity"]) == ["measures"]
    assert faults(measures=["net"], fromDate="2026-02-01", toDate="2026-01-31") == ["toDate"]
    assert question_of({"measures": ["net"], "sortBy": "net"}).descending
