"""Reads the seed of a new company's books for its country."""

import csv
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

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
        product_groups=tuple(_product_group(row) for row in _rows(folder, "product_groups")),
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


def _number(text: str) -> int | None:
    return int(text) if text else None


def _account(row: Row) -> AccountSeed:
    number = int(row["number"])
    return AccountSeed(
        number=number,
        name=row["name"],
        name_en=row.get("name_en") or row["name"],
        standard_number=_number(row.get("standard_number", "")) or number,
        ledger_type=row["ledger_type"],
        classification=row["classification"] or None,
        control_account_type=row["control_account_type"] or None,
        vat_code=row["vat_code"] or None,
        role=row["role"] or None,
        sum_from=_number(row["sum_from"]),
    )


def _vat_codes(country: str, folder: str) -> tuple[VatCodeSeed, ...]:
    if folder == "dk":
        return tuple(_vat_code(row, ZERO) for row in _rows(folder, "vat_codes"))
    known = {row["country"]: row for row in _rows("generic", "standard_rates")}.get(country)
    zone, rate = (known["zone"], Decimal(known["standard_rate"])) if known else (_NO_VAT, ZERO)
    return tuple(_vat_code(row, rate) for row in _rows(folder, "vat_codes") if zone in row["zone"].split("+"))


def _vat_code(row: Row, standard_rate: Decimal) -> VatCodeSeed:
    return VatCodeSeed(
        code=row["code"],
        name=row["name"],
        name_en=row.get("name_en") or row["name"],
        rate=standard_rate if row["rate"] == "STANDARD" else Decimal(row["rate"]),
        type=row["type"],
        principle=row["principle"],
        deductible_share=Fraction(row["deductible_share"]),
        account_number=_number(row["account_number"]),
        contra_account_number=_number(row["contra_account_number"]),
        return_box=row["return_box"] or None,
        einvoice_category=row["einvoice_category"] or None,
        exemption_reason=row["exemption_reason"] or None,
        exemption_reason_da=row["exemption_reason_da"] or None,
    )


def _party_groups(folder: str, kind: str) -> tuple[PartyGroupSeed, ...]:
    return tuple(
        PartyGroupSeed(int(row["number"]), row["name"], int(row["account_number"]))
        for row in _rows(folder, "party_groups")
        if row["kind"] == kind
    )


def _product_group(row: Row) -> ProductGroupSeed:
    return ProductGroupSeed(
        number=int(row["number"]),
        name=row["name"],
        domestic=int(row["domestic"]),
        eu=int(row["eu"]),
        abroad=int(row["abroad"]),
        domestic_without_vat=int(row["domestic_without_vat"]),
    )
