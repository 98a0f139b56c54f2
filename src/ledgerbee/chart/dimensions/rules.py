"""How trees of values may grow, and how entries may be tagged with them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from ledgerbee.chart.dimensions.model import (
    DIMENSION_NOT_ADDITIVE,
    DIMENSION_VALUE_NOT_FOUND,
    DIMENSION_VALUE_PARENT_INVALID,
    PROJECT_ARCHIVED,
    DimensionValue,
    TagValue,
    ValueNode,
)
from ledgerbee.core.errors import LedgerBeeError, check_unique, invalid, refuse_first

#: Levels of a tree. Its JSON nests as deep, and readers of JSON give up somewhere (many at a few hundred).
MAX_LEVELS: Final = 100


def nodes(values: Iterable[DimensionValue]) -> dict[UUID, ValueNode]:
    """The values of one dimension by id, each with those below it, in the order given."""
    found: dict[UUID, ValueNode] = {value.id: ValueNode(value) for value in values}
    for node in found.values():
        if node.value.parent_id is not None:
            found[node.value.parent_id].children.append(node)
    return found


def build_tree(values: Iterable[DimensionValue]) -> list[ValueNode]:
    """The values of one dimension as a tree: those at the root, in the order given."""
    return [node for node in nodes(values).values() if node.value.parent_id is None]


def check_parent(value_id: UUID, parent_id: UUID, parents: Mapping[UUID, UUID | None]) -> None:
    """Refuse a place below `parent_id` for a new value or one that moves with all that is below it.

    `parents` names the parent of each value of the dimension as they are now. Raises `DIMENSION_VALUE_NOT_FOUND`
    for a parent that isn't among them, `DIMENSION_VALUE_PARENT_INVALID` for a circle, and a validation error for
    a tree of more than `MAX_LEVELS`. A circle that stands above the parent already, without the value, is one: it
    never comes to a root.
    """
    if parent_id not in parents:
        raise DIMENSION_VALUE_NOT_FOUND.missing("parentId", "valueId", parent_id)
    above = _ancestors(parent_id, parents)
    if value_id in above:
        raise DIMENSION_VALUE_PARENT_INVALID.error(property="parentId")
    if len(above) + _levels(value_id, parents) > MAX_LEVELS:
        raise invalid(("parentId", "maxLevels", f"parentId must not make the tree deeper than {MAX_LEVELS} levels"))


def _ancestors(value_id: UUID, parents: Mapping[UUID, UUID | None]) -> list[UUID]:
    """The value itself and everything above it, up to one more than a tree may have: a circle goes on for ever."""
    found: list[UUID] = []
    ancestor: UUID | None = value_id
    while ancestor is not None and len(found) <= MAX_LEVELS:
        found.append(ancestor)
        ancestor = parents[ancestor]
    return found


def _levels(value_id: UUID, parents: Mapping[UUID, UUID | None]) -> int:
    """Levels of the value and what is below it: 1 for a value without children, a new one included.

    The value's own place counts for nothing, as it is to be moved: one that lies below itself is taken out of there.
    """
    children: dict[UUID | None, list[UUID]] = {}
    for child, parent in parents.items():
        if child != value_id:
            children.setdefault(parent, []).append(child)
    levels, level = 0, [value_id]
    while level:
        levels += 1
        level = [child for parent in level for child in children.get(parent, ())]
    return levels


def check_tags(
    entry_tags: Sequence[UUID], line_tags: Sequence[Sequence[UUID]], known: Mapping[UUID, TagValue], path: str
) -> None:
    """Refuse tags that an entry can't carry; `known` are those of them that the company has.

    A tag of the entry counts for each of its lines. Of a unique dimension the whole entry carries at most one value,
    of a project each line at most one subproject. Raises, the first problem in reading order with the tag's place
    (below `path`, where that is not empty) as `details.property`, and with the places of all tags that have the same:
    a validation error for a tag that is twice in one list, `DIMENSION_VALUE_NOT_FOUND`, `PROJECT_ARCHIVED`; and if all
    of them are usable `DIMENSION_NOT_ADDITIVE`.
    """
    if not entry_tags and not any(line_tags):
        return
    prefix = f"{path}." if path else ""
    lists = [
        (f"{prefix}tagIds", entry_tags),
        *((f"{prefix}lines.{number}.tagIds", tags) for number, tags in enumerate(line_tags)),
    ]
    for name, tags in lists:
        check_unique(name, tags)
    refuse_first(_unusable(lists, known))
    refuse_first(_not_additive(lists, known))


def _not_additive(
    lists: Sequence[tuple[str, Sequence[UUID]]], known: Mapping[UUID, TagValue]
) -> Iterator[LedgerBeeError]:
    in_entry: dict[UUID, UUID] = {}  # the value taken, by dimension
    on_every_line: dict[UUID, UUID] = {}
    for place, (name, tags) in enumerate(lists):
        on_line = dict(on_every_line) if place else on_every_line
        for index, tag in enumerate(tags):
            value = known[tag]
            if value.is_unique or value.is_project:
                taken = in_entry if value.is_unique else on_line
                if taken.setdefault(value.dimension_id, tag) != tag:
                    yield DIMENSION_NOT_ADDITIVE.error(
                        property=f"{name}.{index}",
                        dimensionId=str(value.dimension_id),
                        dimensionName=value.dimension_name,
                        valueIds=[str(taken[value.dimension_id]), str(tag)],
                    )


def _unusable(lists: Sequence[tuple[str, Sequence[UUID]]], known: Mapping[UUID, TagValue]) -> Iterator[LedgerBeeError]:
    for name, tags in lists:
        for index, tag in enumerate(tags):
            value = known.get(tag)
            if value is None:
                yield DIMENSION_VALUE_NOT_FOUND.missing(f"{name}.{index}", "valueId", tag)
            elif value.is_archived:
                yield PROJECT_ARCHIVED.error(property=f"{name}.{index}", valueId=str(tag))
