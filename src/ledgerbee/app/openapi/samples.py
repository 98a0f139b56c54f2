"""Examples of answers, made from their schemas the way the reference's pages make them."""

from collections.abc import Mapping
from typing import Any, Final

#: What stands for a text of a form, where its schema has no example.
_FORMS: Final = {"date": "2026-03-16", "date-time": "2026-03-16T12:00:00.000Z"}
#: From here on lists are empty: a tree has an end.
_DEPTH: Final = 8


def sample(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that `schema` takes: its own example, else one made of its parts; a text is called by its `name`."""
    if "$ref" in schema and "examples" not in schema:
        return sample(schemas[str(schema["$ref"]).rpartition("/")[2]], schemas, name, depth)
    for given in ("examples", "enum"):
        if given in schema:
            return schema[given][0]
    for choices in ("anyOf", "oneOf", "allOf"):
        if choices in schema:
            return _first(schema[choices], schemas, name, depth)
    if "properties" in schema:
        return {key: sample(value, schemas, key, depth + 1) for key, value in schema["properties"].items()}
    if schema.get("type") == "array":
        return [] if depth > _DEPTH else [sample(schema["items"], schemas, name, depth + 1)]
    return _plain(schema, name)


def _first(choices: list[Mapping[str, Any]], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    """Of the first choice that fits; deep down, null: a tree has an end."""
    if depth > _DEPTH and {"type": "null"} in choices:
        return None
    return sample(choices[0], schemas, name, depth)


def _plain(schema: Mapping[str, Any], name: str) -> Any:
    if schema.get("type") == "string":
        return schema.get("const", _FORMS.get(str(schema.get("format")), name))
    least = schema.get("minimum", 0)
    return {"object": {}, "boolean": True, "number": least, "integer": least}.get(str(schema.get("type")))
