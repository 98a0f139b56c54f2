"""Subscriptions that begin when their first invoice is paid: the edges of `awaiting_payment`, and what waits so."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.billing.chains import ADVANCE, ARREARS, NOW, Life, day, of_price, plan, price, subscribed, usage_price

from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_INVALID_STATE,
    ChangeStatus,
    ChangeType,
    FirstPayment,
    NewSubscription,
    PaymentBehavior,
    SubscriptionStatus,
)
from ledgerbee.billing.subscriptions.rules import (
    advance,
    awaiting,
    check_paid_for,
    is_at_once,
    new_chain,
    pay_first_problems,
    status_on,
)
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.rules.groups import moments
from ledgerbee.billing.subscriptions.rules.metering import metered_spans
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id

AWAITING, ACTIVE, CANCELLED, EXPIRED = (
    SubscriptionStatus.AWAITING_PAYMENT, SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLED,
    SubscriptionStatus.EXPIRED,
)  # fmt: skip
PAID, CHARGING, AWAITED, DECLINED = (
    FirstPayment.PAID,
    FirstPayment.CHARGING,
    FirstPayment.AWAITED,
    FirstPayment.DECLINED,
)


def paying_first(life: Life) -> Life:
    """The same, to be paid for before it begins."""
    life.chain = replace(life.chain, subscription=replace(life.subscription, awaits_payment=True))
    return life


def billed(life: Life, on: str = "02-01") -> Life:
    """What waits for the payment of the invoice of a day."""
    after = paying_first(life).run(on)
    assert len(after.bills) == 1
    life.chain = replace(life.chain, subscription=awaiting(life.subscription, new_id(), day(on)))
    return life


def look(life: Life, on: str, payment: FirstPayment) -> Advanced:
    """A run that finds the payment so."""
    life.chain = replace(life.chain, first_payment=payment)
    return life.run(on)


def cancelled(life: Life, on: str, payment: FirstPayment = AWAITED) -> Advanced:
    """A cancellation that is given on a day."""
    change = life.change(ChangeType.CANCEL, on, refundBehavior="last_invoice")
    chain = replace(life.chain, first_payment=payment)
    return advance(chain, life.facts, day(on), NOW, life.meter.count, at_most=0, given=[change.id])


@pytest.mark.parametrize(
    ("on", "payment", "status", "topics"),
    [
        ("02-01", CHARGING, AWAITING, []),
        ("02-07", AWAITED, AWAITING, []),
        ("02-08", AWAITED, EXPIRED, ["error", "churned"]),
        ("02-08", CHARGING, AWAITING, []),
        ("02-20", CHARGING, AWAITING, []),
        ("02-01", DECLINED, EXPIRED, ["churned"]),
        ("02-01", PAID, ACTIVE, ["started"]),
        ("02-08", PAID, ACTIVE, ["started"]),
    ],
)
def test_what_becomes_of_it(on: str, payment: FirstPayment, status: SubscriptionStatus, topics: list[str]) -> None:
    life = billed(of_price("100", "02-01"))
    after = look(life, on, payment)
    assert (status_on(life.subscription, day(on)), [event.topic for event in after.events]) == (status, topics)
    assert after.bills == ()
    assert after.gives_up_first is (status is EXPIRED)
    assert life.subscription.next_run_on == {AWAITING: day("02-01"), ACTIVE: day("03-01"), EXPIRED: None}[status]


def test_nothing_is_billed_while_it_waits_and_all_that_fell_due_once_it_is_paid() -> None:
    life = billed(of_price("100", "02-01"))
    for on in ("02-05", "03-01", "04-02"):
        assert look(life, on, CHARGING).bills == ()
    assert [bill.on for bill in look(life, "04-02", PAID).bills] == [day("03-01"), day("04-01")]
    assert life.topics == ["started"]


def test_it_is_billed_on_its_first_day_and_no_earlier() -> None:
    life = paying_first(of_price("100", "02-01"))
    assert life.run("01-31").bills == ()
    assert (life.topics, status_on(life.subscription, day("01-31"))) == ([], SubscriptionStatus.SCHEDULED)
    assert life.run("02-03", at_most=0).bills == ()
    assert [bill.on for bill in life.run("02-03").bills] == [day("02-01")]
    assert (life.topics, status_on(life.subscription, day("02-03"))) == ([], AWAITING)
    assert list(moments(life.chain)) == []


def test_where_nothing_is_to_be_paid_it_begins_at_once() -> None:
    given_away = paying_first(of_price("100", "02-10", anchor="02-01"))
    late = paying_first(of_price("100", "02-01", direction=ARREARS))
    nothing = usage_price()
    metered = paying_first(subscribed(plan(nothing), [nothing], "02-01", direction=ADVANCE))
    for life, on in ((given_away, "02-10"), (late, "02-01"), (metered, "02-01")):
        life.run(on)
        assert (life.topics, status_on(life.subscription, day(on)), life.paid) == (["started"], ACTIVE, [])
        assert life.subscription.first_invoice_id is None


def test_it_waits_no_longer_than_it_was_to_last() -> None:
    life = billed(of_price("100", "02-01", ends_on="02-04"))
    assert life.subscription.pay_by == day("02-04")
    assert billed(of_price("100", "02-01")).subscription.pay_by == day("02-01") + timedelta(days=7)
    look(life, "02-04", AWAITED)
    assert status_on(life.subscription, day("02-04")) is EXPIRED


@pytest.mark.parametrize("has_invoice", [True, False])
def test_a_cancellation_ends_it_without_a_day(has_invoice: bool) -> None:
    life = billed(of_price("100", "02-01")) if has_invoice else paying_first(of_price("100", "02-01"))
    waiting = life.change(ChangeType.PAUSE, "02-20")
    after = cancelled(life, "02-03")
    subscription = after.chain.subscription
    assert status_on(subscription, day("02-03")) is CANCELLED
    assert (subscription.ends_on, after.chain.timeline, after.bills) == (day("02-01"), (), ())
    assert (after.gives_up_first, after.refund_behavior) == (has_invoice, None)
    assert [event.topic for event in after.events] == ["churned"]
    assert {one.type: one.status for one in after.changes} == {
        waiting.type: ChangeStatus.CANCELLED, ChangeType.CANCEL: ChangeStatus.APPLIED,
    }  # fmt: skip


def test_a_cancellation_of_one_that_was_paid_meanwhile_is_one_like_any_other() -> None:
    after = cancelled(billed(of_price("100", "02-01")), "02-03", PAID)
    assert (after.chain.subscription.ends_on, after.gives_up_first) == (day("02-03"), False)
    assert [event.topic for event in after.events] == ["started", "churned"]


def test_changes_wait_with_it() -> None:
    life = billed(of_price("100", "02-01"))
    pause = life.change(ChangeType.PAUSE, "02-03")
    assert look(life, "02-04", AWAITED).changes == ()
    assert [one.id for one in look(life, "02-04", PAID).changes] == [pause.id]
    assert life.topics == ["started", "paused"]


def test_what_was_changed_before_its_first_day_is_what_it_begins_with() -> None:
    first, second = price("100"), price("50")
    life = paying_first(subscribed(plan(first, second), [first, second], "02-01"))
    life.change(ChangeType.EDIT_PRODUCTS, "02-01", products=[{"priceId": str(second.id), "quantity": "0"}])
    life.change(ChangeType.PAUSE, "02-20")
    (bill,) = life.run("02-01").bills
    assert [charge.net for charge in bill.charges] == [100]
    assert [one.type for one in life.chain.changes] == [ChangeType.PAUSE]


def test_nothing_is_used_before_it_is_paid_for() -> None:
    once, metered = price("100"), usage_price("2")
    life = billed(subscribed(plan(once, metered), [once, metered], "02-01"))
    assert list(metered_spans(life.chain, life.facts)) == []
    look(life, "02-02", PAID)
    assert [span.starts_on for span in metered_spans(life.chain, life.facts)] == [day("02-01")]


def test_while_it_waits_it_is_only_cancelled_and_at_once() -> None:
    life = billed(of_price("100", "02-01"))
    with pytest.raises(LedgerBeeError) as refused:
        check_paid_for(life.subscription, day("02-02"))
    assert (refused.value.error_code, refused.value.details) == (
        SUBSCRIPTION_INVALID_STATE, {"status": "awaiting_payment"},
    )  # fmt: skip
    assert is_at_once(life.chain, day("03-01"), day("02-02"))
    check_paid_for(life.subscription, day("01-31"))
    assert not is_at_once(of_price("100", "02-01").chain, day("03-01"), day("02-02"))


def asked(**fields: Any) -> NewSubscription:
    usual = {"payment_behavior": PaymentBehavior.PAY_FIRST, "payment_method_id": new_id(), "automatic_billing": True}
    return NewSubscription(
        **{"customer_id": new_id(), "plan_id": new_id(), "start_date": day("02-01"), **usual, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, []),
        ({"trial_days": 0, "start_date": day("03-01")}, []),
        ({"automatic_billing": False}, ["automaticBilling"]),
        ({"payment_method_id": None}, ["paymentMethodId"]),
        ({"billing_direction": ARREARS}, ["billingDirection"]),
        ({"trial_days": 1}, ["trialDays"]),
        ({"start_date": day("01-31")}, ["startDate"]),
        ({"payment_behavior": PaymentBehavior.DEFAULT, "trial_days": 1, "automatic_billing": False}, []),
    ],
)
def test_what_goes_with_being_paid_for_first(fields: dict[str, Any], wrong: list[str]) -> None:
    assert [name for name, _, _ in pay_first_problems(asked(**fields), day("02-01"))] == wrong


def test_a_plans_trial_has_to_be_left_out() -> None:
    life = of_price("100", "02-01")
    basis = replace(next(iter(life.facts.plans.values())), trial_days=14)
    items = life.chain.versions[0].terms.items
    with pytest.raises(LedgerBeeError):
        new_chain(asked(), basis, items, life.facts, day("02-01"), NOW)
    chain = new_chain(asked(trial_days=0), basis, items, life.facts, day("02-01"), NOW)
    assert (status_on(chain.subscription, day("02-01")), chain.subscription.next_run_on) == (AWAITING, day("02-01"))
