"""Rows of dimensions and their values."""

import json
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from ledgerbee.chart.dimensions.model import (
    DIMENSION_IN_USE,
    DIMENSION_NAME_ALREADY_EXISTS,
    DIMENSION_NOT_FOUND,
    DIMENSION_VALUE_IN_USE,
    DIMENSION_VALUE_NAME_ALREADY_EXISTS,
    DIMENSION_VALUE_NOT_FOUND,
    DIMENSION_VALUE_PARENT_INVALID,
    Dimension,
    DimensionId,
    DimensionValue,
    DimensionValueId,
    TagValue,
)
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(Dimension)} FROM dimensions WHERE company_id = $1"
_LIST: Final = f"{_SELECT} ORDER BY created_at, id"
_GET: Final = f"{_SELECT} AND id = $2"
_LOCK: Final = f"{_GET} FOR NO KEY UPDATE"
_INSERT: Final = rows.insert("dimensions", Dimension)
_UPDATE: Final = rows.update("dimensions", Dimension, fixed=("is_project", "created_at"))
_DELETE: Final = "DELETE FROM dimensions WHERE company_id = $1 AND id = $2"

_SELECT_VALUES: Final = f"SELECT {rows.columns(DimensionValue)} FROM dimension_values WHERE company_id = $1"
_LIST_VALUES: Final = f"{_SELECT_VALUES} ORDER BY created_at, id"
_LIST_VALUES_OF: Final = f"{_SELECT_VALUES} AND dimension_id = $2 ORDER BY created_at, id"
_GET_VALUE: Final = f"{_SELECT_VALUES} AND dimension_id = $2 AND id = $3"
_GET_TAGS: Final = (
    "SELECT v.id, v.dimension_id, d.name AS dimension_name, d.is_unique, d.is_project, d.is_archived"
    " FROM dimension_values v JOIN dimensions d ON d.company_id = v.company_id AND d.id = v.dimension_id"
    " WHERE v.company_id = $1 AND v.id = ANY($2)"
)
_KEY_SHARE: Final = "SELECT FROM dimension_values WHERE company_id = $1 AND id = ANY($2) ORDER BY id FOR KEY SHARE"
_INSERT_VALUE: Final = rows.insert("dimension_values", DimensionValue)
_UPDATE_VALUE: Final = rows.update("dimension_values", DimensionValue, fixed=("dimension_id", "created_at"))
_DELETE_VALUES_OF: Final = "DELETE FROM dimension_values WHERE company_id = $1 AND dimension_id = $2"
_DELETE_VALUE: Final = "DELETE FROM dimension_values WHERE company_id = $1 AND id = $2"


async def list_all(context: Context) -> list[Dimension]:
    """All dimensions, those of projects too, in order of creation."""
    return [Dimension(**row) for row in await context.connection.fetch(_LIST, context.company_id)]


async def list_all_values(context: Context) -> list[DimensionValue]:
    """The values of all dimensions, in order of creation."""
    return [DimensionValue(**row) for row in await context.connection.fetch(_LIST_VALUES, context.company_id)]


async def list_values(context: Context, dimension_id: UUID) -> list[DimensionValue]:
    """The values of one dimension, in order of creation."""
    found = await context.connection.fetch(_LIST_VALUES_OF, context.company_id, dimension_id)
    return [DimensionValue(**row) for row in found]


async def get_tags(context: Context, ids: Collection[UUID]) -> dict[UUID, TagValue]:
    """What tagging needs to know of the values among `ids` that the company has."""
    found = await context.connection.fetch(_GET_TAGS, context.company_id, list(ids))
    return {row["id"]: TagValue(**row) for row in found}


async def lock_values_for_key_share(context: Context, ids: Collection[UUID]) -> None:
    """Keep these values from being deleted until the transaction ends, those of them that the company has."""
    await context.connection.execute(_KEY_SHARE, context.company_id, list(ids))


