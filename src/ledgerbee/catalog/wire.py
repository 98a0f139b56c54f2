"""Texts of the catalogue on the wire, as long as the indexes that lists are sorted and searched by can hold."""

from typing import Annotated

from ledgerbee.http.wire import Trimmed

#: A number that people give their things: trimmed, not empty, at most 100 characters.
CatalogNumber = Annotated[str, Trimmed(100, min_length=1)]
#: A name: trimmed, not empty, at most 255 characters.
CatalogName = Annotated[str, Trimmed(255, min_length=1)]
