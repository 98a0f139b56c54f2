"""MRR by what holds on a day, its movements for any months, and how it goes with what was invoiced."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.billing.chains import (
    ARREARS,
    AT_ONCE,
    DAY,
    GIVEN_AWAY,
    MONTH,
    NEXT_INVOICE,
    ONE_TIME,
    WEEK,
    YEAR,
    Life,
    day,
    plan,
    price,
    subscribed,
    usage_price,
)
from tests.unit.billing.test_subscription_advancing_rules import FIRST, LENGTH, Story, stories

from ledgerbee.billing.charges.model import ChargeKind
from ledgerbee.billing.metrics.model import (
    MAX_MONTHS,
    SIGNS,
    AgreedChain,
    Measured,
    MonthMrr,
    Movement,
    Reason,
    Reconciliation,
    RevenueCharge,
)
from ledgerbee.billing.metrics.rules import (
    Measurement,
    PeriodAmounts,
    Reconciling,
    check_range,
    customers_of,
    figures,
    month_ends,
    movement_of,
    shown,
)
from ledgerbee.billing.subscriptions.model import ChangeType
from ledgerbee.billing.timelines.model import Cadence, Grid, Item, Segment, Terms, Timeline
from ledgerbee.billing.timelines.rules import segment_on
from ledgerbee.catalog.prices.model import BillingInterval, Price, PricingModel, Tier
from ledgerbee.core.dates import last_of_month
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, round_fraction
from ledgerbee.core.paging import PageRequest

D = Decimal
TODAY = day("2027-06-15")
BASIS, SEATS = price("49"), price("15")
TIERED = price(tiers=[Tier(D(10), D(5), ZERO), Tier(None, D(3), ZERO)], model=PricingModel.GRADUATED)
EURO = replace(price("100"), currency="EUR")
LESS = price("-20")
ALL: dict[UUID, Price] = {one.id: one for one in (BASIS, SEATS, TIERED, EURO, LESS)}
MONTHLY_CADENCE = Cadence(MONTH, 1)
DAYS_OF_TEST = st.integers(0, 400).map(lambda number: day("2026-01-01") + timedelta(days=number))


def terms(*items: tuple[Price, str], cadence: Cadence = MONTHLY_CADENCE, is_paused: bool = False) -> Terms:
    return Terms(
        plan_id=UUID(int=1),
        plan_version=1,
        grid=Grid.from_anchor(cadence, day("2026-01-01")),
        direction=ARREARS,
        items=tuple(Item(one.id, D(quantity)) for one, quantity in items),
        is_paused=is_paused,
    )


def chain(timeline: Timeline, customer: UUID | None = None, currency: str = "DKK", discount: str = "0") -> AgreedChain:
    return AgreedChain(
        id=new_id(),
        customer_id=customer or new_id(),
        currency=currency,
        discount_percent=D(discount),
        billed_until=day("2026-01-01"),
        timeline=timeline,
    )


def held(
    start: str, end: str | None, *items: tuple[Price, str], is_trial: bool = False, is_paused: bool = False
) -> Segment:
    """Days on which a subscription has these prices."""
    return Segment(day(start), None if end is None else day(end), terms(*items, is_paused=is_paused), is_trial)


def amounts(prices: Mapping[UUID, Price] = ALL) -> PeriodAmounts:
    return PeriodAmounts(lambda _: prices)


def measure(
    chains: Iterable[AgreedChain], first: str, last: str | None = None, rates: Mapping[str, str] | None = None
) -> Measured:
    """Customers at the ends of months; another currency has one rate, whatever the day."""
    days = month_ends(day(f"{first}-01"), day(f"{last or first}-01"), TODAY)
    measurement = Measurement(days, amounts())
    for one in chains:
        measurement.add(one)
    factors = {(code, place): Fraction(D((rates or {}).get(code, "1"))) for code, place in measurement.rates_needed()}
    scale, standings = measurement.standings(factors)
    return Measured(currency="DKK", days=days, scale=scale, standings=standings)


def month(chains: Iterable[AgreedChain], name: str, rates: Mapping[str, str] | None = None) -> MonthMrr:
    """The figures of a month, which add up."""
    return months(chains, name, rates=rates)[0]


def months(
    chains: Iterable[AgreedChain], first: str, last: str | None = None, rates: Mapping[str, str] | None = None
) -> list[MonthMrr]:
    found = [shown(one, "DKK") for one in figures(measure(chains, first, last, rates))]
    for one in found:
        check_sums(one)
    return found


def check_sums(one: MonthMrr) -> None:
    """Opening + new + reactivation + expansion - contraction - churn = closing."""
    assert one.opening + sum(amount * SIGNS[movement] for movement, amount in one.movements.items()) == one.mrr
    assert set(one.movements) == set(SIGNS) == set(Movement) - {Movement.NONE}


def moves(one: MonthMrr) -> dict[str, str]:
    return {movement.value: f"{amount}" for movement, amount in one.movements.items() if amount}


# What counts


@pytest.mark.parametrize(
    ("segments", "mrr"),
    [
        pytest.param([held("01-01", None, (BASIS, "1"))], "49.00", id="active, or past due"),
        pytest.param([held("01-01", None, (BASIS, "1"), is_trial=True)], "0.00", id="trial"),
        pytest.param([held("01-01", None, (BASIS, "1"), is_paused=True)], "0.00", id="paused"),
        pytest.param([held("04-01", None, (BASIS, "1"))], "0.00", id="scheduled"),
        pytest.param([held("03-31", None, (BASIS, "1"))], "49.00", id="starts on the month's last day"),
        pytest.param([held("01-01", "04-01", (BASIS, "1"))], "49.00", id="its last day is the month's"),
        pytest.param([held("01-01", "03-31", (BASIS, "1"))], "0.00", id="its last day was the one before"),
        pytest.param([], "0.00", id="cancelled before its first day"),
        pytest.param([held("01-01", None, (SEATS, "77"))], "1155.00", id="77 seats x 15"),
        pytest.param([held("01-01", None, (TIERED, "12"))], "56.00", id="tiers by quantity"),
        pytest.param(
            [held("01-01", "03-10", (BASIS, "1"), is_trial=True), held("03-10", None, (BASIS, "1"))],
            "49.00",
            id="after the trial",
        ),
    ],
)
def test_what_counts_is_what_holds_on_the_last_day(segments: list[Segment], mrr: str) -> None:
    assert f"{month([chain(tuple(segments))], '2026-03').mrr}" == mrr


def test_six_payers_are_294_and_eight_trials_nothing() -> None:
    """B17: five active and one past due at 49."""
    payers = [chain((held("01-01", None, (BASIS, "1")),)) for _ in range(6)]
    trials = [chain((held("03-20", None, (BASIS, "1"), is_trial=True),)) for _ in range(8)]
    found = month([*payers, *trials], "2026-03")
    assert (f"{found.mrr}", f"{found.arr}", found.customers, found.trial_customers) == ("294.00", "3528.00", 6, 8)
    assert f"{found.arpa}" == "49.00"
    # Subscriptions that have the very same are as many.
    same = held("01-01", None, (SEATS, "2"))
    assert f"{month([chain((same,)), chain((same,)), chain((same,), discount='50')], '2026-03').mrr}" == "75.00"
    # Who has a trial beside what is paid is no customer on trial.
    both = chain((held("03-20", None, (BASIS, "1"), is_trial=True),), payers[0].customer_id)
    assert month([*payers, both], "2026-03").trial_customers == 0
    paused = chain((held("03-20", None, (BASIS, "1"), is_trial=True, is_paused=True),))
    assert month([paused], "2026-03").trial_customers == 0


@pytest.mark.parametrize(
    ("amount", "interval", "count", "mrr"),
    [
        ("1200", YEAR, 1, "100.00"), ("1000", YEAR, 1, "83.33"), ("2400", YEAR, 2, "100.00"),
        ("300", MONTH, 3, "100.00"), ("12", WEEK, 1, "52.00"), ("12", WEEK, 2, "26.00"),
        ("1", DAY, 1, "30.42"), ("30", DAY, 30, "30.42"),
    ],
)  # fmt: skip
def test_amounts_are_made_monthly(amount: str, interval: BillingInterval, count: int, mrr: str) -> None:
    only = price(amount, interval, count)
    once, usage = price("500", kind=ONE_TIME), usage_price("3")
    known: dict[UUID, Price] = {one.id: one for one in (only, once, usage)}
    held_terms = terms((only, "1"), (once, "1"), (usage, "1"), cadence=Cadence(interval, count))
    days = month_ends(day("2026-03-01"), day("2026-03-01"), TODAY)
    measurement = Measurement(days, amounts(known))
    measurement.add(chain((Segment(day("01-01"), None, held_terms, is_trial=False),)))
    scale, standings = measurement.standings({("DKK", place): Fraction(1) for place in (0, 1)})
    (found,) = figures(Measured(currency="DKK", days=days, scale=scale, standings=standings))
    assert f"{shown(found, 'DKK').mrr}" == mrr
    # A year's price is exactly twelve months of it, whatever a month is rounded to.
    assert f"{shown(found, 'DKK').arr}" == f"{round_fraction(found.closing * 12, 2)}"


def test_discount_and_rate_of_the_month_end_apply() -> None:
    mine = new_id()
    chains = [
        chain((held("01-01", None, (BASIS, "1")),), mine, discount="10"),
        chain((held("01-01", None, (EURO, "1")),), mine, "EUR", "10"),
    ]
    found = month(chains, "2026-03", rates={"EUR": "7.46"})
    assert (f"{found.mrr}", found.customers) == ("715.50", 1)
    days = month_ends(day("2026-03-01"), day("2026-03-01"), TODAY)
    measurement = Measurement(days, amounts())
    for one in chains:
        measurement.add(one)
    rates = {("DKK", 0): Fraction(1), ("DKK", 1): Fraction(1), ("EUR", 0): Fraction(7), ("EUR", 1): Fraction("7.5")}
    scale, standings = measurement.standings(rates)
    (of_month,) = figures(Measured(currency="DKK", days=days, scale=scale, standings=standings))
    assert moves(shown(of_month, "DKK")) == {"expansion": "45.00"}


# Movements


@pytest.mark.parametrize(
    ("before", "now", "was_active", "movement"),
    [
        (0, 5, False, Movement.NEW), (0, 5, True, Movement.REACTIVATION), (5, 7, True, Movement.EXPANSION),
        (7, 5, True, Movement.CONTRACTION), (5, 0, True, Movement.CHURN), (5, 5, True, Movement.NONE),
        (0, 0, False, Movement.NONE), (-2, 5, False, Movement.NEW), (5, -2, True, Movement.CHURN),
        (-5, -2, False, Movement.EXPANSION), (0, -2, False, Movement.CONTRACTION),
    ],
)  # fmt: skip
def test_a_movement_is_what_became_of_a_customer(before: int, now: int, was_active: bool, movement: Movement) -> None:
    assert movement_of(before, now, was_active=was_active) is movement


def test_who_comes_back_is_new_only_once() -> None:
    """Also in another subscription, and also where months lie between; by the ends of months, like everything else."""
    mine, brief = new_id(), new_id()
    chains = [
        chain((held("01-10", "02-10", (BASIS, "1")),), mine),
        chain((held("05-01", "06-30", (SEATS, "1")), held("06-30", "08-01", (SEATS, "2"))), mine),
        chain((held("09-02", None, (SEATS, "1")),), mine),
        chain((held("01-03", "01-20", (BASIS, "1")),), brief),
        chain((held("03-05", None, (BASIS, "1")),), brief),
    ]
    expected = {
        "2026-01": {"new": "49.00"}, "2026-02": {"churn": "49.00"}, "2026-03": {"new": "49.00"}, "2026-04": {},
        "2026-05": {"reactivation": "15.00"}, "2026-06": {"expansion": "15.00"}, "2026-07": {},
        "2026-08": {"churn": "30.00"}, "2026-09": {"reactivation": "15.00"},
    }  # fmt: skip
    assert {name: moves(month(chains, name)) for name in expected} == expected
    assert [moves(one) for one in months(chains, "2026-01", "2026-09")] == list(expected.values())
    february = month([*chains, chain((held("01-01", None, (SEATS, "2")),))], "2026-02")
    assert (f"{february.churn_rate}", f"{february.net_revenue_retention}") == ("0.620253", "0.379747")
    april = month(chains, "2026-04")
    assert april.opening
    assert (f"{april.churn_rate}", f"{april.net_revenue_retention}") == ("0.000000", "1.000000")
    january = month(chains, "2026-01")
    assert january.churn_rate is january.net_revenue_retention is None


def test_who_ended_before_is_asked_for_where_it_matters() -> None:
    """Only of those who have MRR now and had none before, as far as what was added says."""
    new, back, paused, stays = (new_id() for _ in range(4))
    days = month_ends(day("2026-05-01"), day("2026-05-01"), TODAY)
    measurement = Measurement(days, amounts())
    measurement.add(chain((held("05-02", None, (BASIS, "1")),), new))
    measurement.add(chain((held("05-02", None, (BASIS, "1")),), back))
    measurement.add(
        chain((
            held("02-01", "04-01", (BASIS, "1")), held("04-01", "05-10", (BASIS, "1"), is_paused=True),
            held("05-10", None, (BASIS, "1")),
        ), paused)
    )  # fmt: skip
    measurement.add(chain((held("01-01", None, (BASIS, "1")),), stays))
    measurement.add(chain((held("05-02", None, (EURO, "1")),), stays, "EUR"))
    assert measurement.newcomers() == {new, back}
    measurement.add(chain((held("01-31", "02-01", (BASIS, "1")),), back))
    assert measurement.newcomers() == {new}


def test_customers_are_listed_from_the_highest() -> None:
    high, low, gone, never = (new_id() for _ in range(4))
    measured = measure(
        [
            chain((held("01-01", None, (SEATS, "9")),), high),
            chain((held("03-05", None, (SEATS, "2")),), low),
            chain((held("01-01", "03-05", (SEATS, "5")),), gone),
            chain((held("01-01", None, (SEATS, "5"), is_trial=True),), never),
        ],
        "2026-03",
    )
    page = customers_of(measured, None, PageRequest())
    assert [(one.customer_id, int(one.now), int(one.before), one.movement.value) for one in page.rows] == [
        (high, 135, 135, "none"), (low, 30, 0, "new"), (gone, 0, 75, "churn"),
    ]  # fmt: skip
    second = customers_of(measured, None, PageRequest(page=2, limit=2))
    assert ([one.customer_id for one in second.rows], second.total) == ([gone], 3)
    churned = customers_of(measured, Movement.CHURN, PageRequest())
    assert ([one.customer_id for one in churned.rows], churned.total) == ([gone], 1)


def segments_of(days: Sequence[date], states: Sequence[tuple[int, bool, bool]]) -> Timeline:
    """A timeline that changes on days; a state is how many seats, and whether it is a trial or a pause."""
    found = []
    for (start, end), (seats, is_trial, is_paused) in zip(pairwise(days), states, strict=False):
        items = ((SEATS, f"{seats}"), (LESS, "1")) if seats % 3 == 2 else ((SEATS, f"{seats}"),)
        found.append(Segment(start, end, terms(*items, is_paused=is_paused), is_trial))
    return tuple(found)


TIMELINES = st.builds(
    lambda days, states: segments_of(sorted(set(days)), states),
    st.lists(DAYS_OF_TEST, min_size=2, max_size=7),
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([False, False, True]), st.sampled_from([False, False, True])),
        min_size=6,
        max_size=6,
    ),
)
CUSTOMERS = [UUID(int=number) for number in range(1, 5)]
COMPANIES = st.lists(
    st.builds(chain, TIMELINES, st.sampled_from(CUSTOMERS), st.just("DKK"), st.sampled_from(["0", "33.3333"])),
    max_size=7,
)


def by_hand(chains: Sequence[AgreedChain], on: date) -> dict[UUID, Fraction]:
    """Each customer's MRR on a day, one day looked at by itself."""
    found = dict.fromkeys(CUSTOMERS, Fraction(0))
    for one in chains:
        segment = segment_on(one.timeline, on)
        if segment is not None and segment.is_billed:
            for item in segment.terms.items:
                unit = Fraction(ALL[item.price_id].unit_amount or 0)
                found[one.customer_id] += unit * Fraction(item.quantity) * (100 - Fraction(one.discount_percent)) / 100
    return found


