"""The query parameters by which reports are narrowed."""

from typing import Annotated

from fastapi import Query
from pydantic import WithJsonSchema

from ledgerbee.http.wire import EXAMPLE_ID, Id

#: An id that may be left out, and isn't null.
OptionalId = Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})]
OfValue = Annotated[
    OptionalId,
    Query(
        alias="dimensionValueId",
        description="Only lines that carry this dimension value or subproject; not those of values below it",
    ),
]
OfProject = Annotated[
    OptionalId, Query(alias="projectId", description="Only lines that carry a subproject of this project")
]
