"""Which query parameters an operation takes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from ledgerbee.core.errors import refuse


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
        refuse(problems)

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
