"""Addresses of parties in e-invoicing networks: numbers in registers, by Peppol's list of schemes (EAS).

Nothing is looked up; what can't be a number of its scheme is found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

import stdnum.dk.cvr
import stdnum.no.orgnr
import stdnum.se.orgnr

from ledgerbee.core.countries import EU_COUNTRIES
from ledgerbee.parties.identifiers import is_eu_vat_number, is_gln, without_spaces


class Scheme(StrEnum):
    """Registers with rules of their own, by their code in Peppol's list."""

    SE_ORGANISATION = "0007"
    GLN = "0088"
    P_NUMBER = "0096"
    CVR = "0184"
    NO_ORGANISATION = "0192"
    SE_NUMBER = "0198"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A party's number in a register; `number` is bare: Danish ones without `DK`, VAT numbers with their prefix.

    `scheme` is a code of Peppol's list, those of VAT numbers included (9930: German ones).
    """

    scheme: str
    number: str


#: VAT numbers as addresses, by country: Peppol's code of their scheme.
VAT_SCHEMES: Final[Mapping[str, str]] = {
    "AD": "9922", "AL": "9923", "AT": "9914", "BA": "9924", "BE": "9925", "BG": "9926", "CH": "9927", "CY": "9928",
    "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920", "FI": "0213", "FR": "9957", "GB": "9932", "GR": "9933",
    "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211", "LI": "9936", "LT": "9937", "LU": "9938", "LV": "9939",
    "MC": "9940", "ME": "9941", "MK": "9942", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947",
    "RS": "9948", "SI": "9949", "SK": "9950", "SM": "9951", "TR": "9952", "VA": "9953",
}  # fmt: skip
_EAS: Final = (
    "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 0188 0190 "
    "0191 0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 "
    "0217 0218 0219 0220 0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 9913 9914 9915 9918 9919 9920 9922 "
    "9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 9942 9943 9944 "
    "9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959"
)
#: All schemes of the list (EAS, as EN 16931 has it in BR-CL-25, release 1.3.16): an address in another one is none.
EAS: Final = frozenset(_EAS.split())
#: Those that have `DK` before them on the wire, or may have.
_DANISH: Final = frozenset({Scheme.CVR, Scheme.SE_NUMBER})


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


def is_possible(identifier: Identifier) -> bool:
    """Whether the number is one of its scheme: its length, and its check digit where it has one.

    GLN: GS1's modulus 10. CVR and SE numbers: modulus 11. P-numbers: ten digits. Norwegian organisation numbers:
    modulus 11. Swedish ones: modulus 10. Check digits of VAT numbers are not insisted on (`parties.identifiers`).
    """
    number, scheme = identifier.number, identifier.scheme
    check = _CHECKS.get(scheme) or _vat_check(scheme)
    return number.isascii() and check is not None and check(number)


def _vat_check(scheme: str) -> Callable[[str], bool] | None:
    country = next((country for country, code in VAT_SCHEMES.items() if code == scheme), None)
    if country in EU_COUNTRIES:
        return partial(is_eu_vat_number, country_code=country)
    return bool if country else None


def parse(text: str) -> Identifier | None:
    """The address that a text like `0184:13585628` names; None if it can't be one."""
    scheme, _, number = without_spaces(text).partition(":")
    if scheme in _DANISH:
        number = number.removeprefix("DK")
    found = Identifier(scheme, number)
    return found if is_possible(found) else None


def parse_stated(text: str) -> Identifier | None:
    """The address that a document of somebody else states, as `parse` takes one; None if it can't be one.

    Danish numbers need no right check digit: official examples have wrong ones, and the network takes them
    (PEPPOL-COMMON-R042 asks for eight digits). One in a scheme without rules here is taken as it is.
    """
    scheme, _, number = text.partition(":")
    if scheme not in EAS or not number:
        return None
    if scheme in _DANISH:
        digits = without_spaces(number).removeprefix("DK")
        is_number = len(digits) == 8 and digits.isascii() and digits.isdigit()
        return Identifier(scheme, digits) if is_number else None
    is_checked = scheme in _CHECKS or _vat_check(scheme) is not None
    return parse(text) if is_checked else Identifier(scheme, number)


def in_network(identifier: Identifier) -> str:
    """The number as Peppol writes it: a SE number has `DK` before it, a CVR number hasn't (BIS Billing 3.0.21)."""
    return f"DK{identifier.number}" if identifier.scheme == Scheme.SE_NUMBER else identifier.number
