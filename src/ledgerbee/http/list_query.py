"""The query parameters of paginated lists (contract 1.4). Free of FastAPI: actions import the wire models of lists."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

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
    Field(ge=1, description="Page number (1-indexed)"),
    WithJsonSchema({"type": "number", "multipleOf": 1, "minimum": 1}),
]
Limit = Annotated[
    int,
    Field(ge=1, le=100, description="Maximum number of items per page"),
    WithJsonSchema({"type": "number", "multipleOf": 1, "minimum": 1, "maximum": 100}),
]
#: What the columns that a list's `search` names start with; `search_schema` describes it.
Search = Annotated[str, StringConstraints(max_length=MAX_SEARCH)] | None


def search_schema(example: str) -> WithJsonSchema:
    """The schema of a `Search` parameter with an example of the resource's own."""
    return WithJsonSchema({"type": "string", "maxLength": MAX_SEARCH, "examples": [example]})


class ListQuery(BaseModel):
    """The query parameters of a paginated list; a list adds `search`, `sort_by` and what it can be narrowed to."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    search: Search = None
    sort_by: str = "createdAt"
    sort_order: Annotated[SortOrder, Field(description="Sort direction")] = SortOrder.DESC

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Keep the sort parameters behind what a list can be narrowed to, in the order of the reference."""
        for name in ("sort_by", "sort_order"):
            cls.model_fields[name] = cls.model_fields.pop(name)

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit, self.search, str(self.sort_by), self.sort_order is SortOrder.DESC)
