"""Fields that the requests of several resources have: texts that may be null, e-mail addresses, moments, months.

Blank text in a field that may be null means null, so that nothing downstream prints an empty line.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.http.wire import EXAMPLE_MOMENT, MAX_LINE, OptionalLine, Trimmed, blank_or

#: Longest e-mail address (RFC 5321).
MAX_EMAIL: Final = 254


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def normalised_email(address: str) -> str | None:
    """The address with its domain in the standard form, None if it is none. No DNS is asked."""
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _check_email(value: str) -> str:
    normalised = normalised_email(value)
    if normalised is None:
        raise PydanticCustomError("isEmail", "must be an email")
    return normalised


#: Annotates a field that may be null: a blank text is null.
BLANK_IS_NULL: Final = BeforeValidator(_blank_to_none)
#: A single-line text or null.
NullableLine = Annotated[OptionalLine | None, BLANK_IS_NULL]
#: A street address, over several lines if need be, or null.
NullableAddress = Annotated[Annotated[str, Trimmed(MAX_LINE)] | None, BLANK_IS_NULL]
#: An e-mail address or null.
NullableEmail = Annotated[
    Annotated[str, Trimmed(MAX_EMAIL), AfterValidator(_check_email)] | None,
    BLANK_IS_NULL,
    blank_or({"type": "string", "format": "email", "maxLength": MAX_EMAIL}),
    Field(examples=["faktura@example.com"]),
]


def to_moment(value: Any) -> datetime:
    """A moment from ISO 8601 with its offset, in UTC. Raises `PydanticCustomError` for anything else."""
    if isinstance(value, str) and 20 <= len(value) <= 40 and value.isascii():
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError("isISO8601", "must be an ISO 8601 date-time with its offset from UTC")


#: A moment in a request, with its offset; becomes UTC.
RequestMoment = Annotated[
    datetime,
    BeforeValidator(to_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]}),
]


def _to_month(value: Any) -> Any:
    if isinstance(value, str) and len(value) == len("2026-03") and value.isascii():
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            pass
    raise PydanticCustomError("date_type", "must be a valid month, YYYY-MM")


#: A month in a request: exactly `YYYY-MM`; its first day.
Month = Annotated[
    date,
    BeforeValidator(_to_month),
    Field(ge=date(1900, 1, 1), le=date(2999, 12, 1)),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "examples": ["2026-03"]}),
]
