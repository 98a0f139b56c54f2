"""Dimensions and their values on the wire (contract 2.5)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledgerbee.chart.dimensions.model import Dimension, DimensionValue, DimensionValueFields, ValueNode
from ledgerbee.chart.dimensions.rules import build_tree
from ledgerbee.http.wire import Id, IdText, RequestModel, ResponseModel, Trimmed, changes_to, omitted

#: A dimension's name: trimmed, 2 to 100 characters.
DimensionName = Annotated[str, Trimmed(100, min_length=2)]
#: A value's name: trimmed, not empty, at most 255 characters.
ValueName = Annotated[str, Trimmed(255, min_length=1)]


class DimensionValueResponse(ResponseModel):
    """A value with those below it."""

    id: IdText = Field(description="What `tagIds` name")
    name: str = Field(examples=["Jylland"])
    parent_id: IdText | None = Field(description="The value it lies below; null at the root")
    children: "list[DimensionValueResponse]" = Field(description="The values below it, in order of creation")


class DimensionResponse(ResponseModel):
    """A dimension with the tree of its values."""

    id: IdText
    name: str = Field(examples=["Afdeling"])
    is_unique: bool = Field(description="True: an entry has at most one value of it. False: values add up.")
    is_project: bool = Field(description="True: it belongs to a project, and its values are the subprojects")
    values: list[DimensionValueResponse] = Field(description="The values at the root, in order of creation")


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


class UpdateDimensionValueRequest(CreateDimensionValueRequest):
    """A value's name, and where it lies if that is to change."""

    parent_id: Id | None = omitted(description="The value it lies below; null: at the root; left out: where it is")


changes_of = changes_to(DimensionValueFields, UpdateDimensionValueRequest)


def render(dimension: Dimension, values: Sequence[DimensionValue]) -> DimensionResponse:
    """A dimension on the wire; `values` are all of its values, in order of creation."""
    return DimensionResponse(
        id=dimension.id,
        name=dimension.name,
        is_unique=dimension.is_unique,
        is_project=dimension.is_project,
        values=[render_value(node) for node in build_tree(values)],
    )


def render_all(dimensions: Iterable[Dimension], values: Iterable[DimensionValue]) -> list[DimensionResponse]:
    """Dimensions on the wire; `values` are those of all of them, in order of creation."""
    of_dimension: dict[UUID, list[DimensionValue]] = {}
    for value in values:
        of_dimension.setdefault(value.dimension_id, []).append(value)
    return [render(dimension, of_dimension.get(dimension.id, ())) for dimension in dimensions]


def render_value(node: ValueNode) -> DimensionValueResponse:
    """A value on the wire, with what is below it."""
    return DimensionValueResponse(
        id=node.value.id,
        name=node.value.name,
        parent_id=node.value.parent_id,
        children=[render_value(child) for child in node.children],
    )


def event_of(dimension: Dimension) -> dict[str, Any]:
    """A dimension for an event: without its values, which have events of their own."""
    return {
        "id": str(dimension.id),
        "name": dimension.name,
        "isUnique": dimension.is_unique,
        "isProject": dimension.is_project,
    }


def event_of_value(value: DimensionValue) -> dict[str, Any]:
    return {
        "id": str(value.id),
        "dimensionId": str(value.dimension_id),
        "name": value.name,
        "parentId": None if value.parent_id is None else str(value.parent_id),
    }
