"""Rows of projects and subprojects, and their figures by month."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_NOT_FOUND,
    Figures,
    Project,
    Subproject,
    SubprojectMonth,
)
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context

_SELECT: Final = """
SELECT p.id, d.name, d.is_archived, p.currency, p.dimension_id, p.default_subproject_id, p.customer_id, p.budget_hours,
       p.budget_amount, p.start_date, p.end_date, p.external_reference, p.color, p.created_at, p.updated_at
FROM projects p JOIN dimensions d ON d.company_id = p.company_id AND d.id = p.dimension_id
WHERE p.company_id = $1
"""
_SUBPROJECTS: Final = """
SELECT s.project_id, s.id, v.name, s.sort_order, s.budget_hours, s.budget_amount, v.created_at, v.updated_at
FROM subprojects s JOIN dimension_values v ON v.company_id = s.company_id AND v.id = s.id
WHERE s.company_id = $1 AND s.project_id = ANY ($2)
ORDER BY s.sort_order, v.created_at, v.id
"""
# Only accounts of the result: what a project has bought or is owed is neither earned nor spent.
_FIGURES: Final = """
SELECT s.id, m.month,
       coalesce(sum(m.base_credit - m.base_debit) FILTER (WHERE a.classification = 'REVENUE'), 0) AS revenue,
       coalesce(sum(m.base_debit - m.base_credit) FILTER (WHERE a.classification = 'EXPENSE'), 0) AS cost
FROM subprojects s
JOIN tag_months m ON m.company_id = s.company_id AND m.tag_id = s.id
JOIN accounts a ON a.company_id = m.company_id AND a.id = m.account_id
WHERE s.company_id = $1 AND s.project_id = $2 AND a.ledger_type = 'PROFIT_AND_LOSS'
GROUP BY s.id, m.month
"""
#: A constraint's name -> the error it stands for, and the field that broke it: its wire name, its own,
#: and what the id is called that it refers by.
_REFUSALS: Final[Mapping[str, tuple[ErrorCode, str, str, str | None]]] = {
    "projects_external_reference": (
        PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
        "externalReference",
        "external_reference",
        None,
    ),
    "projects_customer": (CUSTOMER_NOT_FOUND, "customerId", "customer_id", "customerId"),
}


async def list_all(context: Context, *, include_archived: bool) -> list[Project]:
    """The projects in order of creation, archived ones only if asked for."""
    rows = await context.connection.fetch(
        f"{_SELECT} AND ($2 OR NOT d.is_archived) ORDER BY p.created_at, p.id", context.company_id, include_archived
    )
    return await _with_subprojects(context, rows)


async def get(context: Context, project_id: UUID) -> Project:
    """One project. Raises `PROJECT_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_SELECT} AND p.id = $2", context.company_id, project_id)
    return await _required(context, row)


async def get_for_update(context: Context, project_id: UUID) -> Project:
    """One project, it and its subprojects kept from other changes until the transaction ends.

    Raises `PROJECT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(
        f"{_SELECT} AND p.id = $2 FOR NO KEY UPDATE", context.company_id, project_id
    )
    return await _required(context, row)


async def find_for_update(context: Context, external_reference: str) -> Project | None:
    """The project with this reference, if there is one, locked like `get_for_update`."""
    row = await context.connection.fetchrow(
        f"{_SELECT} AND p.external_reference = $2 FOR NO KEY UPDATE", context.company_id, external_reference
    )
    return None if row is None else (await _with_subprojects(context, [row]))[0]


async def insert(context: Context, project: Project) -> bool:
    """Add a project's row; False, and nothing added, when its reference is taken (also by who commits first).

    Its dimension and its default subproject have to follow before the commit. Raises `CUSTOMER_NOT_FOUND`.
    """
    row = await _write(
        context,
        "INSERT INTO projects (company_id, id, currency, customer_id, budget_hours, budget_amount, start_date,"
        " end_date, external_reference, color, updated_at, created_at, dimension_id, default_subproject_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (company_id, external_reference) DO NOTHING RETURNING id",
        project,
        project.created_at,
        project.dimension_id,
        project.default_subproject_id,
    )
    return row is not None


async def update(context: Context, project: Project) -> None:
    """Write a project's row. Raises `CUSTOMER_NOT_FOUND`, `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`."""
    await _write(
        context,
        "UPDATE projects SET currency = $3, customer_id = $4, budget_hours = $5, budget_amount = $6, start_date = $7,"
        " end_date = $8, external_reference = $9, color = $10, updated_at = $11 WHERE company_id = $1 AND id = $2",
        project,
    )


async def _write(context: Context, statement: str, project: Project, *more: object) -> asyncpg.Record | None:
    try:
        return await context.connection.fetchrow(
            statement,
            context.company_id,
            project.id,
            project.currency,
            project.customer_id,
            project.budget_hours,
            project.budget_amount,
            project.start_date,
            project.end_date,
            project.external_reference,
            project.color,
            project.updated_at,
            *more,
        )
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as fault:
        refusal = _REFUSALS.get(fault.constraint_name or "")
        if refusal is None:
            raise
        error, name, field, id_name = refusal
        value = getattr(project, field)
        raise (error.missing(name, id_name, value) if id_name else error.taken(name, value)) from None


async def insert_subproject(context: Context, project_id: UUID, subproject: Subproject) -> None:
    """Add a subproject's row; the value of its id is there already."""
    await context.connection.execute(
        "INSERT INTO subprojects (company_id, id, project_id, sort_order, budget_hours, budget_amount)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        context.company_id,
        subproject.id,
        project_id,
        subproject.sort_order,
        subproject.budget_hours,
        subproject.budget_amount,
    )


async def update_subproject(context: Context, subproject: Subproject) -> None:
    """Write a subproject's row."""
    await context.connection.execute(
        "UPDATE subprojects SET sort_order = $3, budget_hours = $4, budget_amount = $5"
        " WHERE company_id = $1 AND id = $2",
        context.company_id,
        subproject.id,
        subproject.sort_order,
        subproject.budget_hours,
        subproject.budget_amount,
    )


async def delete_subproject(context: Context, subproject_id: UUID) -> None:
    """Delete a subproject's row; its value has to follow."""
    await context.connection.execute(
        "DELETE FROM subprojects WHERE company_id = $1 AND id = $2", context.company_id, subproject_id
    )


async def figures(context: Context, project_id: UUID) -> list[SubprojectMonth]:
    """Revenue and cost of each subproject and month in which anything was posted, in base currency."""
    rows = await context.connection.fetch(_FIGURES, context.company_id, project_id)
    return [SubprojectMonth(row["id"], row["month"], Figures(row["revenue"], row["cost"])) for row in rows]


async def _required(context: Context, row: asyncpg.Record | None) -> Project:
    if row is None:
        raise PROJECT_NOT_FOUND.error()
    return (await _with_subprojects(context, [row]))[0]


async def _with_subprojects(context: Context, rows: Sequence[asyncpg.Record]) -> list[Project]:
    found: dict[UUID, list[Subproject]] = {row["id"]: [] for row in rows}
    for row in await context.connection.fetch(_SUBPROJECTS, context.company_id, list(found)):
        fields = dict(row)
        found[fields.pop("project_id")].append(Subproject(**fields))
    return [Project(**row, subprojects=tuple(found[row["id"]])) for row in rows]