@settings(max_examples=60)
@given(COMPANIES, st.integers(0, 14), st.integers(0, 5), st.randoms(use_true_random=False))
def test_movements_lead_from_one_month_to_the_next(
    chains: list[AgreedChain], first: int, more: int, random: Random
) -> None:
    """For any months, whatever order customers come in; a month by itself is what it is in a series."""
    names = [f"{2026 + number // 12}-{number % 12 + 1:02d}" for number in range(first, min(first + more, 16) + 1)]
    found = months(chains, names[0], names[-1])
    shuffled = list(chains)
    random.shuffle(shuffled)
    assert months(shuffled, names[0], names[-1]) == found
    for name, one, before in zip(names, found, [None, *found], strict=False):
        assert month(chains, name) == one
        assert before is None or before.mrr == one.opening
        check_by_hand(chains, one)


def check_by_hand(chains: Sequence[AgreedChain], one: MonthMrr) -> None:
    ends = month_ends(day("2026-01-01"), one.month, TODAY)
    by_day = [by_hand(chains, on) for on in ends]
    opening, closing = by_day[-2], by_day[-1]
    moved = dict.fromkeys(SIGNS, Fraction(0))
    for customer in CUSTOMERS:
        before, now = opening[customer], closing[customer]
        had = any(amount[customer] > 0 for amount in by_day[:-2])
        if before <= 0 < now and not (had or _any_part(chains, customer, ends[:-2])):
            moved[Movement.NEW] += now - before
        elif before <= 0 < now:
            moved[Movement.REACTIVATION] += now - before
        elif now <= 0 < before:
            moved[Movement.CHURN] += before - now
        elif now != before:
            moved[Movement.EXPANSION if now > before else Movement.CONTRACTION] += abs(now - before)
    whole = sum(opening.values(), Fraction(0))
    assert one.mrr == round_fraction(sum(closing.values(), Fraction(0)), 2)
    assert all(abs(Fraction(one.movements[movement]) - amount) < Fraction(1, 100) for movement, amount in moved.items())
    assert one.customers == sum(amount > 0 for amount in closing.values())
    lost = moved[Movement.CHURN] + moved[Movement.CONTRACTION]
    retained = whole + moved[Movement.EXPANSION] - lost
    assert one.churn_rate == (round_fraction(moved[Movement.CHURN] / whole, 6) if whole > 0 else None)
    assert one.net_revenue_retention == (round_fraction(retained / whole, 6) if whole > 0 else None)


