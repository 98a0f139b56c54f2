"""Wire types of a company's settings."""

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Any, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.http.wire import MAX_LINE, OptionalLine, RequestModel, Trimmed, Whole, blank_or, omitted
from ledgerbee.tenancy.company.logo import MAX_LOGO_BYTES

_BASE64_LENGTH: Final = 4 * -(-MAX_LOGO_BYTES // 3)


class Language(StrEnum):
    """Languages that documents and mails are written in."""

    DANISH = "da"
    ENGLISH = "en"


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _check_email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise PydanticCustomError("isEmail", "must be an email") from None


def _to_bytes(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > _BASE64_LENGTH:
            raise PydanticCustomError("maxSize", f"must be at most {MAX_LOGO_BYTES} bytes")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise PydanticCustomError("isBase64", "must be base64 encoded")


_BLANK_IS_NULL = BeforeValidator(_blank_to_none)

#: A single-line text or null; blank means null.
NullableLine = Annotated[OptionalLine | None, _BLANK_IS_NULL]
#: A street address, over several lines if need be, or null.
NullableAddress = Annotated[Annotated[str, Trimmed(MAX_LINE)] | None, _BLANK_IS_NULL]
#: An e-mail address or null. No DNS is asked.
NullableEmail = Annotated[
    Annotated[
        str,
        Trimmed(254),
        AfterValidator(_check_email),
    ]
    | None,
    _BLANK_IS_NULL,
    blank_or({"type": "string", "format": "email", "maxLength": 254}),
    Field(examples=["regnskab@example.com"]),
]
#: Identifiers (VAT number, bank account): what they must be is told by the rules.
NullableIdentifier = Annotated[Annotated[str, Trimmed(50)] | None, _BLANK_IS_NULL]
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

    email: NullableEmail = omitted(description="Where customers' answers go")
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
