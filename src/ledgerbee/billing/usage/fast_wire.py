"""The fast decoder: reports straight from JSON to what the rules take.

It takes what is usual and right. Anything else (an escape, a number with an exponent, a rule broken) it leaves to the
models of `wire`, which take it or say what is wrong: it decides nothing that they don't.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.model import KEY_PATTERN, MAX_EVENTS, UsageReport
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import DriverUUID
from ledgerbee.http import metadata
from ledgerbee.http.fields import to_moment
from ledgerbee.http.wire import MAX_LINE
from ledgerbee.ledger.entries.fast_wire import LEFT, LeftToModelsError, decode_id

_USUAL_FRACTION: Final = re.compile(r"-?[0-9]{1,12}\.[0-9]{1,6}")
_MOST: Final = 10**metadata.MAX_DIGITS
_Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=metadata.MAX_KEY_LENGTH, pattern=r"^[^\[\]\n]+$")]
_Metadata: TypeAlias = Annotated[dict[_Key, Any], Meta(max_length=metadata.MAX_KEYS)]


class _Report(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True, kw_only=True):
    value: Any
    customer_id: DriverUUID
    meter_id: DriverUUID | None = None
    meter_name: Annotated[str, Meta(min_length=1, max_length=MAX_LINE)] | None = None
    timestamp: str | None = None
    metadata: _Metadata | None = None


class _KeyedReport(_Report, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True, kw_only=True):
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255, pattern=KEY_PATTERN)]


class _Batch(Struct, frozen=True, forbid_unknown_fields=True):
    events: Annotated[tuple[_KeyedReport, ...], Meta(min_length=1, max_length=MAX_EVENTS)]


class DecodedReport(NamedTuple):
    """Handed on in place of a `ReportUsageRequest`."""

    report: UsageReport

    def reported(self, key: str, _: datetime) -> UsageReport:
        """The report for the rules, under the key of the request."""
        return replace(self.report, key=key)


class DecodedBatch(NamedTuple):
    """Handed on in place of a `ReportUsageBatchRequest`."""

    reports: list[UsageReport]

    def reported(self, _: datetime) -> list[UsageReport]:
        """The reports for the rules."""
        return self.reports


def _fraction(text: str) -> Decimal:
    if not _USUAL_FRACTION.fullmatch(text):
        raise LeftToModelsError
    return Decimal(text)


_REPORT: Final = Decoder(_Report, dec_hook=decode_id, float_hook=_fraction)
_BATCH: Final = Decoder(_Batch, dec_hook=decode_id, float_hook=_fraction)


def decode_report(raw: bytes) -> DecodedReport | None:
    """The report in a request's body; None if that is left to the model."""
    if b"\\" in raw:  # an escape may stand for what can't be stored
        return None
    try:
        return DecodedReport(_reported(_REPORT.decode(raw), ""))
    except (*LEFT, LedgerBeeError):
        return None


def decode_batch(raw: bytes) -> DecodedBatch | None:
    """The reports in a request's body; None if that is left to the model."""
    if b"\\" in raw:
        return None
    try:
        return DecodedBatch([_reported(one, one.idempotency_key) for one in _BATCH.decode(raw).events])
    except (*LEFT, LedgerBeeError):
        return None


def _reported(fields: _Report, key: str) -> UsageReport:
    """The report. Raises `LeftToModelsError`, and the refusals of rules, which the models say again."""
    value = fields.value
    if type(value) is int:
        value = Decimal(value)
    elif type(value) is not Decimal:
        raise LeftToModelsError
    if not rules.is_value(value):
        raise LeftToModelsError
    name = fields.meter_name
    if name is not None and name != name.strip():
        raise LeftToModelsError
    rules.check_meter_named(fields.meter_id, name)
    if fields.meter_id is not None and name is not None:
        raise LeftToModelsError
    given = fields.metadata
    if given:
        given = {key: _metadata_value(one) for key, one in given.items()}
    moment = None
    if fields.timestamp is not None:
        moment = to_moment(fields.timestamp)
    return UsageReport(
        key,
        value,
        fields.customer_id,
        fields.meter_id,
        name,
        moment,
        rules.metadata_text(given),
        rules.named_subscription(given),
    )


def _metadata_value(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        if len(value) > metadata.MAX_VALUE_LENGTH:
            raise LeftToModelsError
    elif kind is int:
        if not -_MOST < value < _MOST:
            raise LeftToModelsError
    elif kind is Decimal:
        if len(value.as_tuple().digits) > metadata.MAX_DIGITS:
            raise LeftToModelsError
    elif kind is not bool:
        raise LeftToModelsError
    return value