def _any_part(chains: Sequence[AgreedChain], customer: UUID, ends: Sequence[date]) -> bool:
    """Whether one of a customer's subscriptions had something at one of these ends, whatever others took off it."""
    return any(by_hand([one], on)[customer] > 0 for one in chains for on in ends if one.customer_id == customer)


def test_a_month_has_begun_and_a_series_has_an_end() -> None:
    assert month_ends(day("2027-06-01"), day("2027-06-01"), TODAY) == [day("2027-05-31"), TODAY]
    assert month_ends(day("2027-04-01"), day("2027-05-01"), TODAY) == [
        day("2027-03-31"), day("2027-04-30"), day("2027-05-31"),
    ]  # fmt: skip
    for first, last, name in (
        ("2027-07-01", "2027-07-01", "to"), ("2027-06-01", "2027-05-01", "from"), ("2022-06-01", "2027-06-01", "from"),
    ):  # fmt: skip
        with pytest.raises(LedgerBeeError) as refused:
            check_range(day(first), day(last), TODAY)
        assert [one["property"] for one in refused.value.details["validationErrors"]] == [name]
    check_range(day("2022-07-01"), day("2027-06-01"), TODAY)
    assert MAX_MONTHS == 60
    with pytest.raises(LedgerBeeError):
        month_ends(day("2027-07-01"), day("2027-07-01"), TODAY)


