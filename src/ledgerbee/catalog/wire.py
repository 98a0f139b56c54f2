"""Texts of the catalogue on the wire, as long as the indexes that lists are sorted and searched by can hold."""

from typing import Annotated

from pydantic import StringConstraints

#: A number that people give their things: trimmed, not empty, at most 100 characters.
CatalogNumber = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=100)]
#: A name: trimmed, not empty, at most 255 characters.
CatalogName = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=255)]
