"""What may be reported, and what tells one report from another."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.billing.meters.model import Aggregation
from ledgerbee.billing.meters.rules import check_name, check_unique_key
from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.model import UsageMeter, UsageReport
from ledgerbee.core.errors import LedgerBeeError

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
METER, CUSTOMER = UUID(int=1), UUID(int=2)


def report(**fields: Any) -> UsageReport:
    values: dict[str, Any] = {
        "key": "k-1", "value": Decimal(5), "customer_id": CUSTOMER, "meter_id": METER, "meter_name": None,
        "occurred_at": NOW, "metadata": None, "named_subscription_id": None, **fields,
    }  # fmt: skip
    return UsageReport(**values)


def places(fault: LedgerBeeError | None) -> dict[str, str]:
    assert fault is not None
    return {error["property"]: next(iter(error["constraints"])) for error in fault.details["validationErrors"]}


@pytest.mark.parametrize(
    ("text", "is_value"),
    [("0", True), ("-5.5", True), ("999999999999", True), ("0.000001", True), ("0.0000001", False), ("NaN", False),
     ("Infinity", False), ("1000000000000", False), ("-1000000000000", False), ("123456789.123456", True),
     ("1234567890.123456", False)],
)  # fmt: skip
def test_values(text: str, is_value: bool) -> None:
    assert rules.is_value(Decimal(text)) is is_value


def test_a_report_is_of_a_meter() -> None:
    rules.check_meter_named(METER, None)
    rules.check_meter_named(None, "Calls")
    with pytest.raises(LedgerBeeError) as fault:
        rules.check_meter_named(None, None)
    assert places(fault.value) == {"meterId": "isDefined"}


@pytest.mark.parametrize("named", ["x", 7, True, "", "0" * 31, "g" * 32, 1.5])
def test_a_named_subscription_is_an_id(named: Any) -> None:
    with pytest.raises(LedgerBeeError) as fault:
        rules.named_subscription({"subscriptionId": named})
    assert places(fault.value) == {"metadata.subscriptionId": "isUuid"}


def test_named_subscriptions() -> None:
    assert rules.named_subscription(None) is rules.named_subscription({}) is rules.named_subscription({"a": 1}) is None
    assert rules.named_subscription({"subscriptionId": str(METER)}) == METER
    assert rules.named_subscription({"subscriptionId": METER.hex}) == METER


@pytest.mark.parametrize(
    ("fields", "aggregation", "expected"),
    [
        ({"value": Decimal(-1)}, Aggregation.SUM, None),
        ({"value": Decimal(-1)}, Aggregation.MAX, {"value": "min"}),
        ({"value": Decimal(0), "occurred_at": None}, Aggregation.MAX, None),
        ({"occurred_at": NOW + timedelta(hours=24)}, Aggregation.MAX, None),
        ({"occurred_at": NOW + timedelta(hours=24, microseconds=1)}, Aggregation.SUM, {"timestamp": "maxDate"}),
        ({"occurred_at": datetime(1970, 1, 1, tzinfo=UTC)}, Aggregation.SUM, {"timestamp": "minDate"}),
        ({"value": Decimal(-1), "occurred_at": None}, Aggregation.MAX, {"value": "min"}),
        (
            {"value": Decimal(-1), "occurred_at": NOW + timedelta(days=2)},
            Aggregation.LAST,
            {"value": "min", "timestamp": "maxDate"},
        ),
    ],
)
def test_faults(fields: dict[str, Any], aggregation: Aggregation, expected: dict[str, str] | None) -> None:
    fault = rules.fault_in(report(**fields), UsageMeter(METER, "Calls", True, aggregation), NOW)
    assert (fault and places(fault)) == expected


@given(st.decimals(-1000, 1000, places=3, allow_nan=False), st.integers(0, 3))
def test_the_same_value_has_the_same_hash(value: Decimal, zeros: int) -> None:
    written = Decimal(f"{value}{'0' * zeros}")
    assert rules.body_hash(report(value=value), METER) == rules.body_hash(report(value=written), METER)
    shifted = report(value=value, occurred_at=NOW.astimezone(timezone(timedelta(hours=5))).astimezone(UTC))
    assert rules.body_hash(report(value=value), METER) == rules.body_hash(shifted, METER)


def test_another_report_has_another_hash() -> None:
    hashes = {
        rules.body_hash(report(**fields), meter)
        for fields, meter in (
            ({}, METER), ({}, CUSTOMER), ({"customer_id": METER}, METER), ({"value": Decimal(6)}, METER),
            ({"value": Decimal(-5)}, METER), ({"occurred_at": None}, METER), ({"metadata": '{"a":1}'}, METER),
            ({"metadata": '{"a":true}'}, METER), ({"value": Decimal(0)}, METER),
        )
    }  # fmt: skip
    assert len(hashes) == 9
    assert rules.body_hash(report(value=Decimal("-0")), METER) == rules.body_hash(report(value=Decimal(0)), METER)


def test_metadata_has_one_form() -> None:
    assert rules.metadata_text(None) is rules.metadata_text({}) is None
    assert rules.metadata_text({"b": 1, "a": "ø", "c": True}) == '{"a":"ø","b":1,"c":true}'
    assert rules.metadata_text({"a": Decimal("1.25"), "b": Decimal("1.0")}) == '{"a":1.25,"b":1}'


def test_days_are_the_companys() -> None:
    late = datetime(2026, 3, 16, 23, 30, tzinfo=UTC)
    row = rules.new_usage(METER, report(occurred_at=late), METER, b"", NOW, "Europe/Copenhagen")
    assert (row.day, row.received_on, row.occurred_at) == (date(2026, 3, 17), date(2026, 3, 16), late)
    row = rules.new_usage(METER, report(occurred_at=None), METER, b"", late, "Europe/Copenhagen")
    assert (row.day, row.received_on, row.occurred_at) == (date(2026, 3, 17), date(2026, 3, 17), late)


def test_days_of_a_list() -> None:
    day = date(2026, 3, 16)
    assert [*rules.days_of(None, day), *rules.days_of(day, None), *rules.days_of(day, day)] == []
    assert list(rules.days_of(day, day - timedelta(days=1))) != []


@pytest.mark.parametrize("name", ["a/b", ".", "..", "/"])
def test_names_that_no_path_has(name: str) -> None:
    check_name("a.b ..")
    with pytest.raises(LedgerBeeError):
        check_name(name)


def test_unique_keys() -> None:
    check_unique_key(Aggregation.UNIQUE_COUNT, "user")
    check_unique_key(Aggregation.SUM, None)
    for aggregation in (None, Aggregation.SUM):
        with pytest.raises(LedgerBeeError):
            check_unique_key(aggregation, "user")