# Reconciliation


def charges_of(life: Life, credited: Mapping[UUID, str] | None = None, rate: str = "1") -> list[RevenueCharge]:
    """The charges of a subscription, as documents at one rate have them; `credited` by others, by the charge."""
    return [
        RevenueCharge(
            subscription_id=one.subscription_id,
            price_id=one.price_id,
            period=one.period,
            service=one.service,
            quantity=one.quantity,
            period_amount=one.period_amount,
            discount_percent=one.discount_percent,
            net=one.net,
            credits_charge_id=one.credits_charge_id,
            waits=one.waits,
            base_net=ZERO if one.waits else one.net * D(rate),
            credited=D((credited or {}).get(one.id, "0")),
            base_credited=D((credited or {}).get(one.id, "0")) * D(rate),
        )
        for one in life.chain.charges
        if one.kind in {ChargeKind.RECURRING, ChargeKind.PRORATION}
    ]


def agreed(life: Life, discount: str | None = None) -> AgreedChain:
    subscription = life.subscription
    return AgreedChain(
        id=subscription.id,
        customer_id=subscription.customer_id,
        currency=subscription.currency,
        discount_percent=life.facts.discount_percent if discount is None else D(discount),
        billed_until=subscription.billed_until,
        timeline=life.chain.timeline,
    )


