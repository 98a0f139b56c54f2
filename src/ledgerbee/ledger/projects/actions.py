"""Creating and changing projects and their subprojects; what a project earned.

A project is kept together with its dimension, a subproject with its value: both are written here only.
"""

from dataclasses import replace
from typing import Final

from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.dimensions.model import Dimension, DimensionId, DimensionValue, DimensionValueId
from ledgerbee.core.changes import Changes
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.projects import rules, store
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_INVALID_STATE,
    SUBPROJECT_IN_USE,
    SUBPROJECT_NAME_ALREADY_EXISTS,
    SUBPROJECT_NOT_FOUND,
    Project,
    ProjectFields,
    ProjectId,
    ProjectProfit,
    Subproject,
    SubprojectFields,
    SubprojectId,
)
from ledgerbee.ledger.projects.wire import render
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates

#: The name of the subproject that comes with a project; Danish and English alike.
DEFAULT_SUBPROJECT: Final = "Standard"


async def create(context: Context, given: Changes[ProjectFields]) -> Project:
    """Create a project with its default subproject. Emits `project.created`.

    `currency` (ISO 4217) is the company's base currency unless given. Raises validation errors, `CUSTOMER_NOT_FOUND`,
    `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`.
    """
    project = await _create(context, given)
    if project is None:
        reference = given.fields.get("external_reference")
        raise PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS.taken("externalReference", reference)
    return project


async def upsert(context: Context, external_reference: str, given: Changes[ProjectFields]) -> tuple[Project, bool]:
    """Create the project of this reference or change it in place; the answer says which (True: created).

    The reference is among the fields `given`. Several at once make one project. Raises what `create` and `update`
    raise.
    """
    while True:
        before = await store.find_for_update(context, external_reference)
        if before is not None:
            return await _change(context, before, given), False
        created = await _create(context, given)
        if created is not None:
            return created, True
        # Another transaction created it and has committed: it is found now.


async def update(context: Context, project_id: ProjectId, changes: Changes[ProjectFields]) -> Project:
    """Change the named fields of a project. Emits `project.updated` if anything became different.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project that stays archived, validation
    errors, `CUSTOMER_NOT_FOUND`, `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`.
    """
    return await _change(context, await store.get_for_update(context, project_id), changes)


async def create_subproject(
    context: Context, project_id: ProjectId, given: Changes[SubprojectFields]
) -> tuple[Project, Subproject]:
    """Add a subproject, after all others unless `sort_order` is given. Emits `project.updated`.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project, `SUBPROJECT_NAME_ALREADY_EXISTS` and
    a validation error.
    """
    project = await _get_active(context, project_id)
    fields = {"sort_order": rules.next_place(project.subprojects), **given.fields}
    subproject = Subproject(
        id=SubprojectId(new_id()), project_id=project.id, created_at=context.now, updated_at=context.now, **fields
    )
    rules.check_budget(subproject.budget_amount, project.currency)
    await _insert_subproject(context, project, subproject)
    after = replace(project, subprojects=(*project.subprojects, subproject))
    return await _update(context, project, after), subproject


async def update_subproject(
    context: Context, project_id: ProjectId, subproject_id: SubprojectId, changes: Changes[SubprojectFields]
) -> tuple[Project, Subproject]:
    """Change the named fields of a subproject, the default one too.

    Emits `project.updated` if anything became different. Raises what `create_subproject` raises and
    `SUBPROJECT_NOT_FOUND`.
    """
    project = await _get_active(context, project_id)
    before, others = _split(project, subproject_id)
    subproject = changes.applied_to(before)
    if subproject == before:
        return project, before
    subproject = replace(subproject, updated_at=context.now)
    rules.check_budget(subproject.budget_amount, project.currency)
    await dimensions.update_value(context, _value(project, subproject), taken=SUBPROJECT_NAME_ALREADY_EXISTS)
    await store.update_subproject(context, subproject)
    return await _update(context, project, replace(project, subprojects=(*others, subproject))), subproject


