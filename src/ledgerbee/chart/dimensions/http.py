"""Dimensions and their values over HTTP (contract 2.5)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response
from pydantic import Field

from ledgerbee.chart.dimensions import actions, store
from ledgerbee.chart.dimensions.model import (
    DIMENSION_IN_USE,
    DIMENSION_INVALID_STATE,
    DIMENSION_NAME_ALREADY_EXISTS,
    DIMENSION_NOT_FOUND,
    DIMENSION_VALUE_IN_USE,
    DIMENSION_VALUE_NAME_ALREADY_EXISTS,
    DIMENSION_VALUE_NOT_FOUND,
    DIMENSION_VALUE_PARENT_INVALID,
    DimensionValue,
    ValueNode,
)
from ledgerbee.chart.dimensions.rules import MAX_LEVELS
from ledgerbee.chart.dimensions.wire import (
    DimensionName,
    DimensionResponse,
    DimensionValueResponse,
    ValueName,
    render,
    render_value,
)
from ledgerbee.http.arrays import in_thread
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import Id, RequestModel, changes_of, omitted

router = resource_router("Dimensions")

DimensionId = Annotated[Id, Path(alias="dimensionId", description="Dimension ID")]
ValueId = Annotated[Id, Path(alias="valueId", description="Dimension value ID")]

_OF_PROJECTS = "A project's dimension is changed through the project only."


class CreateDimensionRequest(RequestModel):
    """A dimension's own fields."""

    name: DimensionName = Field(description="Unique in the company, without regard to case", examples=["Afdeling"])
    is_unique: Annotated[bool, Field(strict=True)] = Field(
        description="True: an entry has at most one value of it. False: values add up."
    )


class UpdateDimensionRequest(CreateDimensionRequest):
    """A dimension's own fields: all of them are set."""


class CreateDimensionValueRequest(RequestModel):
    """What a new value needs."""

    name: ValueName = Field(
        description="Unique among the values in the same place, without regard to case", examples=["Jylland"]
    )
    parent_id: Id | None = Field(None, description="The value it lies below; left out or null: at the root")


class UpdateDimensionValueRequest(RequestModel):
    """A value's name, and where it lies if that is to change."""

    name: ValueName = Field(
        description="Unique among the values in the same place, without regard to case", examples=["Jylland"]
    )
    parent_id: Id | None = omitted(description="The value it lies below; null: at the root; left out: where it is")


@router.get(
    "/v1/dimensions",
    response_model=list[DimensionResponse],
    **operation(
        "List all dimensions",
        scope="dimensions-read",
        description="Every dimension with the tree of its values, in order of creation. Those of projects are among "
        "them: their values are the subprojects.",
        response="Dimensions of the company",
    ),
)
async def list_dimensions(context: Ctx) -> Response:
    """List all dimensions."""
    values = await store.list_values(context)
    dimensions = await store.list_all(context)

    def make() -> list[DimensionResponse]:
        by_dimension: dict[UUID, list[DimensionValue]] = {}
        for value in values:
            by_dimension.setdefault(value.dimension_id, []).append(value)
        return [render(dimension, by_dimension.get(dimension.id, ())) for dimension in dimensions]

    return await in_thread(len(dimensions) + len(values), make)


@router.post(
    "/v1/dimensions",
    **operation(
        "Create a new dimension category",
        scope="dimensions-write",
        status=201,
        description="Creates a dimension, at first without values.",
        response="Dimension created",
        errors=[DIMENSION_NAME_ALREADY_EXISTS],
    ),
)
async def create_dimension(context: Ctx, body: CreateDimensionRequest) -> DimensionResponse:
    """Create a new dimension category."""
    return render(await actions.create(context, name=body.name, is_unique=body.is_unique), ())


@router.get(
    "/v1/dimensions/{dimensionId}",
    response_model=DimensionResponse,
    **operation(
        "Get a single dimension by ID",
        scope="dimensions-read",
        description="One dimension with the tree of its values.",
        response="Dimension details",
        errors=[DIMENSION_NOT_FOUND],
    ),
)
async def get_dimension(context: Ctx, dimension_id: DimensionId) -> Response:
    """Get a single dimension by ID."""
    dimension = await store.get(context, dimension_id)
    values = await store.list_values(context, dimension_id)
    return await in_thread(1 + len(values), lambda: render(dimension, values))


