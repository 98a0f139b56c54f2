"""Countries by their ISO 3166-1 alpha-2 codes."""

from functools import lru_cache
from typing import Final

from babel import Locale
from stdnum.eu import vat

#: Two-letter codes of Unicode's territory list that are no countries of ISO 3166-1: parts of a country, unions,
#: pseudo-locales. XK (Kosovo) stays in: it has no ISO code of its own, and everyone trades under this one.
_NOT_COUNTRIES: Final = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
#: Member states of the EU, and Northern Ireland (XI): their VAT numbers start with the country (Greece with EL).
EU_COUNTRIES: Final = frozenset(state.upper() for state in vat.MEMBER_STATES)


@lru_cache(maxsize=1)
def country_codes() -> frozenset[str]:
    """Every ISO 3166-1 alpha-2 code, and XK."""
    territories = map(str, Locale("en").territories)
    return frozenset(code for code in territories if len(code) == 2 and code.isalpha()) - _NOT_COUNTRIES


def is_country(code: str) -> bool:
    """True for a country's code in capitals."""
    return code in country_codes()
