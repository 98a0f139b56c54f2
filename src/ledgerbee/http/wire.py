"""Types of the wire: camelCase names, exact decimals, honest identifiers (contract 1.4, decisions "Base")."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from ledgerbee.core.changes import Changes
from ledgerbee.core.countries import is_country
from ledgerbee.core.dates import format_moment
from ledgerbee.core.fields import names_of
from ledgerbee.core.ids import parse_id
from ledgerbee.core.money import (
    MAX_AMOUNT,
    QUANTITY_PLACES,
    UNIT_PRICE_PLACES,
    format_decimal,
    is_currency,
    plain_number,
)
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts

T = TypeVar("T")
#: A kind of id: a `NewType` of UUID.
IdKind = TypeVar("IdKind", bound=UUID)
M = TypeVar("M", bound="RequestModel")
F = TypeVar("F")

EXAMPLE_ID: Final = "550e8400-e29b-41d4-a716-446655440000"
EXAMPLE_MOMENT: Final = "2024-01-15T10:30:00.000Z"

#: Longest name, number or other single-line text; free text may be ten times as long.
MAX_LINE: Final = 1_000
MAX_TEXT: Final = 10_000


class RequestModel(BaseModel):
    """A request body. Unknown fields are refused (contract 1.5)."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=False, validate_by_alias=True
    )

    @classmethod
    def from_bytes(cls, raw: bytes) -> object | None:  # noqa: ARG003  for the models that have a fast decoder
        """What a decoder of the model's own makes of a body; None where it has none, or leaves the body to the model.

        Handlers get it in place of the model, and say so in their annotation: the union of both (`EntryBody`).
        """
        return None

    @classmethod
    def from_file(cls, raw: bytes) -> object:
        """What stands for the model where the body is a file, of an operation that takes one (`files`)."""
        raise NotImplementedError(f"{cls.__name__} is no body that may be a file: {len(raw)} bytes came")

    #: Whether a field that is left out stays as it is, and so has a value that the body doesn't say (PATCH).
    keeps_what_is_left_out: ClassVar[bool] = False

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002  for the models that have some
        """The rules over its fields, to report beside what is wrong with other fields; `path` is its place in the body.

        Called only where something is wrong: `self` is then what can be read of the body (`partial.Part`), and a rule
        that reads more is passed over. The actions look at all rules of a body that is right in itself.
        """
        return ()

    @model_validator(mode="before")
    @classmethod
    def _is_object(cls, value: Any) -> Any:
        # FastAPI would read fields from any object's attributes: a Decimal has none of them, and passed for `{}`.
        if not isinstance(value, (dict, cls)):
            raise PydanticCustomError("isObject", "must be an object")
        return value


class ResponseModel(BaseModel):
    """An answer. Built by field name, written in camelCase; nulls are written."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        frozen=True,
        from_attributes=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @classmethod
    def of_row(cls, row: object) -> Self:
        """The answer with the values of an object whose attributes have the names of its fields."""
        return cls.model_validate(row, from_attributes=True, by_name=True, by_alias=False)

    def as_event(self) -> dict[str, Any]:
        """The answer as the JSON values that an event has of it."""
        return self.model_dump(mode="json", exclude_unset=True)


#: Not all that Python takes for a decimal: no blanks, exponents or digits of other scripts.
_DECIMAL_TEXT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LONGEST_DECIMAL: Final = 60


def _to_decimal(value: Any) -> Any:
    """Take a JSON number (already a Decimal, never a float) or a decimal string."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise PydanticCustomError("decimal_type", "must be a number or a decimal string")
    if isinstance(value, str) and (len(value) > _LONGEST_DECIMAL or not _DECIMAL_TEXT.fullmatch(value)):
        raise PydanticCustomError("decimal_type", "must be a number or a decimal string")
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent > 0:  # 1E+3 is the number 1000
            return Decimal(int(value)) if exponent < 40 else value
    return value


def decimal_schema(description: str, **limits: int) -> WithJsonSchema:
    """The schema of a decimal in a request: `limits` are JSON Schema's own, for the number."""
    number = {"type": "number", **limits}
    text = {"type": "string", "maxLength": _LONGEST_DECIMAL, "pattern": f"^{_DECIMAL_TEXT.pattern}$"}
    return WithJsonSchema({"anyOf": [number, text], "description": description})


#: A decimal in a request, exact; whoever uses it gives it limits, and says them in its schema.
RequestDecimal = Annotated[Decimal, BeforeValidator(_to_decimal)]