def reconcile(
    life: Life,
    as_of: str | date,
    credited: Mapping[UUID, str] | None = None,
    *,
    discount: str | None = None,
    booked_at: str = "1",
    rate: str = "1",
) -> Reconciliation:
    """A month of one subscription, which adds up."""
    on = day(as_of) if isinstance(as_of, str) else as_of
    reconciling = Reconciling(on, PeriodAmounts(lambda _: life.facts.prices))
    first = on.replace(day=1)
    charges = [
        one
        for one in charges_of(life, credited, booked_at)
        if one.service.start <= last_of_month(on) and one.service.end > first
    ]
    reconciling.add(agreed(life, discount), charges)
    rates = dict.fromkeys(reconciling.currencies, Fraction(D(rate)))
    found = reconciling.result(rates, "DKK")
    up_to = found.reasons[Reason.CALENDAR] + found.reasons[Reason.CHANGES]
    assert found.mrr + up_to == found.agreed
    assert found.mrr + sum(found.reasons.values()) == found.invoiced
    return found


def why(found: Reconciliation) -> dict[str, str]:
    reasons = {reason.value: f"{amount}" for reason, amount in found.reasons.items() if amount}
    return {"mrr": f"{found.mrr}", "agreed": f"{found.agreed}", "invoiced": f"{found.invoiced}"} | reasons


