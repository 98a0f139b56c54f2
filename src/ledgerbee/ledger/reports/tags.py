"""What a report is narrowed to: the lines that carry a dimension value, or a subproject of a project."""

from collections.abc import Sequence
from uuid import UUID

from ledgerbee.chart.dimensions import store as dimensions
from ledgerbee.chart.dimensions.model import DIMENSION_VALUE_NOT_FOUND
from ledgerbee.core.errors import invalid
from ledgerbee.ledger.projects import store as projects
from ledgerbee.ledger.projects.model import ProjectId
from ledgerbee.platform.context import Context


async def tags_of(context: Context, dimension_value_id: UUID | None, project_id: UUID | None) -> Sequence[UUID] | None:
    """The tags that a report counts the lines of, of which a line carries one at most; None: it counts all lines.

    A value stands for itself, not for those below it. Raises `DIMENSION_VALUE_NOT_FOUND`, `PROJECT_NOT_FOUND`, and a
    validation error where both are given.
    """
    if project_id is not None:
        if dimension_value_id is not None:
            raise invalid(("projectId", "isOnlyOne", "projectId can't be given with dimensionValueId"))
        return [one.id for one in (await projects.get(context, ProjectId(project_id))).subprojects]
    if dimension_value_id is None:
        return None
    if not await dimensions.get_tags(context, [dimension_value_id]):
        raise DIMENSION_VALUE_NOT_FOUND.error()
    return [dimension_value_id]
