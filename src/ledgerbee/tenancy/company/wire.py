"""Wire types of a company's settings."""

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.http.fields import BLANK_IS_NULL, NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.wire import RequestModel, Trimmed, Whole, omitted
from ledgerbee.tenancy.company.logo import MAX_LOGO_BYTES

_BASE64_LENGTH: Final = 4 * -(-MAX_LOGO_BYTES // 3)


class Language(StrEnum):
    """Languages that documents and mails are written in."""

    DANISH = "da"
    ENGLISH = "en"


def _to_bytes(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > _BASE64_LENGTH:
            raise PydanticCustomError("maxSize", f"must be at most {MAX_LOGO_BYTES} bytes")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise PydanticCustomError("isBase64", "must be base64 encoded")


#: Of a company's own address.
EXAMPLE_EMAIL: Final = "regnskab@example.com"
#: Identifiers (VAT number, bank account): what they must be is told by the rules.
NullableIdentifier = Annotated[Annotated[str, Trimmed(50)] | None, BLANK_IS_NULL]
#: Days from a document's date to its due date.
PaymentTerms = Annotated[int, Field(strict=True, ge=0, le=3_650, examples=[14]), Whole]
#: The content of a logo's file.
LogoContent = Annotated[
    bytes,
    BeforeValidator(_to_bytes),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": _BASE64_LENGTH}),
]
#: A time zone's name; which ones there are is told by the rules.
TimeZoneName = Annotated[str, StringConstraints(strict=True, max_length=100), Field(examples=["Europe/Copenhagen"])]


class SellerFields(RequestModel):
    """What documents say of a company as their seller, and where they ask to be paid."""

    email: NullableEmail = omitted(description="Where customers' answers go", examples=[EXAMPLE_EMAIL])
    address: NullableAddress = omitted(description="Street and number; needed on invoices")
    postal_code: NullableLine = omitted(description="Needed on invoices of a company in the EU")
    city: NullableLine = omitted(description="Needed on invoices")
    vat_number: NullableIdentifier = omitted(
        description="Needed on invoices unless all they sell is exempt or outside the scope of VAT. A Danish company's "
        "is checked: CVR, eight digits"
    )
    bank_name: NullableLine = omitted()
    bank_registration_number: NullableIdentifier = omitted(description="Danish: four digits")
    bank_account_number: NullableIdentifier = omitted(description="Danish: up to ten digits")
    iban: NullableIdentifier = omitted(examples=["DK5000400440116243"])
    bic: NullableIdentifier = omitted(examples=["DABADKKK"])
