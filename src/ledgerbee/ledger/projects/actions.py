"""Creating and changing projects and their subprojects; what a project earned.

A project is kept together with its dimension, a subproject with its value: both are written here only.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.dimensions.model import Dimension, DimensionId, DimensionValue, DimensionValueId
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.projects import rules, store
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_INVALID_STATE,
    SUBPROJECT_IN_USE,
    SUBPROJECT_NAME_ALREADY_EXISTS,
    SUBPROJECT_NOT_FOUND,
    Project,
    ProjectProfit,
    Subproject,
)
from ledgerbee.ledger.projects.wire import snapshot
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates

#: The name of the subproject that comes with a project; Danish and English alike.
DEFAULT_SUBPROJECT: Final = "Standard"


async def create(context: Context, *, name: str, **given: Any) -> Project:
    """Create a project with its default subproject. `given` are further fields of `Project`.

    `currency` (ISO 4217) is the company's base currency unless given. Emits `project.created`. Raises validation
    errors, `CUSTOMER_NOT_FOUND`, `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`.
    """
    project = await _create(context, name=name, **given)
    if project is None:
        raise PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS.taken("externalReference", given.get("external_reference"))
    return project


async def upsert(context: Context, *, external_reference: str, name: str, **given: Any) -> tuple[Project, bool]:
    """Create the project of this reference or change it in place; answers which (True: created).

    Several at once make one project. Raises what `create` and `update` raise.
    """
    while True:
        before = await store.find_for_update(context, external_reference)
        if before is not None:
            return await _change(context, before, {"name": name, **given}), False
        created = await _create(context, name=name, external_reference=external_reference, **given)
        if created is not None:
            return created, True
        # Another one made it and has committed: it is found now.


async def update(context: Context, project_id: UUID, **given: Any) -> Project:
    """Change the given fields of a project. Emits `project.updated` if anything became different.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project that stays archived, validation
    errors, `CUSTOMER_NOT_FOUND`, `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`.
    """
    return await _change(context, await store.get_for_update(context, project_id), given)


async def add_subproject(
    context: Context,
    project_id: UUID,
    *,
    name: str,
    sort_order: int | None = None,
    budget_hours: Decimal | None = None,
    budget_amount: Decimal | None = None,
) -> tuple[Project, Subproject]:
    """Add a subproject, after all others unless `sort_order` is given; budgets are in hours and the project's currency.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project, `SUBPROJECT_NAME_ALREADY_EXISTS` and
    a validation error.
    """
    project = await _active(context, project_id)
    subproject = Subproject(
        id=new_id(),
        name=name,
        sort_order=rules.next_place(project.subprojects) if sort_order is None else sort_order,
        created_at=context.now,
        updated_at=context.now,
        budget_hours=budget_hours,
        budget_amount=budget_amount,
    )
    rules.check_budget(budget_amount, project.currency)
    await _insert_subproject(context, project, subproject)
    after = replace(project, subprojects=(*project.subprojects, subproject))
    return await _save(context, project, after), subproject


async def update_subproject(
    context: Context, project_id: UUID, subproject_id: UUID, changes: dict[str, Any]
) -> tuple[Project, Subproject]:
    """Change the named fields of a subproject, the default one too.

    Raises what `add_subproject` raises and `SUBPROJECT_NOT_FOUND`.
    """
    project = await _active(context, project_id)
    before, others = _split(project, subproject_id)
    subproject = replace(before, **changes)
    if subproject == before:
        return project, before
    subproject = replace(subproject, updated_at=context.now)
    rules.check_budget(subproject.budget_amount, project.currency)
    await dimensions.update_value(context, _value(project, subproject), taken=SUBPROJECT_NAME_ALREADY_EXISTS)
    await store.update_subproject(context, subproject)
    return await _save(context, project, replace(project, subprojects=(*others, subproject))), subproject


async def delete_subproject(context: Context, project_id: UUID, subproject_id: UUID) -> None:
    """Delete a subproject that nothing carries.

    Raises `PROJECT_NOT_FOUND`, `PROJECT_INVALID_STATE` for an archived project, `SUBPROJECT_NOT_FOUND`, and
    `SUBPROJECT_IN_USE`, for the default subproject always.
    """
    project = await _active(context, project_id)
    _, others = _split(project, subproject_id)
    if subproject_id == project.default_subproject_id:
        raise SUBPROJECT_IN_USE.used(["defaultSubproject"])
    await store.delete_subproject(context, subproject_id)
    await dimensions.delete_value(context, DimensionValueId(subproject_id), in_use=SUBPROJECT_IN_USE)
    await _save(context, project, replace(project, subprojects=others))


async def profit(context: Context, project_id: UUID) -> ProjectProfit:
    """What a project earned and spent as posted so far, in base currency; its budget at today's rate.

    Raises `PROJECT_NOT_FOUND`.
    """
    project = await store.get(context, project_id)
    company = await companies.get(context)
    posted = await store.figures(context, project_id)
    rate = await rates.find(context, project.currency, context.today)
    return rules.profit(project, posted, company.base_currency, rate.value if rate else None)


async def _create(context: Context, *, name: str, currency: str | None = None, **optional: Any) -> Project | None:
    """Write a project, its dimension and its default subproject; nothing (None) when its reference is taken."""
    default = Subproject(
        id=new_id(), name=DEFAULT_SUBPROJECT, sort_order=0, created_at=context.now, updated_at=context.now
    )
    project = Project(
        id=new_id(),
        name=name,
        currency=currency or (await companies.get(context)).base_currency,
        dimension_id=new_id(),
        default_subproject_id=default.id,
        subprojects=(default,),
        created_at=context.now,
        updated_at=context.now,
        **optional,
    )
    rules.check(project)
    if not await store.insert(context, project):
        return None
    await dimensions.insert(context, _dimension(project))
    await _insert_subproject(context, project, default)
    context.emit("project.created", project.id, snapshot(project))
    return project


async def _change(context: Context, before: Project, given: dict[str, Any]) -> Project:
    project = replace(before, **given)
    if project == before:
        return before
    if before.is_archived and project.is_archived:
        raise PROJECT_INVALID_STATE.in_state("archived")
    rules.check(project)
    project = await _save(context, before, project)
    await dimensions.update(context, _dimension(project))
    return project


async def _save(context: Context, before: Project, project: Project) -> Project:
    """Write a project's row and tell of the change, its subprojects' included (they are written already)."""
    project = replace(project, subprojects=rules.in_order(project.subprojects), updated_at=context.now)
    await store.update(context, project)
    context.emit("project.updated", project.id, snapshot(project), before=snapshot(before))
    return project


async def _insert_subproject(context: Context, project: Project, subproject: Subproject) -> None:
    await dimensions.insert_value(context, _value(project, subproject), taken=SUBPROJECT_NAME_ALREADY_EXISTS)
    await store.insert_subproject(context, project.id, subproject)


async def _active(context: Context, project_id: UUID) -> Project:
    """A project that may change, locked with its subprojects."""
    project = await store.get_for_update(context, project_id)
    if project.is_archived:
        raise PROJECT_INVALID_STATE.in_state("archived")
    return project


def _split(project: Project, subproject_id: UUID) -> tuple[Subproject, tuple[Subproject, ...]]:
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
