"""Numbers of parties: in which register they are, whether they can be right, and how each format writes them.

One company is written in three ways: CVR number 13585628 is `13585628` in the scheme 0184, and `DK13585628` in 0198, as
a VAT number and in OIOUBL (Peppol BIS Billing 3.0.21; OIOUBL 2.1). Nothing is looked up.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import stdnum.dk.cvr
import stdnum.no.orgnr
import stdnum.se.orgnr

from ledgerbee.core.countries import EU_COUNTRIES, is_country
from ledgerbee.parties.identifiers import is_eu_vat_number, is_gln, without_spaces
from ledgerbee.sales.einvoices.model import EInvoiceFormat, Identifier, Scheme

#: VAT numbers as addresses, by country: Peppol's code of their scheme.
_VAT_SCHEMES: Final[Mapping[str, str]] = {
    "AD": "9922", "AL": "9923", "AT": "9914", "BA": "9924", "BE": "9925", "BG": "9926", "CH": "9927", "CY": "9928",
    "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920", "FI": "0213", "FR": "9957", "GB": "9932", "GR": "9933",
    "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211", "LI": "9936", "LT": "9937", "LU": "9938", "LV": "9939",
    "MC": "9940", "ME": "9941", "MK": "9942", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947",
    "RS": "9948", "SI": "9949", "SK": "9950", "SM": "9951", "TR": "9952", "VA": "9953",
}  # fmt: skip
#: What OIOUBL calls the schemes that it knows; there is none for French VAT numbers.
_OIOUBL_SCHEMES: Final[Mapping[str, str]] = {
    Scheme.GLN: "GLN",
    Scheme.P_NUMBER: "DK:P",
    Scheme.CVR: "DK:CVR",
    Scheme.SE_NUMBER: "DK:SE",
    Scheme.NO_ORGANISATION: "NO:ORGNR",
    Scheme.SE_ORGANISATION: "SE:ORGNR",
    **{scheme: f"{country}:VAT" for country, scheme in _VAT_SCHEMES.items() if country != "FR"},
}


def _is_cvr(number: str) -> bool:
    return len(number) == 8 and bool(stdnum.dk.cvr.is_valid(number))


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    Scheme.GLN: is_gln,
    Scheme.CVR: _is_cvr,
    Scheme.SE_NUMBER: _is_cvr,
    Scheme.P_NUMBER: lambda number: len(number) == 10 and number.isdigit(),
    Scheme.NO_ORGANISATION: lambda number: len(number) == 9 and bool(stdnum.no.orgnr.is_valid(number)),
    Scheme.SE_ORGANISATION: lambda number: len(number) == 10 and bool(stdnum.se.orgnr.is_valid(number)),
}


def scheme_id(scheme: str, form: EInvoiceFormat) -> str | None:
    """What a format calls a scheme; None for one that it doesn't have."""
    return scheme if form is EInvoiceFormat.PEPPOL else _OIOUBL_SCHEMES.get(scheme)


def printed(identifier: Identifier, form: EInvoiceFormat) -> str:
    """A number as a format writes it in its scheme."""
    prefixed = {Scheme.SE_NUMBER} if form is EInvoiceFormat.PEPPOL else {Scheme.SE_NUMBER, Scheme.CVR}
    return f"DK{identifier.number}" if identifier.scheme in prefixed else identifier.number


def is_possible(identifier: Identifier) -> bool:
    """Whether the number is one of its scheme: its length, and its check digit where it has one.

    GLN: GS1's modulus 10. CVR and SE numbers: modulus 11. P-numbers: ten digits. Norwegian organisation numbers:
    modulus 11. Swedish ones: modulus 10. Check digits of VAT numbers are not insisted on (`parties.identifiers`).
    """
    number, scheme = identifier.number, identifier.scheme
    check = _CHECKS.get(scheme) or _vat_check(scheme)
    return number.isascii() and check is not None and check(number)


def _vat_check(scheme: str) -> Callable[[str], bool] | None:
    country = next((country for country, code in _VAT_SCHEMES.items() if code == scheme), None)
    if country in EU_COUNTRIES:
        return partial(is_eu_vat_number, country_code=country)
    return bool if country else None


def endpoint_of(country_code: str, vat_number: str | None, ean: str | None = None) -> Identifier | None:
    """The address that a party can be reached at: its GLN, else its number in the country's register.

    `vat_number` has its country's prefix. None where there is no number that can be right.
    """
    if ean:
        found: Identifier | None = Identifier(Scheme.GLN, ean)
    elif not vat_number:
        found = None
    elif country_code == "DK":
        found = company_of(country_code, vat_number)
    elif country_code == "NO":
        found = Identifier(Scheme.NO_ORGANISATION, _digits(vat_number))
    elif country_code == "SE":  # a VAT number is that of the organisation and two more digits
        found = Identifier(Scheme.SE_ORGANISATION, _digits(vat_number)[:10])
    elif country_code in _VAT_SCHEMES:
        found = Identifier(_VAT_SCHEMES[country_code], vat_number)
    else:
        found = None
    return found if found and is_possible(found) else None


def _digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def company_of(country_code: str, number: str | None) -> Identifier | None:
    """A Danish company in the register of companies (CVR), by its number with or without `DK`; else None."""
    digits = without_spaces(number or "").removeprefix("DK")
    is_cvr = country_code == "DK" and len(digits) == 8 and digits.isascii() and digits.isdigit()
    return Identifier(Scheme.CVR, digits) if is_cvr else None


def registration_of(country_code: str, number: str | None) -> str | None:
    """A company's number in its country's register, as it is written there: a Swedish one has ten digits (SE-R-004)."""
    return _digits(number)[:10] if number and country_code == "SE" else number


def vat_number_of(country_code: str, number: str | None) -> str | None:
    """A VAT number with its country's prefix; None for a number that has none, as outside the EU.

    Two letters are no prefix by themselves: a French number may begin with others.
    """
    compact = without_spaces(number or "")
    prefix = compact[:2]
    if prefix == "EL" or is_country(prefix):
        return compact
    if not compact or country_code not in EU_COUNTRIES:
        return None
    return f"{'EL' if country_code == 'GR' else country_code}{compact}"