MONTHLY, LARGER = price("310"), price("620")
MONTHLY_PLAN, LARGER_PLAN = plan(MONTHLY), plan(LARGER)


def of(start: str, mode: object = NEXT_INVOICE, **others: object) -> Life:
    return subscribed(MONTHLY_PLAN, [MONTHLY, LARGER], start, mode, others=[LARGER_PLAN], **others)  # type: ignore[arg-type]


def test_a_whole_month_is_what_was_invoiced() -> None:
    life = of("01-01")
    life.run("01-01")
    assert why(reconcile(life, "01-31")) == {"mrr": "310.00", "agreed": "310.00", "invoiced": "310.00"}
    # Nothing is there before and after.
    assert why(reconcile(life, "2025-12-31")) == {"mrr": "0.00", "agreed": "0.00", "invoiced": "0.00"}
    assert why(reconcile(life, "02-28")) == {
        "mrr": "310.00", "agreed": "310.00", "invoiced": "0.00", "not_invoiced": "-310.00",
    }  # fmt: skip


def test_subscriptions_of_a_month_add_up() -> None:
    life = of("01-11", anchor="01-01")
    life.run("02-01")
    reconciling = Reconciling(day("01-31"), PeriodAmounts(lambda _: life.facts.prices))
    for currency in ("DKK", "DKK", "EUR"):
        reconciling.add(replace(agreed(life), currency=currency), charges_of(life)[:1])
    assert reconciling.currencies == ["DKK", "EUR"]
    found = reconciling.result({"DKK": Fraction(1), "EUR": Fraction(7)}, "DKK")
    # Documents booked what they did, whatever the rate is at the month's end.
    assert why(found) == {
        "mrr": "2790.00", "agreed": "1890.00", "invoiced": "630.00", "changes": "-900.00", "exchange_rates": "-1260.00",
    }  # fmt: skip


