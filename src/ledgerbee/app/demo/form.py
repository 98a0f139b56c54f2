"""The form of a file of published documents: what `ledgerbee demo` reads of one, checked before anything is done."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.validation import validation_error

#: Findings that are shown: the first ones say what is wrong with the file.
_SHOWN: Final = 3
_MOST_DIGITS: Final = 20


def _is_number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > _MOST_DIGITS:
        raise PydanticCustomError("isDecimal", "must be a decimal number in quotes")
    return text


def _is_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year <= 2999:
        raise PydanticCustomError("isDateString", "must be a valid date, YYYY-MM-DD")
    return text


def _is_not_zero(text: str) -> str:
    if not Decimal(text):
        raise PydanticCustomError("notEquals", "must not be zero")
    return text


_Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2_000)]
_Number = Annotated[str, AfterValidator(_is_number)]
_Divisor = Annotated[_Number, AfterValidator(_is_not_zero)]
_Day = Annotated[str, AfterValidator(_is_day)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Charge(_Part):
    kind: _Text
    amount: _Number
    reason: _Text | None = None
    percent: _Number = "0"
    base_amount: _Number = "0"


class _DocumentCharge(_Charge):
    vat_category: _Text
    vat_rate: _Number


class _Line(_Part):
    id: _Text
    name: _Text
    item_number: _Text | None = None
    description: _Text | None = None
    unit: _Text | None = None
    quantity: _Divisor
    unit_price: _Number
    base_quantity: _Divisor = "1"
    net: _Number
    vat_category: _Text
    vat_rate: _Number
    allowances_and_charges: list[_Charge] = Field(default_factory=list)


class _Party(_Part):
    name: _Text
    address: _Text
    city: _Text
    postal_code: _Text
    country: _Text
    email: _Text | None = None
    contact_name: _Text | None = None
    gln: _Text | None = None


class _Seller(_Party):
    vat_number: _Text


class _Buyer(_Party):
    vat_number: _Text | None = None


class _Vat(_Part):
    category: _Text
    rate: _Number
    exemption_reason: _Text | None = None


class _Totals(_Part):
    net: _Number
    vat: _Number
    gross: _Number
    prepaid: _Number
    rounding: _Number


class _Document(_Part):
    key: _Text
    id: _Text
    source: _Text
    kind: _Text
    issue_date: _Day
    due_date: _Day | None = None
    currency: _Text
    order_reference: _Text | None = None
    payment_terms: _Text | None = None
    tax_currency: _Text | None = None
    seller: _Seller
    buyer: _Buyer
    lines: list[_Line] = Field(min_length=1)
    allowances_and_charges: list[_DocumentCharge]
    vat: list[_Vat]
    totals: _Totals
    notes: list[_Text]


class _File(_Part):
    documents: list[_Document] = Field(min_length=1)


def check(content: Any) -> None:
    """Refuse what is no file of published documents. Raises `ValueError`, which names the first findings."""
    if not isinstance(content, dict):
        raise ValueError("it must be an object with documents")  # noqa: TRY004 - the file is wrong, not the call
    try:
        _File.model_validate(content)
    except ValidationError as fault:
        found: LedgerBeeError = validation_error(fault.errors())
        texts = [text for row in found.details["validationErrors"] for text in row["constraints"].values()]
        more = f" (and {len(texts) - _SHOWN} more)" if len(texts) > _SHOWN else ""
        raise ValueError("; ".join(texts[:_SHOWN]) + more) from None
    keys = [document["key"] for document in content["documents"]]
    if len(set(keys)) < len(keys):
        raise ValueError("two documents have the same key")
