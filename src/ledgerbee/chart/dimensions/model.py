"""Dimensions: categories with a tree of values that entries and their lines are tagged with (contract 2.5)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

DimensionId = NewType("DimensionId", UUID)
DimensionValueId = NewType("DimensionValueId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionFields:
    """What a company says of a dimension. Unique: a whole entry has at most one of its values; else they add up."""

    name: str
    is_unique: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension(DimensionFields):
    """A dimension as it is kept.

    A project's dimension (`is_project`) belongs to the project's operations: its values are the subprojects, its
    name and whether it is archived are the project's.
    """

    id: DimensionId
    is_project: bool = False
    is_archived: bool = False
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionValueFields:
    """What a company says of a value. `parent_id` is None at the root."""

    name: str
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionValue(DimensionValueFields):
    """A value as it is kept: what `tagIds` name."""

    id: DimensionValueId
    dimension_id: UUID
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ValueNode:
    """A value with those below it, in order of creation."""

    value: DimensionValue
    children: "list[ValueNode]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TagValue:
    """What an entry's tagging needs to know of a value and its dimension."""

    id: UUID
    dimension_id: UUID
    dimension_name: str
    is_unique: bool
    is_project: bool
    is_archived: bool


DIMENSION_NOT_FOUND = ErrorCode("DIMENSION_NOT_FOUND", 404, "No such dimension in the company")
DIMENSION_NAME_ALREADY_EXISTS = ErrorCode(
    "DIMENSION_NAME_ALREADY_EXISTS", 409, "Another dimension of the company has this name"
)
DIMENSION_IN_USE = ErrorCode(
    "DIMENSION_IN_USE", 409, "The dimension belongs to a project, or something carries values of it"
)
DIMENSION_INVALID_STATE = ErrorCode(
    "DIMENSION_INVALID_STATE",
    409,
    "The dimension belongs to a project: it changes with the project and its subprojects",
)
DIMENSION_NOT_ADDITIVE = ErrorCode(
    "DIMENSION_NOT_ADDITIVE",
    400,
    "An entry has at most one value of a unique dimension, and a line at most one subproject of a project",
)
DIMENSION_VALUE_NOT_FOUND = ErrorCode("DIMENSION_VALUE_NOT_FOUND", 404, "No such dimension value in the company")
DIMENSION_VALUE_NAME_ALREADY_EXISTS = ErrorCode(
    "DIMENSION_VALUE_NAME_ALREADY_EXISTS", 409, "Another value in the same place of the dimension has this name"
)
DIMENSION_VALUE_IN_USE = ErrorCode(
    "DIMENSION_VALUE_IN_USE", 409, "The value has values below it, or something carries it"
)
DIMENSION_VALUE_PARENT_INVALID = ErrorCode(
    "DIMENSION_VALUE_PARENT_INVALID", 400, "A value can't lie below itself or below one of the values under it"
)
PROJECT_ARCHIVED = ErrorCode("PROJECT_ARCHIVED", 400, "The project is archived: nothing is tagged with it any more")
