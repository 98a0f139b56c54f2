"""Finding objects by their metadata: `metadata[key]=value`, up to ten pairs, all of which must match (contract 2.4)."""

import re
from typing import Annotated, Final

from fastapi import Depends, Request

from ledgerbee.core.errors import invalid
from ledgerbee.http.operation import RouteOptions

MAX_FILTERS: Final = 10
_FILTER: Final = re.compile(r"metadata\[([^\[\]]+)\]")


async def _filters(request: Request) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for name, value in request.query_params.multi_items():
        if "[" not in name and "]" not in name and name != "metadata":
            continue
        found = _FILTER.fullmatch(name)
        if found is None:
            raise invalid((name, "whitelistValidation", f"{name} should not exist: filters are metadata[key]=value"))
        pairs.append((found[1], value))
    if len(pairs) > MAX_FILTERS:
        raise invalid(("metadata", "arrayMaxSize", f"metadata must contain no more than {MAX_FILTERS} elements"))
    return tuple(pairs)


#: The `metadata[key]=value` pairs of a list request.
MetadataFilters = Annotated[tuple[tuple[str, str], ...], Depends(_filters)]


def with_metadata_filters(options: RouteOptions) -> RouteOptions:
    """Declare the filters, which are read from the raw query, in the operation's OpenAPI parameters."""
    parameter = {
        "name": "metadata",
        "in": "query",
        "required": False,
        "style": "deepObject",
        "explode": True,
        "description": "`metadata[key]=value`: only what carries this key with this value. Up to ten pairs, all of "
        "which must match. A number or boolean is matched by its text.",
        "example": {},
        "schema": {
            "type": "object",
            "maxProperties": MAX_FILTERS,
            "additionalProperties": True,  # whatever it is, on the wire it is text
            "propertyNames": {"type": "string", "minLength": 1, "pattern": r"^[^\[\]]+$"},
        },
    }
    extra = {**options["openapi_extra"], "parameters": [parameter]}
    return {**options, "openapi_extra": extra}