def test_a_year_is_earned_by_days() -> None:
    yearly = price("3650", YEAR)
    life = subscribed(plan(yearly, interval=YEAR), [yearly], "01-01")
    life.run("01-01")
    assert why(reconcile(life, "01-31")) == {
        "mrr": "304.17", "agreed": "310.00", "invoiced": "310.00", "calendar": "5.83",
    }  # fmt: skip
    # In the running month what is agreed by now counts for the days to come.
    assert why(reconcile(life, "02-10")) == {
        "mrr": "304.17", "agreed": "280.00", "invoiced": "280.00", "calendar": "-24.17",
    }  # fmt: skip


def test_partial_periods_are_charged_or_given_away() -> None:
    charged, given = of("01-11", anchor="01-01"), of("01-11", GIVEN_AWAY, anchor="01-01")
    charged.run("01-11")
    given.run("01-11")
    stub = {"mrr": "310.00", "agreed": "210.00", "changes": "-100.00"}
    # It waits for the next regular invoice.
    assert why(reconcile(charged, "01-31")) == stub | {"invoiced": "0.00", "not_invoiced": "-210.00"}
    assert why(reconcile(given, "01-31")) == stub | {"invoiced": "0.00", "given_away": "-210.00"}
    charged.run("02-01")
    assert why(reconcile(charged, "01-31")) == stub | {"invoiced": "210.00"}


def test_a_change_that_charges_nothing_leaves_other_terms() -> None:
    life = of("01-01")
    life.run("01-01")
    life.replace_plan(LARGER_PLAN, "01-22", GIVEN_AWAY)
    assert why(reconcile(life, "01-31")) == {
        "mrr": "620.00", "agreed": "410.00", "invoiced": "310.00", "changes": "-210.00", "given_away": "-200.00",
        "not_refunded": "100.00",
    }  # fmt: skip
    seats = price("31")
    more = subscribed(plan(seats), [seats], "01-01")
    more.run("01-01")
    more.edit(seats, 3, "01-22", GIVEN_AWAY)
    assert why(reconcile(more, "01-31")) == {
        "mrr": "93.00", "agreed": "51.00", "invoiced": "31.00", "changes": "-42.00", "other_terms": "-20.00",
    }  # fmt: skip


def test_what_ends_without_a_refund_stays_invoiced() -> None:
    kept, refunded = of("01-01"), of("01-01")
    for life, refund in ((kept, "none"), (refunded, "prorated")):
        life.run("01-01")
        life.cancel("01-11", refund)
    ended = {"mrr": "0.00", "agreed": "100.00", "changes": "100.00"}
    assert why(reconcile(kept, "01-31")) == ended | {"invoiced": "310.00", "not_refunded": "210.00"}
    assert why(reconcile(refunded, "01-31")) == ended | {"invoiced": "100.00"}


def test_a_pause_without_a_credit_stays_invoiced() -> None:
    life = of("01-01")
    life.run("01-01")
    life.now(ChangeType.PAUSE, "01-11", GIVEN_AWAY)
    assert why(reconcile(life, "01-31")) == {
        "mrr": "0.00", "agreed": "100.00", "invoiced": "310.00", "changes": "100.00", "not_refunded": "210.00",
    }  # fmt: skip


def test_what_was_credited_by_hand_is_credited_once() -> None:
    """B5: a refund finds nothing left of what was credited before."""
    life = of("01-01")
    life.run("01-01")
    (charge,) = life.chain.charges
    assert why(reconcile(life, "01-31", {charge.id: "31"})) == {
        "mrr": "310.00", "agreed": "310.00", "invoiced": "279.00", "credited": "-31.00",
    }  # fmt: skip
    life.credit_by_hand(charge, "310")
    life.cancel("01-11", "prorated")
    assert why(reconcile(life, "01-31", {charge.id: "310"})) == {
        "mrr": "0.00", "agreed": "100.00", "invoiced": "0.00", "changes": "100.00", "credited": "-100.00",
    }  # fmt: skip