#: Above the largest amount there is: a number that JSON writes exactly.
ABOVE_AMOUNTS: Final = 10**13
_AMOUNTS: Final = {"exclusiveMinimum": -ABOVE_AMOUNTS, "exclusiveMaximum": ABOVE_AMOUNTS}
#: A price for one unit, up to 12 decimals, in the document's currency; may be negative (a discount line).
UnitPrice = Annotated[
    RequestDecimal,
    Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, decimal_places=UNIT_PRICE_PLACES),
    decimal_schema("Price of one unit, up to 12 decimals. A number or a decimal string.", **_AMOUNTS),
]
#: A quantity, up to 6 decimals.
Quantity = Annotated[
    RequestDecimal,
    Field(ge=-Decimal(10**9), le=Decimal(10**9), decimal_places=QUANTITY_PLACES),
    decimal_schema("Quantity, up to 6 decimals. A number or a decimal string.", minimum=-(10**9), maximum=10**9),
]
#: A percentage from 0 to 100, up to 4 decimals.
Percent = Annotated[
    RequestDecimal,
    Field(ge=0, le=100, decimal_places=4),
    decimal_schema("Percent, 0 to 100, up to 4 decimals. A number or a decimal string.", minimum=0, maximum=100),
]
#: A share in percent, up to 8 decimals: 66.66666667 beside the fraction 2/3.
SharePercent = Annotated[
    RequestDecimal,
    Field(ge=0, le=100, decimal_places=8),
    decimal_schema("Percent, 0 to 100, up to 8 decimals. A number or a decimal string.", minimum=0, maximum=100),
]
#: An amount of money in major units, at most 4 decimals; the currency's minor units are checked by the rules.
Amount = Annotated[
    RequestDecimal,
    Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, decimal_places=4),
    decimal_schema("Amount in major units of its currency. A number or a decimal string.", **_AMOUNTS),
]
#: Base units for one unit of a foreign currency, up to 12 decimals.
ExchangeRate = Annotated[
    RequestDecimal,
    Field(gt=0, lt=10**9, decimal_places=12),
    decimal_schema(
        "Units of the base currency for one unit of the currency, up to 12 decimals.",
        exclusiveMinimum=0,
        exclusiveMaximum=10**9,
    ),
]

#: Digits up to which a number is looked at whether it is whole: more than any field takes.
_MOST_DIGITS: Final = 100


def to_whole(value: Any) -> Any:
    """A number of JSON that is whole as an int, any other value as it is: JSON's `1015.0` and `1.015e3` are 1015."""
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS:
        whole = int(value)
        return whole if whole == value else value
    return value


#: Annotates a whole number in a request, behind its strict limits: it may be written as JSON likes, never as a string.
Whole: Final = BeforeValidator(to_whole)

#: Money in an answer: a decimal string at the currency's minor units; models format it with `core.money`.
MoneyText = Annotated[str, WithJsonSchema({"type": "string", "examples": ["1250.00"]})]
#: A decimal in an answer as text without trailing zeros (unit prices, up to 12 decimals).
DecimalText = Annotated[
    Decimal,
    PlainSerializer(format_decimal, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["99.5"]}),
]


#: A decimal that the reference prints as a JSON number (rates, quantities).
Number = Annotated[Decimal, PlainSerializer(plain_number, return_type=int | float), WithJsonSchema({"type": "number"})]

#: A moment in an answer: ISO 8601, UTC, milliseconds, `Z`.
Moment = Annotated[
    datetime,
    PlainSerializer(format_moment, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]}),
]


