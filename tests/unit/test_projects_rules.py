"""Projects' fields, the order of subprojects, and the maths of profit: the pure rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import total
from ledgerbee.ledger.projects import rules
from ledgerbee.ledger.projects.model import (
    Figures,
    Project,
    ProjectId,
    ProjectProfit,
    Subproject,
    SubprojectId,
    SubprojectMonth,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT_ID = ProjectId(UUID(int=1))


def subproject(number: int, sort_order: int, created_at: datetime = NOW) -> Subproject:
    return Subproject(
        id=SubprojectId(UUID(int=number)),
        project_id=PROJECT_ID,
        name=f"S{number}",
        sort_order=sort_order,
        created_at=created_at,
        updated_at=NOW,
    )


SUBPROJECTS = tuple(replace(subproject(10 + n, n), name=f"S{n}") for n in range(3))
PROJECT = Project(
    id=PROJECT_ID,
    name="Havnen",
    currency="DKK",
    dimension_id=UUID(int=2),
    default_subproject_id=SUBPROJECTS[0].id,
    subprojects=SUBPROJECTS,
    created_at=NOW,
    updated_at=NOW,
)
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)

amounts = st.decimals("-1e13", "1e13", places=4)
figures = st.builds(Figures, amounts, amounts)


def refusal(project: Project) -> str | None:
    """The property that a project is refused for."""
    try:
        rules.check(project)
    except LedgerBeeError as fault:
        return str(fault.details["validationErrors"][0]["property"])
    return None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"start_date": JANUARY, "end_date": JANUARY}, None),
        ({"start_date": JANUARY}, None),
        ({"end_date": JANUARY}, None),
        ({"start_date": MARCH, "end_date": JANUARY}, "endDate"),
        ({"budget_amount": Decimal("10.05")}, None),
        ({"budget_amount": Decimal("10.050")}, None),
        ({"budget_amount": Decimal("10.005")}, "budgetAmount"),
        ({"budget_amount": Decimal("10.005"), "currency": "KWD"}, None),
        ({"budget_amount": Decimal("10.5"), "currency": "JPY"}, "budgetAmount"),
        ({"subprojects": (replace(SUBPROJECTS[0], budget_amount=Decimal("10.5")),)}, None),
        ({"subprojects": (replace(SUBPROJECTS[0], budget_amount=Decimal("10.5")),), "currency": "JPY"}, "currency"),
    ],
)
def test_fields_agree(changes: dict[str, object], expected: str | None) -> None:
    assert refusal(replace(PROJECT, **changes)) == expected  # type: ignore[arg-type]


subprojects = st.lists(
    st.builds(
        lambda number, place, minutes: subproject(number, place, NOW + timedelta(minutes=minutes)),
        st.integers(0, 1_000),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)


@given(subprojects.flatmap(lambda given: st.tuples(st.just(given), st.permutations(given))))
def test_order_is_by_place_then_creation(pair: tuple[list[Subproject], list[Subproject]]) -> None:
    given_order, other_order = pair
    ordered = rules.in_order(given_order)
    assert ordered == rules.in_order(other_order)
    for one, after in pairwise(ordered):
        assert one.sort_order < after.sort_order or (
            one.sort_order == after.sort_order and one.created_at <= after.created_at
        )


@given(subprojects)
def test_a_new_one_comes_last(given: list[Subproject]) -> None:
    new = replace(SUBPROJECTS[0], sort_order=rules.next_place(given), created_at=NOW + timedelta(days=1))
    assert rules.in_order([new, *given])[-1] is new


def test_the_last_place_is_shared() -> None:
    last = replace(SUBPROJECTS[0], sort_order=rules.MAX_SORT_ORDER)
    assert rules.next_place([last]) == rules.MAX_SORT_ORDER
    assert rules.next_place([]) == 0


posted = st.dictionaries(
    st.tuples(st.sampled_from(SUBPROJECTS).map(lambda one: one.id), st.integers(1, 12)), figures, max_size=12
).map(lambda found: [SubprojectMonth(one, date(2026, month, 1), value) for (one, month), value in found.items()])


def sums(found: ProjectProfit) -> list[Figures]:
    """The totals as given, and summed up from the months and from the subprojects."""

    def add(parts: list[Figures]) -> Figures:
        return Figures(total([one.revenue for one in parts]), total([one.cost for one in parts]))

    return [
        found.result.figures,
        add([one for _, one in found.months]),
        add([result.figures for _, result in found.subprojects]),
    ]


@given(posted, st.decimals("0.0001", "1000", places=4))
def test_months_and_subprojects_sum_up_to_the_whole(given: list[SubprojectMonth], rate: Decimal) -> None:
    found = rules.profit(PROJECT, given, "DKK", rate)
    first, by_month, by_subproject = sums(found)
    assert first == by_month == by_subproject
    assert first.profit == first.revenue - first.cost
    assert [one for one, _ in found.subprojects] == list(SUBPROJECTS)
    months = [month for month, _ in found.months]
    assert months == sorted({one.month for one in given})
    # What was posted is told whole, in whatever order it was read.
    assert found == rules.profit(PROJECT, given[::-1], "DKK", rate)


def test_an_example() -> None:
    project = replace(
        PROJECT,
        currency="EUR",
        budget_amount=Decimal(1000),
        subprojects=(SUBPROJECTS[0], replace(SUBPROJECTS[1], budget_amount=Decimal(100)), SUBPROJECTS[2]),
    )
    given = [
        SubprojectMonth(SUBPROJECTS[1].id, MARCH, Figures(Decimal(0), Decimal("333.33"))),
        SubprojectMonth(SUBPROJECTS[0].id, JANUARY, Figures(Decimal(3000), Decimal(2000))),
        SubprojectMonth(SUBPROJECTS[0].id, MARCH, Figures(Decimal("0.05"), Decimal(0))),
    ]
    found = rules.profit(project, given, "DKK", Decimal("7.46"))
    assert found.result.figures == Figures(Decimal("3000.05"), Decimal("2333.33"))
    assert found.result.margin_percent == Decimal("22.22")  # 666.72 of 3,000.05
    assert found.result.budget_used_percent == Decimal("31.28")  # 2,333.33 of 7,460.00
    assert [(one.name, result.margin_percent, result.budget_used_percent) for one, result in found.subprojects] == [
        ("S0", Decimal("33.33"), None), ("S1", None, Decimal("44.68")), ("S2", None, None),
    ]  # fmt: skip
    assert found.months == [
        (JANUARY, Figures(Decimal(3000), Decimal(2000))),
        (MARCH, Figures(Decimal("0.05"), Decimal("333.33"))),
    ]


@given(figures)
def test_margin(given: Figures) -> None:
    percent = rules.margin_percent(given)
    if given.revenue <= 0:
        assert percent is None
    else:
        exact = (Fraction(given.revenue) - Fraction(given.cost)) * 100 / Fraction(given.revenue)
        assert percent is not None
        assert abs(Fraction(percent) - exact) <= Fraction(1, 200)


@given(amounts, st.decimals("0.01", "1e12", places=2), st.decimals("0.000001", "1e6", places=12))
def test_budget_used(cost: Decimal, budget: Decimal, rate: Decimal) -> None:
    percent = rules.budget_used_percent(cost, budget, rate)
    assert percent is not None
    assert abs(Fraction(percent) - Fraction(cost) * 100 / (Fraction(budget) * Fraction(rate))) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("budget", "rate"),
    [(None, Decimal(1)), (Decimal(0), Decimal(1)), (Decimal("0.00"), Decimal(7)), (Decimal(1), None)],
)
def test_no_budget_is_used_without_one(budget: Decimal | None, rate: Decimal | None) -> None:
    assert rules.budget_used_percent(Decimal(100), budget, rate) is None
