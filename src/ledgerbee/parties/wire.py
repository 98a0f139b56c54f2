"""Wire types that customers, vendors, contacts and departments share.

Numbers of parties are at most 100 characters, identifiers of other systems 255.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ledgerbee.http.fields import BLANK_IS_NULL
from ledgerbee.http.wire import CountryCode, Trimmed, Whole, blank_or
from ledgerbee.parties.endpoints import in_network, parse
from ledgerbee.parties.identifiers import is_gln, is_web_address, without_spaces

MAX_NUMBER: Final = 100
MAX_PAYMENT_TERMS_DAYS: Final = 3_650


def _check_gln(value: str) -> str:
    compact = without_spaces(value)
    if not is_gln(compact):
        raise PydanticCustomError("isEAN", "must be an EAN (GLN) of 13 digits with a valid check digit")
    return compact


def _check_endpoint(value: str) -> str:
    found = parse(value)
    if found is None:
        raise PydanticCustomError("isEndpointId", "must be a scheme of Peppol's and a number of it, as 0184:13585628")
    return f"{found.scheme}:{in_network(found)}"


def _check_website(value: str) -> str:
    if not is_web_address(value):
        raise PydanticCustomError("isUrl", "must be a URL address")
    return value


#: A customer's, vendor's or group's own number.
PartyNumber = Annotated[str, Trimmed(MAX_NUMBER, min_length=1)]
#: The id of the object in the caller's other system.
ExternalId = Annotated[Annotated[str, Trimmed(255)] | None, BLANK_IS_NULL]
#: An EAN (GLN) for e-invoices, spaces removed, or null.
NullableEan = Annotated[
    Annotated[str, StringConstraints(strict=True, max_length=40), AfterValidator(_check_gln)] | None,
    BLANK_IS_NULL,
    Field(examples=["5798009811578"]),
]
#: An address in an e-invoicing network, with its scheme, or null.
NullableEndpoint = Annotated[
    Annotated[str, StringConstraints(strict=True, max_length=60), AfterValidator(_check_endpoint)] | None,
    BLANK_IS_NULL,
    Field(examples=["0198:DK13585628"]),
]
#: A VAT number, spaces removed and in capitals, or null. Its form is checked where the VAT zone needs it.
NullableVatNumber = Annotated[
    Annotated[str, StringConstraints(strict=True, max_length=50), AfterValidator(without_spaces)] | None,
    BLANK_IS_NULL,
    Field(examples=["DK13585628"]),
]
#: A web address or null.
NullableWebsite = Annotated[
    Annotated[str, Trimmed(500), AfterValidator(_check_website)] | None,
    BLANK_IS_NULL,
    Field(examples=["https://example.com"]),
]
#: A country's code or null.
NullableCountry = Annotated[
    CountryCode | None, BLANK_IS_NULL, blank_or({"type": "string", "pattern": "^[A-Z]{2}$"}), Field(examples=["DK"])
]
#: Days from the document's date to its due date, or null.
NullablePaymentTerms = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=MAX_PAYMENT_TERMS_DAYS), Whole] | None, Field(examples=[14])
]
#: A boolean that is written as one.
Flag = Annotated[bool, Field(strict=True)]
