"""The wire form of projects: what operations answer with and what events carry (contract 2.14)."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import Field

from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import DecimalText, IdText, Moment, MoneyText, Number, ResponseModel
from ledgerbee.ledger.projects.model import Figures, Project, ProjectProfit, Result, Subproject


class SubprojectResponse(ResponseModel):
    """A part of a project."""

    id: IdText = Field(description="What `tagIds` name")
    name: str = Field(examples=["Montage"])
    sort_order: int = Field(description="Its place among the subprojects", examples=[1])
    budget_hours: Number | None = Field(examples=[40])
    budget_amount: MoneyText | None = Field(description="In the project's currency")
    created_at: Moment
    updated_at: Moment


class ProjectResponse(ResponseModel):
    """A project."""

    id: IdText
    name: str = Field(examples=["Ny havnefront"])
    is_archived: bool = Field(description="Archived projects are read-only, and nothing is tagged with them")
    currency: str = Field(description="ISO 4217 currency of the budget", examples=["DKK"])
    dimension_id: IdText = Field(description="The dimension whose values are the subprojects")
    default_subproject_id: IdText = Field(description="The subproject that came with the project")
    customer_id: IdText | None
    budget_hours: Number | None = Field(description="Hours over all subprojects", examples=[120])
    budget_amount: MoneyText | None = Field(description="Amount over all subprojects, in `currency`")
    start_date: date | None = Field(examples=["2026-01-01"])
    end_date: date | None = Field(description="The last day, inclusive", examples=["2026-12-31"])
    external_reference: str | None = Field(description="Its id in your system, unique per company", examples=["pm-17"])
    color: str | None = Field(description="Hexadecimal", examples=["#2E86AB"])
    subprojects: list[SubprojectResponse] = Field(description="By `sortOrder`, then in order of creation")
    created_at: Moment
    updated_at: Moment


class FiguresResponse(ResponseModel):
    """Figures in the company's base currency, from posted lines."""

    revenue: MoneyText
    cost: MoneyText
    profit: MoneyText = Field(description="Revenue less cost")


class ResultResponse(FiguresResponse):
    """Figures, and how they compare with a budget."""

    margin_percent: DecimalText | None = Field(description="Profit in percent of revenue; null without revenue")
    budget_amount: MoneyText | None = Field(description="In the project's currency")
    budget_used_percent: DecimalText | None = Field(
        description="Cost in percent of the budget, converted at today's rate; null without a budget or a rate"
    )


class SubprojectProfitResponse(ResultResponse):
    """What a subproject earned."""

    id: IdText
    name: str = Field(examples=["Montage"])


class MonthProfitResponse(FiguresResponse):
    """What a project earned in a month."""

    month: str = Field(examples=["2026-03"])


class ProjectProfitResponse(ResultResponse):
    """What a project earned, in all, by subproject and by month."""

    currency: str = Field(description="The company's base currency", examples=["DKK"])
    budget_currency: str = Field(description="The project's currency", examples=["DKK"])
    subprojects: list[SubprojectProfitResponse] = Field(description="Every subproject, in their order")
    months: list[MonthProfitResponse] = Field(description="The months in which anything was posted, in order")


def render_subproject(subproject: Subproject, currency: str) -> SubprojectResponse:
    """The wire form of a subproject."""
    return SubprojectResponse(
        id=subproject.id,
        name=subproject.name,
        sort_order=subproject.sort_order,
        budget_hours=subproject.budget_hours,
        budget_amount=_money(subproject.budget_amount, currency),
        created_at=subproject.created_at,
        updated_at=subproject.updated_at,
    )


def render(project: Project) -> ProjectResponse:
    """The wire form of a project."""
    return ProjectResponse(
        id=project.id,
        name=project.name,
        is_archived=project.is_archived,
        currency=project.currency,
        dimension_id=project.dimension_id,
        default_subproject_id=project.default_subproject_id,
        customer_id=project.customer_id,
        budget_hours=project.budget_hours,
        budget_amount=_money(project.budget_amount, project.currency),
        start_date=project.start_date,
        end_date=project.end_date,
        external_reference=project.external_reference,
        color=project.color,
        subprojects=[render_subproject(one, project.currency) for one in project.subprojects],
        created_at=project.created_at,
        updated_at=project.updated_at,
    )


def snapshot(project: Project) -> dict[str, Any]:
    """The wire form as JSON values, for an event."""
    return render(project).model_dump(mode="json")


def render_profit(found: ProjectProfit) -> ProjectProfitResponse:
    """The wire form of a project's profit."""
    currencies = (found.currency, found.project.currency)
    return ProjectProfitResponse(
        currency=found.currency,
        budget_currency=found.project.currency,
        subprojects=[
            SubprojectProfitResponse(id=one.id, name=one.name, **_result(result, *currencies))
            for one, result in found.subprojects
        ],
        months=[
            MonthProfitResponse(month=month.isoformat()[:7], **_figures(figures, found.currency))
            for month, figures in found.months
        ],
        **_result(found.result, *currencies),
    )


def _result(result: Result, currency: str, budget_currency: str) -> dict[str, Any]:
    return {
        **_figures(result.figures, currency),
        "margin_percent": result.margin_percent,
        "budget_amount": _money(result.budget_amount, budget_currency),
        "budget_used_percent": result.budget_used_percent,
    }


def _figures(figures: Figures, currency: str) -> dict[str, Any]:
    return {
        "revenue": format_amount(figures.revenue, currency),
        "cost": format_amount(figures.cost, currency),
        "profit": format_amount(figures.profit, currency),
    }


def _money(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)
