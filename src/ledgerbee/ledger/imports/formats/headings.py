"""The columns of a CSV file: our names, and what Danish bookkeeping programs write over them."""

from collections.abc import Mapping
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
    return _COLUMNS.get(_plain(heading))


def is_danish_rate(heading: str) -> bool:
    """Whether it stands over exchange rates as Danes write them: of one unit, or of a hundred as banks quote them."""
    return _plain(heading) in _DANISH["exchangeRate"]


def _plain(heading: str) -> str:
    return " ".join(heading.casefold().rstrip(". ").split())
