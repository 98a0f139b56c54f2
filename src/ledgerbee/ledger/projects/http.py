"""Routes of projects and subprojects (contract 2.14)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.http.arrays import in_thread
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.projects import actions, store
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_INVALID_STATE,
    PROJECT_NOT_FOUND,
    SUBPROJECT_IN_USE,
    SUBPROJECT_NAME_ALREADY_EXISTS,
    SUBPROJECT_NOT_FOUND,
    ProjectId,
    SubprojectId,
)
from ledgerbee.ledger.projects.wire import (
    CreateProjectRequest,
    CreateSubprojectRequest,
    ProjectProfitResponse,
    ProjectResponse,
    SubprojectResponse,
    UpdateProjectRequest,
    UpdateSubprojectRequest,
    UpsertProjectRequest,
    render,
    render_profit,
    render_subproject,
    state_of,
    state_of_subproject,
)
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND

router = resource_router("Projects")

ProjectPath = Annotated[IdOf[ProjectId], Path(alias="projectId", description="Project ID")]
SubprojectPath = Annotated[IdOf[SubprojectId], Path(alias="subprojectId", description="Subproject ID")]

_WHOLE_STATE: Final = (
    "The body is the project's whole new state: what is left out becomes null. Only `currency`, `externalReference` "
    "and `isArchived` stay as they are when they are left out. An archived project is read-only; `isArchived: false` "
    "takes it back."
)
_OF_ARCHIVED: Final = "The subprojects of an archived project are read-only."


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
    project, created = await actions.upsert(context, body.external_reference, state_of(body))
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
    return render(await actions.create(context, state_of(body)))


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
async def get_project(context: Ctx, project_id: ProjectPath) -> ProjectResponse:
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
async def update_project(context: Ctx, project_id: ProjectPath, body: UpdateProjectRequest) -> ProjectResponse:
    return render(await actions.update(context, project_id, state_of(body)))


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
async def get_project_profit(context: Ctx, project_id: ProjectPath) -> ProjectProfitResponse:
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
async def create_subproject(context: Ctx, project_id: ProjectPath, body: CreateSubprojectRequest) -> SubprojectResponse:
    project, subproject = await actions.create_subproject(context, project_id, state_of_subproject(body))
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
    context: Ctx, project_id: ProjectPath, subproject_id: SubprojectPath, body: UpdateSubprojectRequest
) -> SubprojectResponse:
    changes = state_of_subproject(body)
    project, subproject = await actions.update_subproject(context, project_id, subproject_id, changes)
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
async def delete_subproject(context: Ctx, project_id: ProjectPath, subproject_id: SubprojectPath) -> None:
    await actions.delete_subproject(context, project_id, subproject_id)
