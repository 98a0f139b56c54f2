"""Which days a backfill may be of, which events it takes, and what a preview shows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ledgerbee.billing.backfills import rules
from ledgerbee.billing.backfills.model import MAX_DAYS, Backfill, BackfillId, BilledUsage
from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.timelines.model import Span
from ledgerbee.billing.usage.model import NewUsage
from ledgerbee.core.ids import new_id

TODAY = date(2026, 3, 16)
NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
METER, CUSTOMER = new_id(), new_id()


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "constraints"),
    [
        (TODAY, TODAY, []),
        (TODAY - timedelta(days=MAX_DAYS - 1), TODAY, []),
        (TODAY - timedelta(days=MAX_DAYS), TODAY, ["maxDate"]),
        (TODAY, TODAY - timedelta(days=1), ["minDate"]),
        (TODAY, TODAY + timedelta(days=1), ["maxDate"]),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=1), ["minDate", "maxDate"]),
    ],
)
def test_days(starts_on: date, ends_on: date, constraints: list[str]) -> None:
    found = list(rules.problems_of_days(starts_on, ends_on, TODAY))
    assert [(name, constraint) for name, constraint, _ in found] == [("to", one) for one in constraints]


def event(day: date = TODAY, **ids: object) -> NewUsage:
    whose = {"meter_id": METER, "customer_id": CUSTOMER, **ids}
    return NewUsage(
        id=new_id(), key="k", body_hash=b"", named_subscription_id=None, day=day, occurred_at=NOW, value=Decimal(1),
        metadata=None, received_at=NOW, received_on=TODAY, **whose,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("customer_id", [None, CUSTOMER])
def test_events_are_of_its_meter_its_customer_and_its_days(customer_id: object) -> None:
    backfill = Backfill(
        id=BackfillId(new_id()), meter_id=METER, customer_id=customer_id, starts_on=TODAY - timedelta(days=2),  # type: ignore[arg-type]
        ends_on=TODAY, opened_at=NOW, created_at=NOW,
    )  # fmt: skip

    def wrong(usage: NewUsage) -> str | None:
        fault = rules.fault_in(backfill, usage)
        return None if fault is None else str(fault.details["validationErrors"][0]["property"])

    assert wrong(event()) is None
    assert wrong(event(TODAY - timedelta(days=2))) is None
    assert wrong(event(TODAY - timedelta(days=3))) == "timestamp"
    assert wrong(event(TODAY + timedelta(days=1))) == "timestamp"
    assert wrong(event(meter_id=new_id())) == "meterId"
    assert wrong(event(customer_id=new_id())) == (None if customer_id is None else "customerId")


def test_a_period_is_what_was_billed_and_what_would_have_been() -> None:
    span = Span(date(2026, 2, 1), date(2026, 3, 1))

    def charge(kind: ChargeKind, events: int, quantity: str, net: str) -> Charge:
        return Charge(
            id=new_id(), subscription_id=CUSTOMER, price_id=METER, kind=kind, period=span, service=span,
            quantity=Decimal(quantity), period_amount=Decimal(net), net=Decimal(net), events=events,
        )  # fmt: skip

    billed = [charge(ChargeKind.USAGE, 2, "15", "30"), charge(ChargeKind.USAGE_DIFFERENCE, 1, "1", "2")]
    found = rules.period_of(billed, [charge(ChargeKind.USAGE_DIFFERENCE, -1, "-6", "-12")], "DKK")
    assert (found.starts_on, found.ends_on, found.currency) == (span.start, span.end, "DKK")
    assert found.before == BilledUsage(3, Decimal(16), Decimal(32))
    assert found.after == BilledUsage(2, Decimal(10), Decimal(20))
