"""Pure rules of a company's settings."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import available_timezones

import stdnum.bic
import stdnum.dk.cvr
import stdnum.iban
from stdnum.exceptions import ValidationError

from ledgerbee.core.errors import check_all, invalid
from ledgerbee.tenancy.company.model import Company

#: Names that the time zone database has beside the zones of the world.
_NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})
#: Every Danish bank has four digits, an account there up to ten, a creditor of payment slips (FIK) eight.
_DANISH: Final = {
    "bankRegistrationNumber": (re.compile(r"[0-9]{4}"), "must be four digits"),
    "bankAccountNumber": (re.compile(r"[0-9]{1,10}"), "must be one to ten digits"),
    "fikCreditorNumber": (re.compile(r"[0-9]{8}"), "must be eight digits"),
}


def normal(company: Company) -> Company:
    """The company with its identifiers as they are kept. Raises validation errors: CVR number, IBAN, BIC, Danish bank
    account, time zone.
    """
    check_all(*seller_checks(company, lambda: company.country_code), lambda: check_time_zone(company.time_zone))
    return replace(
        company,
        vat_number=company.vat_number and normal_vat_number(company.country_code, company.vat_number),
        iban=company.iban and normal_iban(company.iban),
        bic=company.bic and normal_bic(company.bic),
    )


class Seller(Protocol):
    """Who sells, as far as its identifiers go."""

    @property
    def vat_number(self) -> str | None: ...
    @property
    def iban(self) -> str | None: ...
    @property
    def bic(self) -> str | None: ...
    @property
    def bank_registration_number(self) -> str | None: ...
    @property
    def bank_account_number(self) -> str | None: ...
    @property
    def fik_creditor_number(self) -> str | None: ...


def seller_checks(seller: Seller, country_code: Callable[[], str]) -> Iterator[Callable[[], object]]:
    """Whether its identifiers are what they must be in its country, one by one."""
    yield lambda: seller.vat_number is None or normal_vat_number(country_code(), seller.vat_number)
    yield lambda: seller.iban is None or normal_iban(seller.iban)
    yield lambda: seller.bic is None or normal_bic(seller.bic)
    yield lambda: _check_danish("bankRegistrationNumber", seller.bank_registration_number, country_code())
    yield lambda: _check_danish("bankAccountNumber", seller.bank_account_number, country_code())
    yield lambda: _check_danish("fikCreditorNumber", seller.fik_creditor_number, "DK")


def normal_vat_number(country_code: str, vat_number: str) -> str:
    """The VAT number as it is kept: without spaces; a Danish one as its eight digits.

    A Danish company's number is its CVR number: eight digits whose weighted sum 2-7-6-5-4-3-2-1 is divisible by 11
    (Danish Business Authority). Other countries' are taken as they are. Raises a validation error.
    """
    compact = "".join(vat_number.split()).upper()
    if country_code != "DK":
        return compact
    try:
        return str(stdnum.dk.cvr.validate(compact))
    except ValidationError:
        raise invalid(("vatNumber", "isVatNumber", "vatNumber must be a valid CVR number")) from None


def normal_iban(iban: str) -> str:
    """The account number without spaces, its check digits and country's form proven (ISO 13616)."""
    try:
        return str(stdnum.iban.validate(iban))
    except ValidationError:
        raise invalid(("iban", "isIBAN", "iban must be a valid IBAN")) from None


def normal_bic(bic: str) -> str:
    """The bank's identifier in capitals (ISO 9362)."""
    try:
        return str(stdnum.bic.validate(bic))
    except ValidationError:
        raise invalid(("bic", "isBIC", "bic must be a valid BIC")) from None


def _check_danish(name: str, number: str | None, country_code: str) -> None:
    pattern, text = _DANISH[name]
    if country_code == "DK" and number is not None and not pattern.fullmatch(number):
        raise invalid((name, "matches", f"{name} {text}"))


def check_time_zone(name: str) -> None:
    """Refuse what is no time zone of the IANA database."""
    if name not in _time_zones():
        raise invalid(("timeZone", "isTimeZone", "timeZone must be an IANA time zone"))


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)
