"""Numbers of parties: in which register they are, whether they can be right, and how each format writes them.

One company is written in three ways: CVR number 13585628 is `13585628` in the scheme 0184, and `DK13585628` in 0198, as
a VAT number and in OIOUBL (Peppol BIS Billing 3.0.21; OIOUBL 2.1). Nothing is looked up.
"""

from collections.abc import Mapping
from typing import Final

from ledgerbee.core.countries import EU_COUNTRIES, is_country
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import VAT_SCHEMES, Identifier, Scheme, in_network, is_possible, parse
from ledgerbee.parties.identifiers import without_spaces

#: What OIOUBL calls the schemes that it knows; there is none for French VAT numbers.
_OIOUBL_SCHEMES: Final[Mapping[str, str]] = {
    Scheme.GLN: "GLN",
    Scheme.P_NUMBER: "DK:P",
    Scheme.CVR: "DK:CVR",
    Scheme.SE_NUMBER: "DK:SE",
    Scheme.NO_ORGANISATION: "NO:ORGNR",
    Scheme.SE_ORGANISATION: "SE:ORGNR",
    **{scheme: f"{country}:VAT" for country, scheme in VAT_SCHEMES.items() if country != "FR"},
}


def scheme_id(scheme: str, form: EInvoiceFormat) -> str | None:
    """What a format calls a scheme; None for one that it doesn't have."""
    return scheme if form is EInvoiceFormat.PEPPOL else _OIOUBL_SCHEMES.get(scheme)


def printed(identifier: Identifier, form: EInvoiceFormat) -> str:
    """A number as a format writes it in its scheme."""
    if form is EInvoiceFormat.OIOUBL and identifier.scheme == Scheme.CVR:
        return f"DK{identifier.number}"
    return in_network(identifier)


def endpoint_of(
    country_code: str, vat_number: str | None, ean: str | None = None, address: str | None = None
) -> Identifier | None:
    """The address that a party can be reached at: its GLN, else what it told, else its number in its country's
    register.

    `vat_number` has its country's prefix, `address` its scheme. None where there is no number that can be right.
    """
    if ean:
        found: Identifier | None = Identifier(Scheme.GLN, ean)
    elif address:
        found = parse(address)
    elif not vat_number:
        found = None
    elif country_code == "DK":
        found = company_of(country_code, vat_number)
    elif country_code == "NO":
        found = Identifier(Scheme.NO_ORGANISATION, _digits(vat_number))
    elif country_code == "SE":  # a VAT number is that of the organisation and two more digits
        found = Identifier(Scheme.SE_ORGANISATION, _digits(vat_number)[:10])
    elif country_code in VAT_SCHEMES:
        found = Identifier(VAT_SCHEMES[country_code], vat_number)
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
