"""Creating, changing and deleting dimensions and their values. A project's dimension is changed by the project only."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.chart.dimensions import rules, store
from ledgerbee.chart.dimensions.model import (
    DIMENSION_IN_USE,
    DIMENSION_INVALID_STATE,
    DIMENSION_VALUE_NOT_FOUND,
    Dimension,
    DimensionValue,
    ValueNode,
)
from ledgerbee.chart.dimensions.wire import snapshot, value_snapshot
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def create(context: Context, *, name: str, is_unique: bool) -> Dimension:
    """Create a dimension without values. Emits `dimension.created`. Raises `DIMENSION_NAME_ALREADY_EXISTS`."""
    dimension = Dimension(
        id=new_id(),
        name=name,
        is_unique=is_unique,
        is_project=False,
        is_archived=False,
        created_at=context.now,
        updated_at=context.now,
    )
    await store.insert(context, dimension)
    context.emit("dimension.created", dimension.id, snapshot(dimension))
    return dimension


async def update(context: Context, dimension_id: UUID, *, name: str, is_unique: bool) -> Dimension:
    """Change name and uniqueness. Emits `dimension.updated` if anything became different.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_NAME_ALREADY_EXISTS`, and
    `DIMENSION_IN_USE` when it is to become unique while something carries values of it.
    """
    before = await _own(context, dimension_id)
    dimension = replace(before, name=name, is_unique=is_unique)
    if dimension == before:
        return before
    dimension = replace(dimension, updated_at=context.now)
    await store.update(context, dimension)
    context.emit("dimension.updated", dimension.id, snapshot(dimension), before=snapshot(before))
    return dimension


async def delete(context: Context, dimension_id: UUID) -> None:
    """Delete a dimension with its values. Emits `dimension.deleted` (for the values too).

    Raises `DIMENSION_NOT_FOUND`, and `DIMENSION_IN_USE` for a project's or when something carries one of its values.
    """
    dimension = await store.get_for_update(context, dimension_id)
    if dimension.is_project:
        raise DIMENSION_IN_USE.used(["projects"])
    await store.delete(context, dimension_id)
    context.emit("dimension.deleted", dimension.id, snapshot(dimension), before=snapshot(dimension))


async def create_value(
    context: Context, dimension_id: UUID, *, name: str, parent_id: UUID | None = None
) -> DimensionValue:
    """Add a value at the root or below another. Emits `dimension_value.created`.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_VALUE_NOT_FOUND` (the parent),
    `DIMENSION_VALUE_NAME_ALREADY_EXISTS` and a validation error for a tree that gets too deep.
    """
    await _own(context, dimension_id)
    value = DimensionValue(
        id=new_id(),
        dimension_id=dimension_id,
        parent_id=parent_id,
        name=name,
        created_at=context.now,
        updated_at=context.now,
    )
    if parent_id is not None:
        others = await store.list_values(context, dimension_id)
        rules.check_parent(value.id, parent_id, {other.id: other.parent_id for other in others})
    await store.insert_value(context, value)
    context.emit("dimension_value.created", value.id, value_snapshot(value))
    return value


async def update_value(context: Context, dimension_id: UUID, value_id: UUID, changes: dict[str, Any]) -> ValueNode:
    """Change the named fields (name, parent) of a value, which moves with all below it.

    Emits `dimension_value.updated` if anything became different. Raises `DIMENSION_VALUE_PARENT_INVALID` for a
    circle and what `create_value` raises. Answers with the value and what is below it.
    """
    await _own(context, dimension_id)
    values = {value.id: value for value in await store.list_values(context, dimension_id)}
    before = values.get(value_id)
    if before is None:
        raise DIMENSION_VALUE_NOT_FOUND.error()
    value = replace(before, **changes)
    if value.parent_id is not None and value.parent_id != before.parent_id:
        rules.check_parent(value_id, value.parent_id, {other.id: other.parent_id for other in values.values()})
    if value != before:
        value = replace(value, updated_at=context.now)
        await store.update_value(context, value)
        context.emit("dimension_value.updated", value.id, value_snapshot(value), before=value_snapshot(before))
    return rules.nodes({**values, value_id: value}.values())[value_id]


async def delete_value(context: Context, dimension_id: UUID, value_id: UUID) -> None:
    """Delete a value that nothing carries and nothing lies below. Emits `dimension_value.deleted`.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_VALUE_NOT_FOUND` and
    `DIMENSION_VALUE_IN_USE`.
    """
    await _own(context, dimension_id)
    value = await store.get_value(context, dimension_id, value_id)
    await store.delete_value(context, value_id)
    context.emit("dimension_value.deleted", value.id, value_snapshot(value), before=value_snapshot(value))


async def _own(context: Context, dimension_id: UUID) -> Dimension:
    """A dimension that is no project's, locked with its values."""
    dimension = await store.get_for_update(context, dimension_id)
    if dimension.is_project:
        raise DIMENSION_INVALID_STATE.in_state("project")
    return dimension
