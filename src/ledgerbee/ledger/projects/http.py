"""Projects and subprojects over HTTP (contract 2.14)."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import Path, Query, Response
from pydantic import Field, StringConstraints

from ledgerbee.http.arrays import in_thread
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import given
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    Amount,
    CurrencyCode,
    Id,
    Quantity,
    RequestModel,
    Trimmed,
    Whole,
    decimal_schema,
    omitted,
)
from ledgerbee.ledger.periods.http import BookDay
from ledgerbee.ledger.projects import actions, rules, store
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_INVALID_STATE,
    PROJECT_NOT_FOUND,
    SUBPROJECT_IN_USE,
    SUBPROJECT_NAME_ALREADY_EXISTS,
    SUBPROJECT_NOT_FOUND,
)
from ledgerbee.ledger.projects.rules import MAX_SORT_ORDER
from ledgerbee.ledger.projects.wire import (
    ProjectProfitResponse,
    ProjectResponse,
    SubprojectResponse,
    render,
    render_profit,
    render_subproject,
)
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.wire import ExternalId

router = resource_router("Projects")

ProjectId = Annotated[Id, Path(alias="projectId", description="Project ID")]
SubprojectId = Annotated[Id, Path(alias="subprojectId", description="Subproject ID")]

ProjectName = Annotated[str, Trimmed(255, min_length=1)]
BudgetHours = Annotated[Quantity, Field(ge=0), decimal_schema("Budgeted hours", minimum=0, maximum=10**9)]
BudgetAmount = Annotated[
    Amount, Field(ge=0), decimal_schema("Budgeted amount", minimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]
SortOrder = Annotated[int, Field(strict=True, ge=0, le=MAX_SORT_ORDER), Whole]
Color = Annotated[str, StringConstraints(strict=True, pattern=r"^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")]
#: The key of an upsert: not empty.
Reference = Annotated[str, Trimmed(255, min_length=1)]

_WHOLE_STATE: Final = (
    "The body is the project's whole new state: what is left out becomes null. Only `currency`, `externalReference` "
    "and `isArchived` stay as they are when they are left out. An archived project is read-only; `isArchived: false` "
    "takes it back."
)
_OF_ARCHIVED: Final = "The subprojects of an archived project are read-only."


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


def _given(body: RequestModel) -> dict[str, Any]:
    """The state that a body asks for: nulls for what was left out, except for what stays as it is then."""
    stay = {"currency", "external_reference", "is_archived", "sort_order"} - body.model_fields_set
    return {name: value for name, value in body if name not in stay}


@router.get(
    "/v1/projects",
    response_model=list[ProjectResponse],
    **operation(
        "List all projects",
        scope="projects-read",
        description="All projects in order of creation, with their subprojects.",
        response="Projects of the company",
    ),
)
async def list_projects(
    context: Ctx,
    include_archived: Annotated[bool, Query(alias="includeArchived", description="Archived projects too")] = False,
) -> Response:
    """List all projects."""
    projects = await store.list_all(context, include_archived=include_archived)
    count = sum(1 + len(project.subprojects) for project in projects)
    return await in_thread(count, lambda: [render(project) for project in projects])


_UPSERT = operation(
    "Idempotent project upsert",
    scope="projects-write",
    status=201,
    description="Creates the project that has this `externalReference`, or changes it in place. However often it is "
    f"sent, there is one such project. {_WHOLE_STATE}",
    response="Project created",
    errors=[CUSTOMER_NOT_FOUND, PROJECT_INVALID_STATE],
)
_UPSERT["responses"][200] = {"description": "Project updated in place", "model": ProjectResponse}


@router.put("/v1/projects", **_UPSERT)
async def upsert_project(context: Ctx, body: UpsertProjectRequest, response: Response) -> ProjectResponse:
    """Idempotent project upsert."""
    project, created = await actions.upsert(context, **_given(body))
    response.status_code = 201 if created else 200
    return render(project)


@router.post(
    "/v1/projects",
    **operation(
        "Create a project",
        scope="projects-write",
        status=201,
        description="Creates a project with its dimension and a default subproject.",
        response="Project created",
        errors=[CUSTOMER_NOT_FOUND, PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS],
    ),
)
async def create_project(context: Ctx, body: CreateProjectRequest) -> ProjectResponse:
    """Create a project."""
    return render(await actions.create(context, **_given(body)))


@router.get(
    "/v1/projects/{projectId}",
    **operation(
        "Get a project",
        scope="projects-read",
        description="One project with its subprojects.",
        response="Project details",
        errors=[PROJECT_NOT_FOUND],
    ),
)
async def get_project(context: Ctx, project_id: ProjectId) -> ProjectResponse:
    """Get a project."""
    return render(await store.get(context, project_id))


@router.put(
    "/v1/projects/{projectId}",
    **operation(
        "Update a project",
        scope="projects-write",
        description=_WHOLE_STATE,
        response="Project updated",
        errors=[
            PROJECT_NOT_FOUND,
            CUSTOMER_NOT_FOUND,
            PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
            PROJECT_INVALID_STATE,
        ],
    ),
)
async def update_project(context: Ctx, project_id: ProjectId, body: UpdateProjectRequest) -> ProjectResponse:
    """Update a project."""
    return render(await actions.update(context, project_id, **_given(body)))


@router.get(
    "/v1/projects/{projectId}/profit",
    **operation(
        "Get project profit",
        scope="projects-read",
        description="Revenue, cost and profit of a project in the company's base currency: everything posted on "
        "accounts of the result with one of its subprojects as a tag.",
        response="Profit of the project",
        errors=[PROJECT_NOT_FOUND],
    ),
)
async def get_project_profit(context: Ctx, project_id: ProjectId) -> ProjectProfitResponse:
    """Get project profit."""
    return render_profit(await actions.profit(context, project_id))


@router.post(
    "/v1/projects/{projectId}/subprojects",
    **operation(
        "Add a subproject",
        scope="projects-write",
        status=201,
        description=f"Adds a subproject, last unless `sortOrder` says otherwise. {_OF_ARCHIVED}",
        response="Subproject added",
        errors=[PROJECT_NOT_FOUND, SUBPROJECT_NAME_ALREADY_EXISTS, PROJECT_INVALID_STATE],
    ),
)
async def create_subproject(context: Ctx, project_id: ProjectId, body: CreateSubprojectRequest) -> SubprojectResponse:
    """Add a subproject."""
    project, subproject = await actions.add_subproject(context, project_id, **_given(body))
    return render_subproject(subproject, project.currency)


@router.put(
    "/v1/projects/{projectId}/subprojects/{subprojectId}",
    **operation(
        "Update a subproject",
        scope="projects-write",
        description="The body is the subproject's whole new state: what is left out becomes null, but `sortOrder` "
        f"stays as it is. {_OF_ARCHIVED}",
        response="Subproject updated",
        errors=[PROJECT_NOT_FOUND, SUBPROJECT_NOT_FOUND, SUBPROJECT_NAME_ALREADY_EXISTS, PROJECT_INVALID_STATE],
    ),
)
async def update_subproject(
    context: Ctx, project_id: ProjectId, subproject_id: SubprojectId, body: UpdateSubprojectRequest
) -> SubprojectResponse:
    """Update a subproject."""
    project, subproject = await actions.update_subproject(context, project_id, subproject_id, _given(body))
    return render_subproject(subproject, project.currency)


@router.delete(
    "/v1/projects/{projectId}/subprojects/{subprojectId}",
    **operation(
        "Delete a subproject",
        scope="projects-write",
        status=204,
        description=f"Deletes a subproject that nothing carries; never the default one. {_OF_ARCHIVED}",
        response="Subproject deleted",
        errors=[PROJECT_NOT_FOUND, SUBPROJECT_NOT_FOUND, SUBPROJECT_IN_USE, PROJECT_INVALID_STATE],
    ),
)
async def delete_subproject(context: Ctx, project_id: ProjectId, subproject_id: SubprojectId) -> None:
    """Delete a subproject."""
    await actions.delete_subproject(context, project_id, subproject_id)
