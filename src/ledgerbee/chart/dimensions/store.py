"""Rows of dimensions and their values."""

import json
from collections.abc import Collection
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.dimensions.model import (
    DIMENSION_IN_USE,
    DIMENSION_NAME_ALREADY_EXISTS,
    DIMENSION_NOT_FOUND,
    DIMENSION_VALUE_IN_USE,
    DIMENSION_VALUE_NAME_ALREADY_EXISTS,
    DIMENSION_VALUE_NOT_FOUND,
    DIMENSION_VALUE_PARENT_INVALID,
    Dimension,
    DimensionValue,
    TagValue,
)
from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Context

_COLUMNS: Final = "id, name, is_unique, is_project, is_archived, created_at, updated_at"
_VALUE_COLUMNS: Final = "id, dimension_id, parent_id, name, created_at, updated_at"


async def list_all(context: Context) -> list[Dimension]:
    """All dimensions, those of projects too, in order of creation."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM dimensions WHERE company_id = $1 ORDER BY created_at, id", context.company_id
    )
    return [Dimension(**row) for row in rows]


async def list_values(context: Context, dimension_id: UUID | None = None) -> list[DimensionValue]:
    """The values of one dimension or (None) of all, in order of creation."""
    rows = await context.connection.fetch(
        f"SELECT {_VALUE_COLUMNS} FROM dimension_values WHERE company_id = $1"
        " AND ($2::uuid IS NULL OR dimension_id = $2) ORDER BY created_at, id",
        context.company_id,
        dimension_id,
    )
    return [DimensionValue(**row) for row in rows]


async def find_values(context: Context, ids: Collection[UUID]) -> dict[UUID, TagValue]:
    """What tagging needs to know of the values among `ids` that the company has."""
    rows = await context.connection.fetch(
        "SELECT v.id, v.dimension_id, d.name AS dimension_name, d.is_unique, d.is_project, d.is_archived"
        " FROM dimension_values v JOIN dimensions d ON d.company_id = v.company_id AND d.id = v.dimension_id"
        " WHERE v.company_id = $1 AND v.id = ANY($2)",
        context.company_id,
        list(ids),
    )
    return {row["id"]: TagValue(**row) for row in rows}


async def hold_values(context: Context, ids: Collection[UUID]) -> None:
    """Keep these values from being deleted until the transaction ends, those of them that the company has."""
    await context.connection.execute(
        "SELECT FROM dimension_values WHERE company_id = $1 AND id = ANY($2) ORDER BY id FOR KEY SHARE",
        context.company_id,
        list(ids),
    )


async def get(context: Context, dimension_id: UUID) -> Dimension:
    """One dimension. Raises `DIMENSION_NOT_FOUND`."""
    return await _get(context, dimension_id, "")


async def get_for_update(context: Context, dimension_id: UUID) -> Dimension:
    """One dimension, it and its values kept from other changes until the transaction ends.

    Raises `DIMENSION_NOT_FOUND`.
    """
    return await _get(context, dimension_id, " FOR NO KEY UPDATE")


async def _get(context: Context, dimension_id: UUID, locking: str) -> Dimension:
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM dimensions WHERE company_id = $1 AND id = $2{locking}",
        context.company_id,
        dimension_id,
    )
    if row is None:
        raise DIMENSION_NOT_FOUND.error()
    return Dimension(**row)


async def get_value(context: Context, dimension_id: UUID, value_id: UUID) -> DimensionValue:
    """One value of the dimension. Raises `DIMENSION_VALUE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_VALUE_COLUMNS} FROM dimension_values WHERE company_id = $1 AND dimension_id = $2 AND id = $3",
        context.company_id,
        dimension_id,
        value_id,
    )
    if row is None:
        raise DIMENSION_VALUE_NOT_FOUND.error()
    return DimensionValue(**row)


async def insert(context: Context, dimension: Dimension) -> None:
    """Add a dimension. Raises `DIMENSION_NAME_ALREADY_EXISTS`."""
    try:
        await context.connection.execute(
            f"INSERT INTO dimensions (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            context.company_id,
            dimension.id,
            dimension.name,
            dimension.is_unique,
            dimension.is_project,
            dimension.is_archived,
            dimension.created_at,
            dimension.updated_at,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _name_taken(fault, "dimensions_name", DIMENSION_NAME_ALREADY_EXISTS, dimension.name) from None


async def update(context: Context, dimension: Dimension) -> None:
    """Write a dimension's fields.

    Raises `DIMENSION_NAME_ALREADY_EXISTS`, and `DIMENSION_IN_USE` when it becomes unique while values are in use.
    """
    try:
        await context.connection.execute(
            "UPDATE dimensions SET name = $3, is_unique = $4, is_archived = $5, updated_at = $6"
            " WHERE company_id = $1 AND id = $2",
            context.company_id,
            dimension.id,
            dimension.name,
            dimension.is_unique,
            dimension.is_archived,
            dimension.updated_at,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _name_taken(fault, "dimensions_name", DIMENSION_NAME_ALREADY_EXISTS, dimension.name) from None
    except asyncpg.ForeignKeyViolationError as fault:
        raise DIMENSION_IN_USE.used(_users(fault)) from None


async def delete(context: Context, dimension_id: UUID) -> None:
    """Delete a dimension with all its values. Raises `DIMENSION_IN_USE` when something carries one of them."""
    try:
        await context.connection.execute(
            "DELETE FROM dimension_values WHERE company_id = $1 AND dimension_id = $2", context.company_id, dimension_id
        )
    except asyncpg.ForeignKeyViolationError as fault:
        raise DIMENSION_IN_USE.used(_users(fault)) from None
    await context.connection.execute(
        "DELETE FROM dimensions WHERE company_id = $1 AND id = $2", context.company_id, dimension_id
    )


async def insert_value(
    context: Context, value: DimensionValue, *, taken: ErrorCode = DIMENSION_VALUE_NAME_ALREADY_EXISTS
) -> None:
    """Add a value. Raises `taken` when a sibling has its name."""
    try:
        await context.connection.execute(
            f"INSERT INTO dimension_values (company_id, {_VALUE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            context.company_id,
            value.id,
            value.dimension_id,
            value.parent_id,
            value.name,
            value.created_at,
            value.updated_at,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _name_taken(fault, "dimension_values_name", taken, value.name) from None


async def update_value(
    context: Context, value: DimensionValue, *, taken: ErrorCode = DIMENSION_VALUE_NAME_ALREADY_EXISTS
) -> None:
    """Write a value's name and place. Raises `taken` when a sibling has its name."""
    try:
        await context.connection.execute(
            "UPDATE dimension_values SET parent_id = $3, name = $4, updated_at = $5 WHERE company_id = $1 AND id = $2",
            context.company_id,
            value.id,
            value.parent_id,
            value.name,
            value.updated_at,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _name_taken(fault, "dimension_values_name", taken, value.name) from None
    except asyncpg.CheckViolationError as fault:
        if fault.constraint_name == "dimension_values_no_circle":
            raise DIMENSION_VALUE_PARENT_INVALID.error(property="parentId") from None
        raise


async def delete_value(context: Context, value_id: UUID, *, in_use: ErrorCode = DIMENSION_VALUE_IN_USE) -> None:
    """Delete a value. Raises `in_use` when something carries it or values lie below it."""
    try:
        await context.connection.execute(
            "DELETE FROM dimension_values WHERE company_id = $1 AND id = $2", context.company_id, value_id
        )
    except asyncpg.ForeignKeyViolationError as fault:
        raise in_use.used(_users(fault)) from None


def _name_taken(fault: asyncpg.UniqueViolationError, index: str, taken: ErrorCode, name: str) -> Exception:
    return taken.taken("name", name) if fault.constraint_name == index else fault


def _users(fault: asyncpg.ForeignKeyViolationError) -> list[str]:
    """What stands on the row: the trigger's own list, or the values below it."""
    if fault.constraint_name == "dimension_values_in_use":
        return list(json.loads(fault.detail or "[]"))
    if fault.constraint_name == "dimension_values_parent":
        return ["values"]
    raise fault
