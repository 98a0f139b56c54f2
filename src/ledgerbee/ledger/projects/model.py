"""Projects: a budget, a tree of one level to tag entries with, and what they earned (contract 2.14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO

ProjectId = NewType("ProjectId", UUID)
#: Of a subproject and of the dimension value that it is.
SubprojectId = NewType("SubprojectId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubprojectDetails:
    """What the table of subprojects holds of one beside ids. The budget is in the project's currency."""

    sort_order: int
    budget_hours: Decimal | None = None
    budget_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubprojectFields(SubprojectDetails):
    """What whoever keeps a subproject says of it."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subproject(SubprojectFields):
    """A part of a project as it is kept, and a value of the project's dimension (with the same id): what `tagIds` name.

    Its name and both moments stand in the value's row.
    """

    id: SubprojectId
    project_id: ProjectId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDetails:
    """What the table of projects holds of one beside ids and moments.

    `currency` is the budget's; the budget is that of all subprojects together. Both dates are inclusive.
    """

    currency: str
    customer_id: UUID | None = None
    budget_hours: Decimal | None = None
    budget_amount: Decimal | None = None
    start_date: date | None = None
    end_date: date | None = None
    external_reference: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFields(ProjectDetails):
    """What whoever keeps a project says of it. An archived project is read-only."""

    name: str
    is_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(ProjectFields):
    """A project as it is kept; its name and whether it is archived stand in its dimension's row.

    `subprojects` are in their order; `default_subproject_id` is the one made with the project.
    """

    id: ProjectId
    dimension_id: UUID
    default_subproject_id: SubprojectId
    subprojects: tuple[Subproject, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What was earned and spent, in the company's base currency."""

    revenue: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class SubprojectMonth:
    """The figures of a subproject in a month (its first day)."""

    subproject_id: SubprojectId
    month: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Result:
    """Figures beside a budget (in the project's currency). Percentages have two decimals.

    The margin is None without revenue; what is used of the budget is None without one, or without a rate for it.
    """

    figures: Figures
    margin_percent: Decimal | None
    budget_amount: Decimal | None
    budget_used_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class ProjectProfit:
    """What a project earned: in all, by subproject (in their order) and by month (in order, where anything was posted).

    Figures are in `currency`, the company's base currency.
    """

    project: Project
    currency: str
    result: Result
    subprojects: Sequence[tuple[Subproject, Result]]
    months: Sequence[tuple[date, Figures]]


PROJECT_NOT_FOUND = ErrorCode("PROJECT_NOT_FOUND", 404, "No such project in the company")
PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS = ErrorCode(
    "PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS", 409, "Another project of the company has this externalReference"
)
PROJECT_INVALID_STATE = ErrorCode(
    "PROJECT_INVALID_STATE", 409, "The project is archived: take it back with isArchived false before it changes"
)
SUBPROJECT_NOT_FOUND = ErrorCode("SUBPROJECT_NOT_FOUND", 404, "No such subproject of this project")
SUBPROJECT_NAME_ALREADY_EXISTS = ErrorCode(
    "SUBPROJECT_NAME_ALREADY_EXISTS", 409, "Another subproject of the project has this name"
)
SUBPROJECT_IN_USE = ErrorCode(
    "SUBPROJECT_IN_USE", 409, "The subproject is the project's default, or something carries it"
)
