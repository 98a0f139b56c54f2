"""Projects on the wire: what operations take and answer with, and what events carry (contract 2.14)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import given
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    Amount,
    CurrencyCode,
    DecimalText,
    Id,
    IdText,
    Moment,
    MoneyText,
    Number,
    Quantity,
    RequestModel,
    ResponseModel,
    Trimmed,
    Whole,
    decimal_schema,
    omitted,
    state_to,
)
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.ledger.projects import rules
from ledgerbee.ledger.projects.model import (
    Figures,
    Project,
    ProjectFields,
    ProjectProfit,
    Result,
    Subproject,
    SubprojectFields,
)
from ledgerbee.ledger.projects.rules import MAX_SORT_ORDER
from ledgerbee.parties.wire import ExternalId

ProjectName = Annotated[str, Trimmed(255, min_length=1)]
BudgetHours = Annotated[Quantity, Field(ge=0), decimal_schema("Budgeted hours", minimum=0, maximum=10**9)]
BudgetAmount = Annotated[
    Amount, Field(ge=0), decimal_schema("Budgeted amount", minimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]
SortOrder = Annotated[int, Field(strict=True, ge=0, le=MAX_SORT_ORDER), Whole]
Color = Annotated[str, StringConstraints(strict=True, pattern=r"^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
#: The key of an upsert: not empty.
Reference = Annotated[str, Trimmed(255, min_length=1)]


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


class CreateProjectRequest(RequestModel):
    """A project's fields."""

    name: ProjectName = Field(examples=["Ny havnefront"])
    currency: CurrencyCode = omitted(description="Currency of the budget; of a new project the company's by default")
    customer_id: Id | None = None
    budget_hours: BudgetHours | None = Field(None, description="Hours over all subprojects")
    budget_amount: BudgetAmount | None = Field(None, description="Amount over all subprojects, in `currency`")
    start_date: BookDay | None = None
    end_date: BookDay | None = Field(None, description="The last day, inclusive; not before `startDate`")
    external_reference: ExternalId = omitted(description="Its id in your system, unique per company")
    color: Color | None = Field(None, examples=["#2E86AB"])
    is_archived: Annotated[bool, Field(strict=True)] = omitted(description="Archived projects are read-only")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and its budget in its currency."""
        yield lambda: rules.check_days(self.start_date, self.end_date)
        yield lambda: rules.check_budget(self.budget_amount, self.currency or facts.base_currency)


class UpdateProjectRequest(CreateProjectRequest):
    """A project's own fields: all of them are set."""

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """As of a new one, but a currency that is left out is the project's."""
        yield lambda: rules.check_days(self.start_date, self.end_date)
        yield lambda: rules.check_budget(self.budget_amount, given(self.currency))


class UpsertProjectRequest(UpdateProjectRequest):
    """A project's fields, with the reference that it is known by."""

    external_reference: Reference = Field(description="Its id in your system: the project to change or create")


class CreateSubprojectRequest(RequestModel):
    """A subproject's fields."""

    name: ProjectName = Field(description="Unique in the project, without regard to case", examples=["Montage"])
    sort_order: SortOrder = omitted(
        description="Its place; left out: a new one comes last, another one stays where it is"
    )
    budget_hours: BudgetHours | None = None
    budget_amount: BudgetAmount | None = Field(None, description="In the project's currency")


class UpdateSubprojectRequest(CreateSubprojectRequest):
    """A subproject's fields: all of them are set."""


#: The fields of a body that stay as they are where it leaves them out; the others become null.
_KEPT: Final = ("currency", "external_reference", "is_archived", "sort_order")

state_of = state_to(ProjectFields, CreateProjectRequest, kept=_KEPT)
state_of_subproject = state_to(SubprojectFields, CreateSubprojectRequest, kept=_KEPT)


def render_subproject(subproject: Subproject, currency: str) -> SubprojectResponse:
    """A subproject on the wire; `currency` is its project's."""
    return SubprojectResponse(**{**fields_of(subproject), "budget_amount": _money(subproject.budget_amount, currency)})


def render(project: Project) -> ProjectResponse:
    shown = {
        "budget_amount": _money(project.budget_amount, project.currency),
        "subprojects": [render_subproject(one, project.currency) for one in project.subprojects],
    }
    return ProjectResponse(**{**fields_of(project), **shown})


def render_profit(found: ProjectProfit) -> ProjectProfitResponse:
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
