"""Query parameters: those of paginated lists (contract 1.4), and which an operation takes at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import unquote_plus

from fastapi import Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ConfigDict, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from ledgerbee.core.errors import invalid
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


class ListQuery(BaseModel):
    """The query parameters of a paginated list; a list adds `search`, `sort_by` and what it can be narrowed to."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    search: Search = None
    sort_by: str = "createdAt"
    sort_order: Annotated[SortOrder, Query(description="Sort direction")] = SortOrder.DESC

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Keep the sort parameters behind what a list can be narrowed to, in the order of the reference."""
        for name in ("sort_by", "sort_order"):
            cls.model_fields[name] = cls.model_fields.pop(name)

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return page_request(self.page, self.limit, self.search, self.sort_by, self.sort_order)


def page_request(page: int, limit: int, search: str | None, sort_by: str, sort_order: SortOrder) -> PageRequest:
    """The page that the query parameters ask for."""
    return PageRequest(page, limit, search, str(sort_by), sort_order is SortOrder.DESC)


@dataclass(frozen=True, slots=True)
class QueryNames:
    """The query parameters that an operation takes, each once; `objects` are those written `name[key]=value`."""

    names: frozenset[str]
    objects: tuple[str, ...] = ()

    def check(self, request: Request) -> None:
        """Refuse parameters that the operation doesn't have and those that are there twice, all at once."""
        if not request.scope["query_string"]:
            return
        given = Counter(name for name, _ in request.query_params.multi_items())
        problems = []
        for name, count in given.items():
            if name in self.names or self._is_of_object(name):
                if count > 1:
                    problems.append((name, "arrayMaxSize", f"{name} must not be given more than once"))
            else:
                problems.append((name, "whitelistValidation", f"{name} should not exist"))
        if problems:
            raise invalid(*problems)

    def _is_of_object(self, name: str) -> bool:
        # What isn't written as it should be is refused by whoever reads it, who says how it is written.
        return any(name == known or name.startswith(f"{known}[") for known in self.objects)


def query_names(takes: Dependant, declared: Sequence[Mapping[str, Any]]) -> QueryNames:
    """What a route takes: by its parameters, by its dependencies', and `declared` in its OpenAPI parameters."""
    names: set[str] = set()
    for parameter in takes.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            names |= {field.alias or name for name, field in model.model_fields.items()}
        else:
            names.add(parameter.alias)
    for dependency in takes.dependencies:
        names |= query_names(dependency, ()).names
    objects = tuple(str(one["name"]) for one in declared if one["in"] == "query")
    return QueryNames(frozenset(names), objects)


def take_keys(query: bytes) -> tuple[bytes, list[str]]:
    """The query string without `x-api-key`, and the values that it had there (contract 1.2 allows one)."""
    if b"%" not in query and b"x-api-key" not in query.lower():
        return query, []
    keys = []
    kept = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if unquote_plus(name.decode("latin-1")).lower() == "x-api-key":
            keys.append(unquote_plus(value.decode("latin-1")))
        else:
            kept.append(part)
    return b"&".join(kept), keys
