"""What makes a project's fields agree, and how its profit is put together. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.money import EXACT, HUNDRED, minor_units, multiply, round_money, round_to, total
from ledgerbee.ledger.projects.model import (
    Figures,
    Project,
    ProjectProfit,
    Result,
    Subproject,
    SubprojectMonth,
)

#: Decimals of a percentage in an answer.
PERCENT_PLACES: Final = 2
#: The largest place of a subproject in the order of its project.
MAX_SORT_ORDER: Final = 1_000_000


def check(project: Project) -> None:
    """Refuse a project whose fields contradict each other. Raises validation errors.

    The end is not before the start; no budget, of the subprojects neither, is finer than the currency.
    """
    check_all(
        lambda: check_days(project.start_date, project.end_date),
        lambda: check_budget(project.budget_amount, project.currency),
        lambda: _check_budgets_of_subprojects(project),
    )


def check_days(start: date | None, end: date | None) -> None:
    """Refuse an end before the start. Raises a validation error."""
    if start is not None and end is not None and end < start:
        raise invalid(("endDate", "minDate", "endDate must not be before startDate"))


def _check_budgets_of_subprojects(project: Project) -> None:
    places = minor_units(project.currency)
    if any(_is_finer(subproject.budget_amount, project.currency) for subproject in project.subprojects):
        text = f"currency must have more than {places} decimals: the budget of a subproject has more"
        raise invalid(("currency", "maxDecimalPlaces", text))


def check_budget(amount: Decimal | None, currency: str) -> None:
    """Refuse a budget that is finer than its currency. Raises a validation error."""
    if _is_finer(amount, currency):
        text = f"budgetAmount must have at most {minor_units(currency)} decimals in {currency}"
        raise invalid(("budgetAmount", "maxDecimalPlaces", text))


def _is_finer(amount: Decimal | None, currency: str) -> bool:
    return amount is not None and round_money(amount, currency) != amount


def in_order(subprojects: Iterable[Subproject]) -> tuple[Subproject, ...]:
    """Subprojects by their place, those of the same place in order of creation."""
    return tuple(sorted(subprojects, key=lambda one: (one.sort_order, one.created_at, one.id)))


def next_place(subprojects: Iterable[Subproject]) -> int:
    """The place after all others."""
    return min(max((one.sort_order for one in subprojects), default=-1) + 1, MAX_SORT_ORDER)


def profit(
    project: Project, posted: Sequence[SubprojectMonth], base_currency: str, rate: Decimal | None
) -> ProjectProfit:
    """A project's profit from its figures by subproject and month.

    `rate` is what one unit of the project's currency is worth in base currency; None leaves open how much of the
    budgets is used.
    """
    by_subproject: dict[UUID, list[Figures]] = {}
    by_month: dict[date, list[Figures]] = {}
    for one in posted:
        by_subproject.setdefault(one.subproject_id, []).append(one.figures)
        by_month.setdefault(one.month, []).append(one.figures)
    return ProjectProfit(
        project=project,
        currency=base_currency,
        result=_result(_sum([one.figures for one in posted]), project.budget_amount, rate),
        subprojects=[
            (one, _result(_sum(by_subproject.get(one.id, ())), one.budget_amount, rate)) for one in project.subprojects
        ],
        months=[(month, _sum(by_month[month])) for month in sorted(by_month)],
    )


def _result(figures: Figures, budget: Decimal | None, rate: Decimal | None) -> Result:
    return Result(figures, margin_percent(figures), budget, budget_used_percent(figures.cost, budget, rate))


def _sum(figures: Sequence[Figures]) -> Figures:
    return Figures(total([one.revenue for one in figures]), total([one.cost for one in figures]))


def margin_percent(figures: Figures) -> Decimal | None:
    """Profit in percent of revenue, at two decimals; None where nothing was earned."""
    return _percent(figures.profit, figures.revenue) if figures.revenue > 0 else None


def budget_used_percent(cost: Decimal, budget: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """Cost (base currency) in percent of the budget, which `rate` brings into base currency; at two decimals.

    None without a budget, for one of zero, or without a rate.
    """
    return _percent(cost, multiply(budget, rate)) if budget and rate else None


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return round_to(EXACT.divide(multiply(part, HUNDRED), whole), PERCENT_PLACES)