async def get(context: Context, dimension_id: DimensionId) -> Dimension:
    """One dimension. Raises `DIMENSION_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, dimension_id)
    return Dimension(**DIMENSION_NOT_FOUND.unless(row))


async def get_for_update(context: Context, dimension_id: DimensionId) -> Dimension:
    """One dimension, it and its values kept from other changes until the transaction ends.

    Raises `DIMENSION_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(_LOCK, context.company_id, dimension_id)
    return Dimension(**DIMENSION_NOT_FOUND.unless(row))


async def get_value(context: Context, dimension_id: DimensionId, value_id: DimensionValueId) -> DimensionValue:
    """One value of the dimension. Raises `DIMENSION_VALUE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET_VALUE, context.company_id, dimension_id, value_id)
    return DimensionValue(**DIMENSION_VALUE_NOT_FOUND.unless(row))


async def insert(context: Context, dimension: Dimension) -> None:
    """Add a dimension. Raises `DIMENSION_NAME_ALREADY_EXISTS`."""
    await _write(context, _INSERT, dimension)


async def update(context: Context, dimension: Dimension) -> None:
    """Write a dimension's fields.

    Raises `DIMENSION_NAME_ALREADY_EXISTS`, and `DIMENSION_IN_USE` when it becomes unique while values are in use.
    """
    await _write(context, _UPDATE, dimension)


async def delete(context: Context, dimension_id: DimensionId) -> None:
    """Delete a dimension with all its values. Raises `DIMENSION_IN_USE` when something carries one of them."""
    with rows.refusing(_uses(DIMENSION_IN_USE)):
        await context.connection.execute(_DELETE_VALUES_OF, context.company_id, dimension_id)
    await context.connection.execute(_DELETE, context.company_id, dimension_id)


async def insert_value(
    context: Context, value: DimensionValue, *, taken: ErrorCode = DIMENSION_VALUE_NAME_ALREADY_EXISTS
) -> None:
    """Add a value. Raises `taken` when a sibling has its name."""
    await _write_value(context, _INSERT_VALUE, value, taken)


async def update_value(
    context: Context, value: DimensionValue, *, taken: ErrorCode = DIMENSION_VALUE_NAME_ALREADY_EXISTS
) -> None:
    """Write a value's name and place. Raises `taken` when a sibling has its name."""
    await _write_value(context, _UPDATE_VALUE, value, taken)


async def delete_value(
    context: Context, value_id: DimensionValueId, *, in_use: ErrorCode = DIMENSION_VALUE_IN_USE
) -> None:
    """Delete a value. Raises `in_use` when something carries it or values lie below it."""
    with rows.refusing(_uses(in_use)):
        await context.connection.execute(_DELETE_VALUE, context.company_id, value_id)


async def _write(context: Context, statement: str, dimension: Dimension) -> None:
    taken = DIMENSION_NAME_ALREADY_EXISTS.taken("name", dimension.name)
    with rows.refusing({"dimensions_name": taken, **_uses(DIMENSION_IN_USE)}):
        await context.connection.execute(statement, context.company_id, *rows.values(dimension))


async def _write_value(context: Context, statement: str, value: DimensionValue, taken: ErrorCode) -> None:
    refusals = {
        "dimension_values_name": taken.taken("name", value.name),
        "dimension_values_no_circle": DIMENSION_VALUE_PARENT_INVALID.error(property="parentId"),
    }
    with rows.refusing(refusals):
        await context.connection.execute(statement, context.company_id, *rows.values(value))


def _uses(in_use: ErrorCode) -> dict[str, LedgerBeeError | Callable[[str | None], LedgerBeeError]]:
    """The refusals of a value that something carries (a trigger says what), or that has values below it."""
    return {
        "dimension_values_in_use": lambda detail: in_use.used(json.loads(detail or "[]")),
        "dimension_values_parent": in_use.used(["values"]),
    }
