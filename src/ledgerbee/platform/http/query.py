"""Query parameters of paginated lists (contract 1.4)."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import Query
from pydantic import StringConstraints, WithJsonSchema

from ledgerbee.core.paging import PageRequest

#: Longest search term: no name that is worth typing is longer.
MAX_SEARCH: Final = 200


class SortOrder(StrEnum):
    """Sort direction."""

    ASC = "ASC"
    DESC = "DESC"


# The reference describes whole numbers as `number` and optional parameters without null: so does our document.
PageNumber = Annotated[
    int,
    Query(ge=1, description="Page number (1-indexed)"),
    WithJsonSchema({"type": "number", "multipleOf": 1, "minimum": 1}),
]
Limit = Annotated[
    int,
    Query(ge=1, le=100, description="Maximum number of items per page"),
    WithJsonSchema({"type": "number", "multipleOf": 1, "minimum": 1, "maximum": 100}),
]
#: What the columns that a list's `search` names start with; `search_schema` describes it.
Search = Annotated[str, StringConstraints(max_length=MAX_SEARCH)] | None
SortDirection = Annotated[SortOrder, Query(alias="sortOrder", description="Sort direction")]


def search_schema(example: str) -> WithJsonSchema:
    """The schema of a `Search` parameter with an example of the resource's own."""
    return WithJsonSchema({"type": "string", "maxLength": MAX_SEARCH, "examples": [example]})


def page_request(page: int, limit: int, search: str | None, sort_by: str, sort_order: SortOrder) -> PageRequest:
    """The page that the query parameters ask for."""
    return PageRequest(page, limit, search, str(sort_by), sort_order is SortOrder.DESC)
