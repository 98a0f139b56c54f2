"""The columns of a CSV file: our names, and what Danish bookkeeping programs write over them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

#: Of the entry: said in its first row, and there or empty in the others.
OF_ENTRY: Final = (
    "entryType", "date", "deliveryDate", "description", "reference", "externalSystemId", "currency", "exchangeRate",
    "customerNumber", "vendorNumber", "journalCategory", "originalAmount",
)  # fmt: skip
OF_LINE: Final = (
    "accountNumber", "debit", "credit", "side", "amount", "vatCode", "vatAmount", "vatIncluded", "lineDescription",
)  # fmt: skip
DATES: Final = ("date", "deliveryDate")
NEEDED: Final = ("entry", "date", "accountNumber")
#: Stands for a column that is passed over.
IGNORED: Final = ""

_DANISH: Final[Mapping[str, tuple[str, ...]]] = {
    "entry": ("bilag", "bilagsnr", "bilagsnummer", "bilag nr", "bilagnr"),
    "date": ("dato", "bilagsdato", "bogføringsdato", "posteringsdato"),
    "deliveryDate": ("leveringsdato",),
    "description": ("tekst", "posteringstekst", "beskrivelse"),
    "accountNumber": ("konto", "kontonr", "kontonummer", "konto nr"),
    "debit": ("debet",),
    "credit": ("kredit",),
    "amount": ("beløb",),
    "vatCode": ("moms", "momskode", "momstype"),
    "vatAmount": ("momsbeløb",),
    "currency": ("valuta", "valutakode"),
    "exchangeRate": ("kurs", "valutakurs"),
    "lineDescription": ("linjetekst",),
    "customerNumber": ("kundenr", "kundenummer"),
    "vendorNumber": ("leverandørnr", "leverandørnummer"),
    # What follows from the other columns, or from the chart of accounts.
    IGNORED: ("kontonavn", "saldo"),
}
_COLUMNS: Final = {
    **{name.casefold(): name for name in ("entry", *OF_ENTRY, *OF_LINE)},
    **{heading: name for name, headings in _DANISH.items() for heading in headings},
}


def column_of(heading: str) -> str | None:
    """The column that a heading names, `IGNORED` for one that is passed over, None for one that nobody knows."""
    return _COLUMNS.get(plain_heading(heading))


def is_danish_rate(heading: str) -> bool:
    """Whether it stands over exchange rates as Danes write them: of one unit, or of a hundred as banks quote them."""
    return plain_heading(heading) in _DANISH["exchangeRate"]


@dataclass(frozen=True, slots=True)
class Headings:
    """What a kind of file has columns of.

    `column_of` names the column under a heading, as the function of that name does for entries; of each of `needed` a
    file has one at least. `numbers` and `dates` may be read in two ways; `is_rate` finds exchange rates that Danes
    write. `kept_out` says in a word what is done with no row of a file that can't be read.
    """

    column_of: Callable[[str], str | None]
    needed: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]
    dates: tuple[str, ...] = ()
    is_rate: Callable[[str], bool] = lambda _: False
    kept_out: str = "posted"


ENTRIES: Final = Headings(
    column_of,
    needed=tuple((name,) for name in NEEDED),
    numbers=("debit", "credit", "amount", "vatAmount", "originalAmount", "exchangeRate"),
    dates=DATES,
    is_rate=is_danish_rate,
)


def plain_heading(heading: str) -> str:
    """A heading without what people write it differently in: case, blanks, a point at its end."""
    return " ".join(heading.casefold().rstrip(". ").split())
