"""What a report is narrowed to: the lines that carry a dimension value, or a subproject of a project."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import invalid
from ledgerbee.platform.context import Context

_SUBPROJECTS: Final = "SELECT id FROM subprojects WHERE company_id = $1 AND project_id = $2"


async def tags_of(context: Context, dimension_value_id: UUID | None, project_id: UUID | None) -> Sequence[UUID] | None:
    """The tags that a report counts the lines of, of which a line carries one at most; None: it counts all lines.

    A value stands for itself, not for those below it; nothing carries one that the company hasn't. Raises a validation
    error where both are given.
    """
    if project_id is None:
        return None if dimension_value_id is None else [dimension_value_id]
    if dimension_value_id is not None:
        raise invalid(("projectId", "isOnlyOne", "projectId can't be given with dimensionValueId"))
    return [row["id"] for row in await context.connection.fetch(_SUBPROJECTS, context.company_id, project_id)]