def test_a_credit_of_two_notes_is_one() -> None:
    """310 a month, from the 11th on 930, refunded on the 12th: more than the difference was."""
    life = of("01-01", AT_ONCE)
    life.run("01-01")
    life.edit(MONTHLY, 3, "01-11")
    life.cancel("01-12", "prorated")
    whole = why(reconcile(life, "01-31"))
    assert whole == {"mrr": "0.00", "agreed": "130.00", "invoiced": "130.00", "changes": "130.00"}
    refund = life.chain.charges[-1]
    assert refund.net == D("-600.00")
    first = replace(refund, net=D("-420.00"))
    life.chain = replace(
        life.chain,
        charges=(*life.chain.charges[:-1], first, replace(first, id=new_id(), net=D("-180.00"), part=first.part + 1)),
    )
    assert why(reconcile(life, "01-31")) == whole


def test_another_discount_than_todays_is_told() -> None:
    life = of("01-01", discount="10")
    life.run("01-01")
    assert why(reconcile(life, "01-31", discount="20")) == {
        "mrr": "248.00", "agreed": "248.00", "invoiced": "279.00", "discount": "31.00",
    }  # fmt: skip
    free = of("01-01", discount="100")
    free.run("01-01")
    assert why(reconcile(free, "01-31", discount="0")) == {
        "mrr": "310.00", "agreed": "310.00", "invoiced": "0.00", "discount": "-310.00",
    }  # fmt: skip
    upgraded = of("01-01", AT_ONCE, discount="10")
    upgraded.run("01-01")
    upgraded.replace_plan(LARGER_PLAN, "01-22")
    upgraded.edit(LARGER, 2, "01-22")
    found = reconcile(upgraded, "01-31", discount="0")
    assert f"{found.reasons[Reason.DISCOUNT]}" == "-61.00"


def test_rates_of_documents_are_not_those_of_the_month_end() -> None:
    life = of("01-01")
    life.run("01-01")
    assert why(reconcile(life, "01-31", booked_at="7.4", rate="7.5")) == {
        "mrr": "2325.00", "agreed": "2325.00", "invoiced": "2294.00", "exchange_rates": "-31.00",
    }  # fmt: skip


def test_days_that_are_billed_later_by_another_direction_are_not_invoiced() -> None:
    """Paid ahead until 1 February, and from the 11th on in arrears from month to month: the 21 days' credit waits."""
    life = of("01-01")
    life.now(ChangeType.CHANGE_DIRECTION, "01-11", billingDirection="arrears", restarts=True)
    for on in ("01-11", "02-10"):
        life.run(on)
        assert why(reconcile(life, "01-31")) == {"mrr": "310.00", "agreed": "310.00", "invoiced": "310.00"}


def test_lines_are_rounded() -> None:
    odd = price("100")
    life = subscribed(plan(odd), [odd], "01-15", anchor="01-01")
    life.run("02-01")
    found = reconcile(life, "01-31")
    assert (found.mrr, found.invoiced) == (D("100.00"), D("54.84"))
    life.cancel("02-02", "prorated")
    assert why(reconcile(life, "02-28")) == {"mrr": "0.00", "agreed": "3.57", "invoiced": "3.57", "changes": "3.57"}


#: Reasons that there are not where everything is billed by days.
NEVER = (Reason.GIVEN_AWAY, Reason.NOT_REFUNDED, Reason.OTHER_TERMS, Reason.DISCOUNT, Reason.EXCHANGE_RATES)


@settings(max_examples=60)
@given(stories([NEXT_INVOICE, AT_ONCE, GIVEN_AWAY]), st.integers(0, 4))
def test_every_difference_has_a_reason(story: Story, number: int) -> None:
    """Where all is billed by days, what was agreed and billed by now is invoiced, to the rounding of each line."""
    life = story.ask_all(story.begin())
    life.run(FIRST + timedelta(days=LENGTH + 10), at_most=10**6)
    on = last_of_month(FIRST)
    for _ in range(number):
        on = last_of_month(on + timedelta(days=1))
    found = reconcile(life, on)
    modes = {story.mode, *(mode for _, _, mode, _ in story.asked)}
    if GIVEN_AWAY not in modes:
        assert all(abs(found.reasons[reason]) <= D("0.01") for reason in NEVER), found
        # A cent for each line at most.
        assert abs(found.reasons[Reason.ROUNDING]) <= D("0.01") * (len(life.chain.charges) + 1)
