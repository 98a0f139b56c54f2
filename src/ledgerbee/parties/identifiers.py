"""Identifiers of trading parties: VAT numbers, GLNs, web addresses. Nothing is looked up."""

import re
from typing import Final

from stdnum import ean
from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError

from ledgerbee.core.countries import EU_COUNTRIES

#: Prefixes of VAT numbers in the EU; Greece uses EL, Northern Ireland (goods only) XI.
_VAT_PREFIXES: Final = EU_COUNTRIES | {"EL"}
_WEB_ADDRESS: Final = re.compile(
    r"(https?://)?[^\s:/?#@.]+(\.[^\s:/?#@.]+)+\.?(:[0-9]{1,5})?([/?#]\S*)?", re.IGNORECASE
)


def without_spaces(text: str) -> str:
    """The text in capitals without any space, the form in which numbers are kept."""
    return "".join(text.split()).upper()


def is_eu_vat_number(number: str, country_code: str) -> bool:
    """True if `number` has the form of a VAT number of a member state.

    A number without a state's prefix is read as one of `country_code`. Check digits are not insisted on: the
    examples of the official e-invoice specifications use numbers that fail them, and so do documents made for
    tests. Only a company's own number is checked to the last digit.
    """
    if not number.isascii():  # the library would read other scripts' digits
        return False
    if number[:2] not in _VAT_PREFIXES:
        number = f"{country_code}{number}"
    try:
        vat.validate(number)
    except (InvalidChecksum, InvalidComponent):
        return number[:2] in _VAT_PREFIXES
    except ValidationError:
        return False
    return True


def is_gln(number: str) -> bool:
    """True for 13 digits with a right check digit: a GLN, which Danish e-invoicing calls an EAN number."""
    return len(number) == 13 and number.isascii() and bool(ean.is_valid(number))


def is_web_address(text: str) -> bool:
    """True for an http(s) address, or one without a scheme ("example.com/about")."""
    return _WEB_ADDRESS.fullmatch(text) is not None
