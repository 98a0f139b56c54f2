"""Rows of projects and subprojects, and their figures by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.ledger.projects.model import (
    PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS,
    PROJECT_NOT_FOUND,
    Figures,
    Project,
    ProjectDetails,
    ProjectId,
    Subproject,
    SubprojectDetails,
    SubprojectId,
    SubprojectMonth,
)
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProjectRow(ProjectDetails):
    """A row of `projects`: the rest of a project stands in the row of its dimension."""

    id: ProjectId
    dimension_id: UUID
    default_subproject_id: SubprojectId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _SubprojectRow(SubprojectDetails):
    """A row of `subprojects`: the rest of a subproject stands in the row of its dimension value."""

    id: SubprojectId
    project_id: ProjectId


_SELECT: Final = f"""
SELECT {rows.columns(_ProjectRow, "p")}, d.name, d.is_archived
FROM projects p JOIN dimensions d ON d.company_id = p.company_id AND d.id = p.dimension_id
WHERE p.company_id = $1
"""
_GET: Final = f"{_SELECT} AND p.id = $2"
_GET_FOR_UPDATE: Final = f"{_GET} FOR NO KEY UPDATE"
_FIND_FOR_UPDATE: Final = f"{_SELECT} AND p.external_reference = $2 FOR NO KEY UPDATE"
_LIST: Final = f"{_SELECT} AND ($2 OR NOT d.is_archived) ORDER BY p.created_at, p.id"
_SUBPROJECTS: Final = f"""
SELECT {rows.columns(_SubprojectRow, "s")}, v.name, v.created_at, v.updated_at
FROM subprojects s JOIN dimension_values v ON v.company_id = s.company_id AND v.id = s.id
WHERE s.company_id = $1 AND s.project_id = ANY ($2)
ORDER BY s.sort_order, v.created_at, v.id
"""
_INSERT: Final = (
    f"{rows.insert('projects', _ProjectRow)} ON CONFLICT (company_id, external_reference) DO NOTHING RETURNING id"
)
_UPDATE: Final = rows.update("projects", _ProjectRow, fixed=("dimension_id", "default_subproject_id", "created_at"))
_INSERT_SUBPROJECT: Final = rows.insert("subprojects", _SubprojectRow)
_UPDATE_SUBPROJECT: Final = rows.update("subprojects", _SubprojectRow, fixed=("project_id",))
_DELETE_SUBPROJECT: Final = "DELETE FROM subprojects WHERE company_id = $1 AND id = $2"
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


async def list_all(context: Context, *, include_archived: bool) -> list[Project]:
    """The projects in order of creation, archived ones only if asked for."""
    return await _with_subprojects(context, await context.connection.fetch(_LIST, context.company_id, include_archived))


async def get(context: Context, project_id: ProjectId) -> Project:
    """One project. Raises `PROJECT_NOT_FOUND`."""
    return PROJECT_NOT_FOUND.unless(await _find(context, _GET, project_id))


async def get_for_update(context: Context, project_id: ProjectId) -> Project:
    """One project, it and its subprojects kept from other changes until the transaction ends.

    Raises `PROJECT_NOT_FOUND`.
    """
    return PROJECT_NOT_FOUND.unless(await _find(context, _GET_FOR_UPDATE, project_id))


async def find_for_update(context: Context, external_reference: str) -> Project | None:
    """The project with this reference, if there is one, locked like `get_for_update`."""
    return await _find(context, _FIND_FOR_UPDATE, external_reference)


async def insert(context: Context, project: Project) -> bool:
    """Add a project's row; False, and nothing added, when its reference is taken (also by who commits first).

    Its dimension and its default subproject have to follow before the commit. Raises `CUSTOMER_NOT_FOUND`.
    """
    return await _write(context, _INSERT, project) is not None


async def update(context: Context, project: Project) -> None:
    """Write a project's row. Raises `CUSTOMER_NOT_FOUND`, `PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS`."""
    await _write(context, _UPDATE, project)


async def insert_subproject(context: Context, subproject: Subproject) -> None:
    """Add a subproject's row; the dimension value of its id is there already."""
    await context.connection.execute(_INSERT_SUBPROJECT, context.company_id, *_values(_SubprojectRow, subproject))


async def update_subproject(context: Context, subproject: Subproject) -> None:
    await context.connection.execute(_UPDATE_SUBPROJECT, context.company_id, *_values(_SubprojectRow, subproject))


async def delete_subproject(context: Context, subproject_id: SubprojectId) -> None:
    """Delete a subproject's row; its dimension value has to follow."""
    await context.connection.execute(_DELETE_SUBPROJECT, context.company_id, subproject_id)


async def list_figures(context: Context, project_id: ProjectId) -> list[SubprojectMonth]:
    """Revenue and cost of each subproject and month in which anything was posted, in base currency."""
    found = await context.connection.fetch(_FIGURES, context.company_id, project_id)
    return [SubprojectMonth(row["id"], row["month"], Figures(row["revenue"], row["cost"])) for row in found]


async def _write(context: Context, statement: str, project: Project) -> asyncpg.Record | None:
    refusals = {
        "projects_external_reference": PROJECT_EXTERNAL_REFERENCE_ALREADY_EXISTS.taken(
            "externalReference", project.external_reference
        ),
        "projects_customer": CUSTOMER_NOT_FOUND.missing("customerId", "customerId", project.customer_id),
    }
    with rows.refusing(refusals):
        return await context.connection.fetchrow(statement, context.company_id, *_values(_ProjectRow, project))


def _values(row: type[_ProjectRow | _SubprojectRow], of: Project | Subproject) -> list[object]:
    return [getattr(of, name) for name in names_of(row)]


async def _find(context: Context, statement: str, key: object) -> Project | None:
    row = await context.connection.fetchrow(statement, context.company_id, key)
    return None if row is None else (await _with_subprojects(context, [row]))[0]


async def _with_subprojects(context: Context, found: Sequence[asyncpg.Record]) -> list[Project]:
    parts: dict[ProjectId, list[Subproject]] = {row["id"]: [] for row in found}
    for row in await context.connection.fetch(_SUBPROJECTS, context.company_id, list(parts)):
        parts[row["project_id"]].append(Subproject(**row))
    return [Project(**row, subprojects=tuple(parts[row["id"]])) for row in found]