async def delete_subproject(context: Context, project_id: ProjectId, subproject_id: SubprojectId) -> None:
    """Delete a subproject that nothing carries. Emits `project.updated`.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project, `SUBPROJECT_NOT_FOUND`, and
    `SUBPROJECT_IN_USE`, for the default subproject always.
    """
    project = await _get_active(context, project_id)
    _, others = _split(project, subproject_id)
    if subproject_id == project.default_subproject_id:
        raise SUBPROJECT_IN_USE.used(["defaultSubproject"])
    await store.delete_subproject(context, subproject_id)
    await dimensions.delete_value(context, DimensionValueId(subproject_id), in_use=SUBPROJECT_IN_USE)
    await _update(context, project, replace(project, subprojects=others))


async def profit(context: Context, project_id: ProjectId) -> ProjectProfit:
    """What a project earned and spent as posted so far, in base currency; its budget at today's rate.

    Raises `PROJECT_NOT_FOUND`.
    """
    project = await store.get(context, project_id)
    company = await companies.get(context)
    posted = await store.list_figures(context, project_id)
    rate = await rates.find(context, project.currency, context.today)
    return rules.profit(project, posted, company.base_currency, rate.value if rate else None)


async def _create(context: Context, given: Changes[ProjectFields]) -> Project | None:
    """Write a project, its dimension and its default subproject; nothing (None) when its reference is taken."""
    project = await _new(context, given)
    rules.check(project)
    if not await store.insert(context, project):
        return None
    await dimensions.insert(context, _dimension(project))
    for subproject in project.subprojects:
        await _insert_subproject(context, project, subproject)
    context.emit("project.created", project.id, render(project).as_event())
    return project


async def _new(context: Context, given: Changes[ProjectFields]) -> Project:
    project_id, default_id, now = ProjectId(new_id()), SubprojectId(new_id()), context.now
    default = Subproject(
        id=default_id,
        project_id=project_id,
        name=DEFAULT_SUBPROJECT,
        sort_order=0,
        created_at=now,
        updated_at=now,
    )
    currency = given.fields.get("currency") or (await companies.get(context)).base_currency
    return Project(
        id=project_id,
        dimension_id=new_id(),
        default_subproject_id=default_id,
        subprojects=(default,),
        created_at=now,
        updated_at=now,
        **{**given.fields, "currency": currency},
    )


async def _change(context: Context, before: Project, changes: Changes[ProjectFields]) -> Project:
    project = changes.applied_to(before)
    if project == before:
        return before
    if before.is_archived and project.is_archived:
        raise PROJECT_INVALID_STATE.in_state("archived")
    rules.check(project)
    project = await _update(context, before, project)
    await dimensions.update(context, _dimension(project))
    return project


async def _update(context: Context, before: Project, project: Project) -> Project:
    """Write a project's row and emit the change, its subprojects' included (they are written already)."""
    project = replace(project, subprojects=rules.in_order(project.subprojects), updated_at=context.now)
    await store.update(context, project)
    context.emit("project.updated", project.id, render(project).as_event(), before=render(before).as_event())
    return project


async def _insert_subproject(context: Context, project: Project, subproject: Subproject) -> None:
    await dimensions.insert_value(context, _value(project, subproject), taken=SUBPROJECT_NAME_ALREADY_EXISTS)
    await store.insert_subproject(context, subproject)


async def _get_active(context: Context, project_id: ProjectId) -> Project:
    """A project that may change, locked with its subprojects."""
    project = await store.get_for_update(context, project_id)
    if project.is_archived:
        raise PROJECT_INVALID_STATE.in_state("archived")
    return project


def _split(project: Project, subproject_id: SubprojectId) -> tuple[Subproject, tuple[Subproject, ...]]:
    """The subproject and the others. Raises `SUBPROJECT_NOT_FOUND`."""
    for one in project.subprojects:
        if one.id == subproject_id:
            return one, tuple(other for other in project.subprojects if other is not one)
    raise SUBPROJECT_NOT_FOUND.error()


def _dimension(project: Project) -> Dimension:
    return Dimension(
        id=DimensionId(project.dimension_id),
        name=project.name,
        is_unique=False,
        is_project=True,
        is_archived=project.is_archived,
        created_at=project.created_at,
        updated_at=project.updated_at,
    )


def _value(project: Project, subproject: Subproject) -> DimensionValue:
    return DimensionValue(
        id=DimensionValueId(subproject.id),
        dimension_id=project.dimension_id,
        parent_id=None,
        name=subproject.name,
        created_at=subproject.created_at,
        updated_at=subproject.updated_at,
    )
