"""What may be reported, and what of it tells one report from another (decisions "Usage")."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.json import encode

from ledgerbee.billing.meters.model import Aggregation
from ledgerbee.billing.usage.model import (
    MAX_AHEAD,
    MAX_DIGITS,
    MAX_PLACES,
    MAX_VALUE,
    NAMED_SUBSCRIPTION,
    NewUsage,
    UsageMeter,
    UsageReport,
)
from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import LedgerBeeError, check_all, invalid
from ledgerbee.core.ids import parse_id
from ledgerbee.core.money import plain_number

#: Nothing was metered before: what says so has lost its clock.
_EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)


def is_value(value: Decimal) -> bool:
    """Whether it is a value that an event may have."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(value) >= MAX_VALUE:
        return False
    return len(value.as_tuple().digits) <= MAX_DIGITS and exponent >= -MAX_PLACES


def check_meter_named(meter_id: UUID | None, meter_name: str | None) -> None:
    """A report says which meter it is for. Raises a validation error."""
    if meter_id is None and meter_name is None:
        raise invalid(("meterId", "isDefined", "meterId must be given, or meterName"))


def named_subscription(metadata: Mapping[str, Any] | None) -> UUID | None:
    """The subscription that metadata names. Raises a validation error for what is no id."""
    if not metadata or NAMED_SUBSCRIPTION not in metadata:
        return None
    named = metadata[NAMED_SUBSCRIPTION]
    if isinstance(named, str) and len(named) in {32, 36}:
        try:
            return parse_id(named)
        except ValueError:
            pass
    place = f"metadata.{NAMED_SUBSCRIPTION}"
    raise invalid((place, "isUuid", f"{place} must be a UUID: it names the subscription"))


def check_moment(occurred_at: datetime | None, now: datetime) -> None:
    """An event is at most a day ahead of the company's clock. Raises a validation error."""
    if occurred_at is None:
        return
    if occurred_at > now + MAX_AHEAD:
        raise invalid(("timestamp", "maxDate", "timestamp must not be more than 24 hours from now"))
    if occurred_at < _EARLIEST:
        raise invalid(("timestamp", "minDate", "timestamp must not be before 1970"))


def check_value(value: Decimal, aggregation: Aggregation) -> None:
    """Corrections below zero are for meters that sum up. Raises a validation error."""
    if value < 0 and aggregation is not Aggregation.SUM:
        raise invalid(("value", "min", "value must not be less than 0: the meter's aggregation is not SUM"))


def fault_in(report: UsageReport, meter: UsageMeter, now: datetime) -> LedgerBeeError | None:
    """What is wrong with the values of a report to its meter."""
    if report.value >= 0 and report.occurred_at is None:
        return None
    try:
        check_all(
            lambda: check_value(report.value, meter.aggregation),
            lambda: check_moment(report.occurred_at, now),
        )
    except LedgerBeeError as fault:
        return fault
    return None


def body_hash(report: UsageReport, meter_id: UUID) -> bytes:
    """What tells a report from another under its key: its values, however they were written.

    A meter counts by what it is, not by how it was named; a report without a timestamp is the same at any time.
    """
    moment = "" if report.occurred_at is None else report.occurred_at.isoformat()
    value = str(report.value.normalize()) if report.value else "0"
    whole = f"{meter_id} {report.customer_id} {value} {moment} {report.metadata or ''}"
    return hashlib.blake2b(whole.encode(), digest_size=16).digest()


def metadata_text(metadata: Mapping[str, Any] | None) -> str | None:
    """Metadata as it is kept and compared: compact JSON, names in order; None without any."""
    if not metadata:
        return None
    plain = {key: plain_number(value) if isinstance(value, Decimal) else value for key, value in metadata.items()}
    return encode(plain, order="sorted").decode()


def new_usage(
    event_id: UUID, report: UsageReport, meter_id: UUID, request_hash: bytes, now: datetime, time_zone: str
) -> NewUsage:
    """The row of a report that came in `now`; days are in the company's time zone."""
    occurred_at = report.occurred_at or now
    received_on = day_in(now, time_zone)
    return NewUsage(
        event_id,
        report.key,
        request_hash,
        meter_id,
        report.customer_id,
        report.named_subscription_id,
        received_on if report.occurred_at is None else day_in(occurred_at, time_zone),
        occurred_at,
        report.value,
        report.metadata,
        now,
        received_on,
    )


def days_of(since: date | None, until: date | None) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the days that a list is narrowed to."""
    if since is not None and until is not None and until < since:
        yield ("to", "minDate", "to must not be before from")
