"""Query parameters that several operations of the catalogue take."""

from typing import Annotated

from fastapi import Query
from pydantic import WithJsonSchema

from ledgerbee.http.wire import CurrencyCode

ShownIn = Annotated[
    CurrencyCode | None,
    Query(
        alias="currency",
        description="Extension: answer the amounts in this currency as of today, those fixed in it as they are, others "
        "converted at the rate that an invoice of today takes. Left out: each price in its own.",
    ),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}),
]
