"""Query parameters of paginated lists (contract 1.4)."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import Query
from pydantic import StringConstraints

from ledgerbee.core.paging import PageRequest

#: Pages past this one are refused: no list is that long.
MAX_PAGE: Final = 10_000_000


class SortOrder(StrEnum):
    """Sort direction."""

    ASC = "ASC"
    DESC = "DESC"


PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Page number (1-indexed)")]
Limit = Annotated[int, Query(ge=1, le=100, description="Maximum number of items per page")]
SearchTerm = Annotated[str, StringConstraints(max_length=200)]
SortDirection = Annotated[SortOrder, Query(alias="sortOrder", description="Sort direction")]


def page_request(page: int, limit: int, search: str | None, sort_by: StrEnum, sort_order: SortOrder) -> PageRequest:
    """The page that the query parameters ask for."""
    return PageRequest(page, limit, search, sort_by.value, sort_order is SortOrder.DESC)
