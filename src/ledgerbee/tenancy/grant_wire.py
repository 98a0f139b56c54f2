"""Wire types that API keys and OAuth clients share."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.http.wire import EXAMPLE_MOMENT, Trimmed
from ledgerbee.platform.credentials.model import SCOPES

_MAX_ENTRIES: Final = 100

Scopes = Annotated[
    list[Annotated[str, StringConstraints(strict=True, max_length=100)]],
    Field(
        min_length=1,
        max_length=_MAX_ENTRIES,
        description="Scopes it carries; only ones that the caller carries itself",
        examples=[["customers-read", "invoices-write"]],
        json_schema_extra={"items": {"type": "string", "enum": list(SCOPES)}},
    ),
]
#: The reference's name of it (contract 2.2), wherever it is given or told.
_IP_ALLOWLIST: Final = "ipWhitelist"
IpAllowlist = Annotated[
    list[Annotated[str, Trimmed(100)]],
    Field(
        alias=_IP_ALLOWLIST,
        max_length=_MAX_ENTRIES,
        description="IP addresses and networks (CIDR) it may be used from; empty: anywhere",
        examples=[["203.0.113.7", "2001:db8::/32"]],
    ),
]
IpAllowlistText = Annotated[
    list[str],
    Field(alias=_IP_ALLOWLIST, description="Addresses and networks it works from; empty: anywhere"),
]


def _to_moment(value: Any) -> datetime:
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
    BeforeValidator(_to_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_MOMENT]}),
]
