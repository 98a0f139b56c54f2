"""Creating, changing and deleting dimensions and their values. A project's dimension is changed by the project only."""

from dataclasses import replace

from ledgerbee.chart.dimensions import rules, store
from ledgerbee.chart.dimensions.model import (
    DIMENSION_IN_USE,
    DIMENSION_INVALID_STATE,
    DIMENSION_VALUE_NOT_FOUND,
    Dimension,
    DimensionFields,
    DimensionId,
    DimensionValue,
    DimensionValueFields,
    DimensionValueId,
    ValueNode,
)
from ledgerbee.chart.dimensions.wire import event_of, event_of_value
from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def create(context: Context, given: DimensionFields) -> Dimension:
    """Create a dimension without values. Emits `dimension.created`. Raises `DIMENSION_NAME_ALREADY_EXISTS`."""
    dimension = Dimension(id=DimensionId(new_id()), created_at=context.now, updated_at=context.now, **fields_of(given))
    await store.insert(context, dimension)
    context.emit("dimension.created", dimension.id, event_of(dimension))
    return dimension


async def update(context: Context, dimension_id: DimensionId, given: DimensionFields) -> Dimension:
    """Change name and uniqueness. Emits `dimension.updated` if anything became different.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_NAME_ALREADY_EXISTS`, and
    `DIMENSION_IN_USE` when it is to become unique while something carries values of it.
    """
    before = await _get_for_update(context, dimension_id)
    dimension = replace(before, **fields_of(given))
    if dimension == before:
        return before
    dimension = replace(dimension, updated_at=context.now)
    await store.update(context, dimension)
    context.emit("dimension.updated", dimension.id, event_of(dimension), before=event_of(before))
    return dimension


async def delete(context: Context, dimension_id: DimensionId) -> None:
    """Delete a dimension with its values. Emits `dimension.deleted` (for the values too).

    Raises `DIMENSION_NOT_FOUND`, and `DIMENSION_IN_USE` for a project's or when something carries one of its values.
    """
    dimension = await store.get_for_update(context, dimension_id)
    if dimension.is_project:
        raise DIMENSION_IN_USE.used(["projects"])
    await store.delete(context, dimension_id)
    context.emit("dimension.deleted", dimension.id, event_of(dimension), before=event_of(dimension))


async def create_value(context: Context, dimension_id: DimensionId, given: DimensionValueFields) -> DimensionValue:
    """Add a value at the root or below another. Emits `dimension_value.created`.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_VALUE_NOT_FOUND` (the parent),
    `DIMENSION_VALUE_NAME_ALREADY_EXISTS` and a validation error for a tree that gets too deep.
    """
    await _get_for_update(context, dimension_id)
    value = DimensionValue(
        id=DimensionValueId(new_id()),
        dimension_id=dimension_id,
        created_at=context.now,
        updated_at=context.now,
        **fields_of(given),
    )
    if value.parent_id is not None:
        others = await store.list_values(context, dimension_id)
        rules.check_parent(value.id, value.parent_id, {other.id: other.parent_id for other in others})
    await store.insert_value(context, value)
    context.emit("dimension_value.created", value.id, event_of_value(value))
    return value


async def update_value(
    context: Context, dimension_id: DimensionId, value_id: DimensionValueId, changes: Changes[DimensionValueFields]
) -> ValueNode:
    """Change the named fields (name, parent) of a value, which moves with all below it.

    Emits `dimension_value.updated` if anything became different. Raises `DIMENSION_VALUE_PARENT_INVALID` for a
    circle and what `create_value` raises. Answers with the value and what is below it.
    """
    await _get_for_update(context, dimension_id)
    values = {value.id: value for value in await store.list_values(context, dimension_id)}
    before = DIMENSION_VALUE_NOT_FOUND.unless(values.get(value_id))
    value = changes.applied_to(before)
    if value.parent_id is not None:
        rules.check_parent(value_id, value.parent_id, {other.id: other.parent_id for other in values.values()})
    if value != before:
        value = replace(value, updated_at=context.now)
        await store.update_value(context, value)
        context.emit("dimension_value.updated", value.id, event_of_value(value), before=event_of_value(before))
    return rules.nodes({**values, value_id: value}.values())[value_id]


async def delete_value(context: Context, dimension_id: DimensionId, value_id: DimensionValueId) -> None:
    """Delete a value that nothing carries and nothing lies below. Emits `dimension_value.deleted`.

    Raises `DIMENSION_NOT_FOUND`, `DIMENSION_INVALID_STATE` for a project's, `DIMENSION_VALUE_NOT_FOUND` and
    `DIMENSION_VALUE_IN_USE`.
    """
    await _get_for_update(context, dimension_id)
    value = await store.get_value(context, dimension_id, value_id)
    await store.delete_value(context, value_id)
    context.emit("dimension_value.deleted", value.id, event_of_value(value), before=event_of_value(value))


async def _get_for_update(context: Context, dimension_id: DimensionId) -> Dimension:
    """A dimension that is no project's, locked with its values."""
    dimension = await store.get_for_update(context, dimension_id)
    if dimension.is_project:
        raise DIMENSION_INVALID_STATE.in_state("project")
    return dimension
