"""Reads the seed of a new company's books for its country."""

import csv
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, TypeVar

from msgspec import convert

from ledgerbee.chart.seed.model import (
    AccountSeed,
    ChartSeed,
    DocumentTemplateSeed,
    JournalCategorySeed,
    PartyGroupSeed,
    ProductGroupSeed,
    VatCodeSeed,
)
from ledgerbee.core.money import ZERO

T = TypeVar("T")
Row = dict[str, str]

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
#: Zone of a country without a known VAT rate in `standard_rates.csv`.
_NO_VAT: Final = "NONE"


@lru_cache(maxsize=256)
def seed_for(country: str) -> ChartSeed:
    """The seed for an ISO 3166 alpha-2 country: Danish for DK, the generic one in English for any other.

    The generic VAT codes take the country's standard rate (EU, EEA, Switzerland and the United Kingdom, as of the
    date in `standard_rates.csv`); elsewhere no VAT is charged. Raises `ValueError` for anything but two capitals.
    """
    if not _COUNTRY.fullmatch(country):
        raise ValueError(f"{country!r} is no ISO 3166 alpha-2 country code")
    folder, language = ("dk", "da") if country == "DK" else ("generic", "en")
    return ChartSeed(
        country=country,
        language=language,
        accounts=_chart(folder),
        vat_codes=_vat_codes(country, folder),
        journal_categories=tuple(
            JournalCategorySeed(row["name"], row["is_default"] == "x", tuple(row["allowed_types"].split("+")))
            for row in _rows(folder, "journal_categories")
        ),
        customer_groups=_party_groups(folder, "CUSTOMER"),
        vendor_groups=_party_groups(folder, "VENDOR"),
        product_groups=tuple(_seed(ProductGroupSeed, row) for row in _rows(folder, "product_groups")),
        document_templates=tuple(
            DocumentTemplateSeed(row["name"], row["document_type"], row["language"], row["language"] == language)
            for row in _rows("document_templates")
        ),
    )


@lru_cache(maxsize=256)
def standard_accounts(country: str) -> Mapping[int, AccountSeed]:
    """The whole public standard chart of a country by number, in its order; empty where there is none but for DK.

    Denmark's is the list that bookkeeping has to map to (BEK 97, annex 2.4), as of January 2026. It
    doesn't say which lines are totals: those follow from the scheme of annual accounts (årsregnskabsloven, annex 2,
    scheme 3 for the income statement by nature, scheme 1 for the balance sheet). The role of an account is that in a
    new company's chart.
    """
    if country != "DK":
        return MappingProxyType({})
    return MappingProxyType({account.number: account for account in map(_account, _rows("dk", "standard"))})


def _chart(folder: str) -> tuple[AccountSeed, ...]:
    """The accounts of a new company: lines of our own, in Denmark among those that it takes from the standard."""
    rows = _rows(folder, "accounts")
    if folder == "dk":
        rows += [row for row in _rows(folder, "standard") if row["in_new_chart"] == "x"]
    return tuple(sorted(map(_account, rows), key=lambda account: (account.standard_number, account.number)))


def _rows(*path: str) -> list[Row]:
    """The rows of a CSV file in this package, by column name."""
    source = files("ledgerbee.chart.seed").joinpath(*path[:-1], f"{path[-1]}.csv")
    lines = source.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter=";", strict=True))


def _seed(kind: type[T], row: Mapping[str, str | Decimal], **usual: str) -> T:
    """A row as an object of its dataclass. `usual` stands in for what is left empty; else that is nothing."""
    values = {**usual, **{name: value for name, value in row.items() if value != ""}}
    return convert(values, kind, strict=False, dec_hook=lambda fraction, text: fraction(text))


def _account(row: Row) -> AccountSeed:
    return _seed(AccountSeed, row, name_en=row["name"], standard_number=row["number"])


def _vat_codes(country: str, folder: str) -> tuple[VatCodeSeed, ...]:
    if folder == "dk":
        return tuple(_vat_code(row, ZERO) for row in _rows(folder, "vat_codes"))
    known = {row["country"]: row for row in _rows("generic", "standard_rates")}.get(country)
    zone, rate = (known["zone"], Decimal(known["standard_rate"])) if known else (_NO_VAT, ZERO)
    return tuple(_vat_code(row, rate) for row in _rows(folder, "vat_codes") if zone in row["zone"].split("+"))


def _vat_code(row: Row, standard_rate: Decimal) -> VatCodeSeed:
    rate = standard_rate if row["rate"] == "STANDARD" else Decimal(row["rate"])
    return _seed(VatCodeSeed, {**row, "rate": rate}, name_en=row["name"])


def _party_groups(folder: str, kind: str) -> tuple[PartyGroupSeed, ...]:
    return tuple(_seed(PartyGroupSeed, row) for row in _rows(folder, "party_groups") if row["kind"] == kind)
