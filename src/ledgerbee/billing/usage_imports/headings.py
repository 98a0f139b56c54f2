"""The columns of a file of usage: our names, and those that Danes write over them. Pure."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.ledger.imports.formats.headings import Headings, plain_heading

#: What a column of metadata begins with; the rest is its name, as it is written.
METADATA: Final = "metadata."
_NAMES: Final = ("idempotencyKey", "customerId", "customerNumber", "meterId", "meterName", "value", "timestamp")
_DANISH: Final[Mapping[str, tuple[str, ...]]] = {
    "idempotencyKey": ("nøgle", "hændelse"),
    "customerNumber": ("kundenr", "kundenummer"),
    "meterName": ("måler",),
    "value": ("værdi", "antal", "mængde", "forbrug"),
    "timestamp": ("tidspunkt",),
}
_COLUMNS: Final = {
    **{name.casefold(): name for name in _NAMES},
    **{heading: name for name, headings in _DANISH.items() for heading in headings},
}


def column_of(heading: str) -> str | None:
    """The column that a heading names, None for one that nobody knows."""
    name = heading.strip()
    if name[: len(METADATA)].casefold() == METADATA and len(name) > len(METADATA):
        return METADATA + name[len(METADATA) :]
    return _COLUMNS.get(plain_heading(name))


USAGE: Final = Headings(
    column_of,
    needed=(
        ("idempotencyKey",),
        ("customerId", "customerNumber"),
        ("meterId", "meterName"),
        ("value",),
        ("timestamp",),
    ),
    numbers=("value",),
    kept_out="taken in",
)
