"""Routes of dimensions and their values (contract 2.5)."""

from typing import Annotated

from fastapi import Path, Response

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
    DimensionFields,
    DimensionId,
    DimensionValueFields,
    DimensionValueId,
    ValueNode,
)
from ledgerbee.chart.dimensions.rules import MAX_LEVELS
from ledgerbee.chart.dimensions.wire import (
    CreateDimensionRequest,
    CreateDimensionValueRequest,
    DimensionResponse,
    DimensionValueResponse,
    UpdateDimensionRequest,
    UpdateDimensionValueRequest,
    changes_of,
    render,
    render_all,
    render_value,
)
from ledgerbee.http.arrays import in_thread
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf

router = resource_router("Dimensions")

PathId = Annotated[IdOf[DimensionId], Path(alias="dimensionId", description="Dimension ID")]
ValuePathId = Annotated[IdOf[DimensionValueId], Path(alias="valueId", description="Dimension value ID")]

_OF_PROJECTS = "A project's dimension is changed through the project only."


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
    values = await store.list_all_values(context)
    dimensions = await store.list_all(context)
    return await in_thread(len(dimensions) + len(values), lambda: render_all(dimensions, values))


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
    return render(await actions.create(context, DimensionFields(**body.model_dump())), ())


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
async def get_dimension(context: Ctx, dimension_id: PathId) -> Response:
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
async def update_dimension(context: Ctx, dimension_id: PathId, body: UpdateDimensionRequest) -> DimensionResponse:
    dimension = await actions.update(context, dimension_id, DimensionFields(**body.model_dump()))
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
async def delete_dimension(context: Ctx, dimension_id: PathId) -> None:
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
    context: Ctx, dimension_id: PathId, body: CreateDimensionValueRequest
) -> DimensionValueResponse:
    value = await actions.create_value(context, dimension_id, DimensionValueFields(**body.model_dump()))
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
    context: Ctx, dimension_id: PathId, value_id: ValuePathId, body: UpdateDimensionValueRequest
) -> DimensionValueResponse:
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
async def delete_dimension_value(context: Ctx, dimension_id: PathId, value_id: ValuePathId) -> None:
    await actions.delete_value(context, dimension_id, value_id)
