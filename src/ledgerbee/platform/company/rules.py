"""Pure rules of a company's settings."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

import stdnum.bic
import stdnum.dk.cvr
import stdnum.iban
from stdnum.exceptions import ValidationError

from ledgerbee.core.errors import check_all, invalid
from ledgerbee.platform.company.model import Company

#: Names that the time zone database has beside the zones of the world.
_NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})
_DANISH_REGISTRATION_NUMBER: Final = re.compile(r"[0-9]{4}")
_DANISH_ACCOUNT_NUMBER: Final = re.compile(r"[0-9]{1,10}")


def normal(company: Company) -> Company:
    """The company with its identifiers as they are kept. Raises validation errors: CVR number, IBAN, BIC, Danish bank
    account, time zone.
    """
    check_all(
        lambda: company.vat_number is None or normal_vat_number(company.country_code, company.vat_number),
        lambda: company.iban is None or normal_iban(company.iban),
        lambda: company.bic is None or normal_bic(company.bic),
        lambda: check_bank_account(company),
        lambda: check_time_zone(company.time_zone),
    )
    return replace(
        company,
        vat_number=company.vat_number and normal_vat_number(company.country_code, company.vat_number),
        iban=company.iban and normal_iban(company.iban),
        bic=company.bic and normal_bic(company.bic),
    )


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


def cvr_number(company: Company) -> int | None:
    """A Danish company's CVR number as the number that the wire's `vat` is (contract 2.3), else None."""
    if company.country_code != "DK" or company.vat_number is None:
        return None
    return int(company.vat_number)


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


def check_bank_account(company: Company) -> None:
    """Refuse a Danish account that no Danish bank has: four digits for the bank, up to ten for the account."""
    if company.country_code != "DK":
        return
    registration, account = company.bank_registration_number, company.bank_account_number
    problems = []
    if registration is not None and not _DANISH_REGISTRATION_NUMBER.fullmatch(registration):
        problems.append(("bankRegistrationNumber", "matches", "bankRegistrationNumber must be four digits"))
    if account is not None and not _DANISH_ACCOUNT_NUMBER.fullmatch(account):
        problems.append(("bankAccountNumber", "matches", "bankAccountNumber must be one to ten digits"))
    if problems:
        raise invalid(*problems)


def check_time_zone(name: str) -> None:
    """Refuse what is no time zone of the IANA database."""
    if name not in _time_zones():
        raise invalid(("timeZone", "isTimeZone", "timeZone must be an IANA time zone"))


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)