@router.put(
    "/v1/dimensions/{dimensionId}",
    **operation(
        "Update a dimension category",
        scope="dimensions-write",
        description="Changes name and uniqueness. A dimension becomes unique only while nothing carries values of it. "
        + _OF_PROJECTS,
        response="Dimension updated",
        errors=[DIMENSION_NOT_FOUND, DIMENSION_NAME_ALREADY_EXISTS, DIMENSION_IN_USE, DIMENSION_INVALID_STATE],
    ),
)
async def update_dimension(context: Ctx, dimension_id: DimensionId, body: UpdateDimensionRequest) -> DimensionResponse:
    """Update a dimension category."""
    dimension = await actions.update(context, dimension_id, name=body.name, is_unique=body.is_unique)
    return render(dimension, await store.list_values(context, dimension_id))


@router.delete(
    "/v1/dimensions/{dimensionId}",
    **operation(
        "Delete a dimension category",
        scope="dimensions-write",
        status=204,
        description="Deletes a dimension with its values, unless it is a project's or something carries one of them.",
        response="Dimension deleted",
        errors=[DIMENSION_NOT_FOUND, DIMENSION_IN_USE],
    ),
)
async def delete_dimension(context: Ctx, dimension_id: DimensionId) -> None:
    """Delete a dimension category."""
    await actions.delete(context, dimension_id)


@router.post(
    "/v1/dimensions/{dimensionId}/values",
    **operation(
        "Create a new dimension value",
        scope="dimensions-write",
        status=201,
        description=f"Adds a value at the root or below another value, at most {MAX_LEVELS} levels deep. "
        + _OF_PROJECTS,
        response="Dimension value created",
        errors=[
            DIMENSION_NOT_FOUND,
            DIMENSION_VALUE_NOT_FOUND,
            DIMENSION_VALUE_NAME_ALREADY_EXISTS,
            DIMENSION_INVALID_STATE,
        ],
    ),
)
async def create_dimension_value(
    context: Ctx, dimension_id: DimensionId, body: CreateDimensionValueRequest
) -> DimensionValueResponse:
    """Create a new dimension value."""
    value = await actions.create_value(context, dimension_id, name=body.name, parent_id=body.parent_id)
    return render_value(ValueNode(value))


@router.put(
    "/v1/dimensions/{dimensionId}/values/{valueId}",
    **operation(
        "Update a dimension value",
        scope="dimensions-write",
        description="Renames a value, also one in use. With `parentId` it moves, together with all that lies below it. "
        + _OF_PROJECTS,
        response="Dimension value updated",
        errors=[
            DIMENSION_NOT_FOUND,
            DIMENSION_VALUE_NOT_FOUND,
            DIMENSION_VALUE_NAME_ALREADY_EXISTS,
            DIMENSION_VALUE_PARENT_INVALID,
            DIMENSION_INVALID_STATE,
        ],
    ),
)
async def update_dimension_value(
    context: Ctx, dimension_id: DimensionId, value_id: ValueId, body: UpdateDimensionValueRequest
) -> DimensionValueResponse:
    """Update a dimension value."""
    return render_value(await actions.update_value(context, dimension_id, value_id, changes_of(body)))


@router.delete(
    "/v1/dimensions/{dimensionId}/values/{valueId}",
    **operation(
        "Delete a dimension value",
        scope="dimensions-write",
        status=204,
        description="Deletes a value that nothing carries and that has no values below it. " + _OF_PROJECTS,
        response="Dimension value deleted",
        errors=[DIMENSION_NOT_FOUND, DIMENSION_VALUE_NOT_FOUND, DIMENSION_VALUE_IN_USE, DIMENSION_INVALID_STATE],
    ),
)
async def delete_dimension_value(context: Ctx, dimension_id: DimensionId, value_id: ValueId) -> None:
    """Delete a dimension value."""
    await actions.delete_value(context, dimension_id, value_id)