def _to_date(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == 10 and value.isascii():
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("date_type", "must be a valid date, YYYY-MM-DD")


#: A calendar day in a request: exactly `YYYY-MM-DD`.
Day = Annotated[
    date,
    BeforeValidator(_to_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-01-31"]}),
]


def to_uuid(value: Any) -> UUID:
    """A UUID from its usual text form. Raises `PydanticCustomError` for anything else."""
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and len(value) in {36, 32}:  # with hyphens or without
        try:
            return parse_id(value)
        except ValueError:
            pass
    raise PydanticCustomError("uuid_type", "must be a UUID")


#: A reference to an object, in a request: `IdOf[ProductGroupId]`; `Id` where its kind is left open.
IdOf = Annotated[
    IdKind,
    BeforeValidator(to_uuid),
    WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]}),
]
Id = IdOf[UUID]
#: Marks a text in the path that is a name, and no id: `PathName`.
PATH_NAME: Final = "name in the path"
#: A name in the path, decoded, as it is: any text but one with a slash.
PathName = Annotated[str, PATH_NAME]
#: An object's id, in an answer.
IdText = Annotated[UUID, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Annotates a single-line text: blanks at its ends are dropped, and `min_length` counts what is left.

    `max_length` counts what was sent, as whoever reads the document does.
    """

    max_length: int
    min_length: int | None = None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(
            strict=True, strip_whitespace=True, min_length=self.min_length, max_length=self.max_length
        )
        return core_schema.no_info_before_validator_function(self._as_sent, text)

    def _as_sent(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > self.max_length:
            raise PydanticKnownError("string_too_long", {"max_length": self.max_length})
        return value


#: A required single-line text: trimmed, not empty.
Line = Annotated[str, Trimmed(MAX_LINE, min_length=1)]
#: An optional single-line text: trimmed; may be empty.
OptionalLine = Annotated[str, Trimmed(MAX_LINE)]
#: Free text over several lines.
Text = Annotated[str, StringConstraints(strict=True, max_length=MAX_TEXT)]


def blank_or(schema: dict[str, Any]) -> WithJsonSchema:
    """The schema of a text with a form of its own that may be null, where blank means null."""
    return WithJsonSchema({"anyOf": [schema, {"type": "string", "pattern": r"^\s*$"}, {"type": "null"}]})


def _check_currency(value: str) -> str:
    if not is_currency(value):
        raise PydanticCustomError("iso4217", "must be a valid ISO 4217 currency code")
    return value


#: An ISO 4217 currency code in capitals.
CurrencyCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[A-Z]{3}$"),
    BeforeValidator(lambda value: _check_currency(value) if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["DKK"]}),
]


def _check_country(value: str) -> str:
    if not is_country(value):
        raise PydanticCustomError("isISO31661Alpha2", "must be a valid ISO 3166-1 alpha-2 country code")
    return value


#: An ISO 3166-1 alpha-2 country code in capitals.
CountryCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[A-Z]{2}$"),
    AfterValidator(_check_country),
    Field(examples=["DK"]),
]


#: A whole number in an answer, where the reference says `number`.
WholeNumber = Annotated[int, WithJsonSchema({"type": "number"})]


class PageResponse(ResponseModel, Generic[T]):
    """The envelope of every paginated list (contract 1.4)."""

    data: list[T]
    total: WholeNumber = Field(description="Total number of matching rows", examples=[42])
    page: WholeNumber = Field(description="Current page number", examples=[1])
    limit: WholeNumber = Field(description="Items per page", examples=[25])
    total_pages: WholeNumber = Field(description="Total number of pages", examples=[2])

    @classmethod
    def of(cls, data: Sequence[T], total: int, asked: PageRequest) -> Self:
        """The page that was asked for, of `total` rows."""
        return cls(
            data=list(data), total=total, page=asked.page, limit=asked.limit, total_pages=pages(total, asked.limit)
        )


def pages(total: int, limit: int) -> int:
    """How many pages of `limit` rows hold `total` rows."""
    return -(-total // limit)


def omitted(**options: Any) -> Any:
    """A field of a PATCH body: may be left out (then it stays as it is), may not be null."""
    return Field(default_factory=lambda: None, **options)


def changes_to(kind: type[F], body: type[M]) -> Callable[[M], Changes[F]]:
    """A function that takes the changes of an object of a dataclass or struct `kind` out of a body of the model `body`.

    Raises `TypeError` when it is made, as the process starts, where the model has a field that `kind` has not.
    """
    _check_fields(kind, body)
    return lambda given: Changes({name: getattr(given, name) for name in given.model_fields_set})


def state_to(kind: type[F], body: type[M], *, kept: Collection[str]) -> Callable[[M], Changes[F]]:
    """As `changes_to`, of a PUT body: the whole new state, but for the fields `kept`, which stay when left out."""
    _check_fields(kind, body)

    def changes(given: M) -> Changes[F]:
        left_out = set(kept) - given.model_fields_set
        return Changes({name: value for name, value in given if name not in left_out})

    return changes


def _check_fields(kind: type[Any], body: type[RequestModel]) -> None:
    unknown = body.model_fields.keys() - set(names_of(kind))
    if unknown:
        raise TypeError(f"{body.__name__} changes what {kind.__name__} doesn't have: {', '.join(sorted(unknown))}")
