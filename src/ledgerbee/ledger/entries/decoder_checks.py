"""Compares the descriptions of a body with each other, when the process starts.

A struct that bodies are decoded into and the model of these bodies both say in JSON Schema what they take. What the
struct takes, the model has to take too: each field of the struct is a field of the model, with a type that the model
has and within its limits. Fields that only the model has are left to it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import BaseModel

_Schema = Mapping[str, Any]

#: Limits of texts, lists and numbers that a struct may have tighter, and those that it has to have as they are.
_UPPER: Final = ("maxLength", "maxItems", "maximum")
_LOWER: Final = ("minLength", "minItems", "minimum")
_EQUAL: Final = ("pattern", "format", "contentEncoding")


def check_struct(struct: type[msgspec.Struct], model: type[BaseModel], decided: Collection[str] = ()) -> None:
    """Raise `TypeError` where the struct takes a body that the model may refuse.

    `decided` are fields, by their JSON names, whose values the decoder looks at itself: of these only types count.
    """
    taken = msgspec.json.schema(struct, schema_hook=lambda _: {"type": "string"})
    described = model.model_json_schema()
    comparison = _Comparison(taken.get("$defs", {}), described.get("$defs", {}), decided)
    if faults := list(comparison.faults(taken, described, "")):
        raise TypeError(f"{struct.__name__} takes what {model.__name__} doesn't: {'; '.join(faults)}")


def check_fields(names: Collection[str], *kinds: type[BaseModel] | type[msgspec.Struct]) -> None:
    """Raise `TypeError` where one of these has not all of the fields."""
    for kind in kinds:
        known = kind.model_fields if issubclass(kind, BaseModel) else kind.__struct_fields__
        if missing := set(names) - set(known):
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(missing))}")


@dataclass(frozen=True, slots=True)
class _Comparison:
    structs: _Schema
    models: _Schema
    decided: Collection[str]

    def faults(self, taken: _Schema, described: _Schema, path: str) -> Iterator[str]:
        """What the schema `taken` of a struct's value takes that `described`, the model's, does not."""
        there = list(_alternatives(described, self.models))
        for value in _alternatives(taken, self.structs):
            other = next((one for one in there if _has_type(one, value["type"])), None)
            if other is None:
                yield f"{path} as {value['type']}"
                continue
            if path.rpartition(".")[2] not in self.decided:
                yield from _wider_limits(value, other, path)
            if value["type"] == "array":
                yield from self.faults(value["items"], other["items"], f"{path}[]")
            elif value["type"] == "object":
                yield from self._faults_in_fields(value, other, path)

    def _faults_in_fields(self, taken: _Schema, described: _Schema, path: str) -> Iterator[str]:
        fields = described["properties"]
        for name in sorted(set(described.get("required", ())) - set(taken.get("required", ()))):
            yield f"a body without {path}.{name}"
        for name, value in taken["properties"].items():
            if name in fields:
                yield from self.faults(value, fields[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def _alternatives(schema: _Schema, known: _Schema) -> Iterator[_Schema]:
    """The schemas of which a value has to fit one, each with a `type`."""
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _alternatives(one, known)
    elif "$ref" in schema:
        yield from _alternatives(known[schema["$ref"].rpartition("/")[2]], known)
    else:
        yield schema if "type" in schema else {**schema, "type": "string"}  # msgspec gives an enumeration no type


def _has_type(schema: _Schema, name: str) -> bool:
    return schema["type"] == name or (name == "integer" and schema["type"] == "number")


def _wider_limits(value: _Schema, other: _Schema, path: str) -> Iterator[str]:
    for limit in (*_UPPER, *_LOWER, *_EQUAL):
        own, its = value.get(limit), other.get(limit)
        if its is None or own == its:
            continue
        is_tighter = own is not None and ((limit in _UPPER and own < its) or (limit in _LOWER and own > its))
        if not is_tighter:
            yield f"{path} with {limit} {own} instead of {its}"
    if "enum" in other and not set(value.get("enum", [None])) <= set(other["enum"]):
        yield f"{path} with other words than {other['enum']}"
