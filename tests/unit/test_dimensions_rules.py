"""How trees of values grow and how entries are tagged: the pure rules."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.chart.dimensions.model import DimensionValue, DimensionValueId, TagValue, ValueNode
from ledgerbee.chart.dimensions.rules import MAX_LEVELS, build_tree, check_parent, check_tags
from ledgerbee.core.errors import LedgerBeeError

NOW = datetime(2026, 1, 1, tzinfo=UTC)

#: Two values each of a unique dimension (1x), an additive one (2x), two projects (3x, 4x), an archived project (5x).
UNIQUE, ADDITIVE, PROJECT, OTHER_PROJECT, ARCHIVED = 10, 20, 30, 40, 50
KNOWN = {
    UUID(int=dimension + number): TagValue(
        UUID(int=dimension + number), UUID(int=dimension), f"D{dimension}", dimension == UNIQUE,
        dimension in {PROJECT, OTHER_PROJECT, ARCHIVED}, dimension == ARCHIVED,
    )
    for dimension in (UNIQUE, ADDITIVE, PROJECT, OTHER_PROJECT, ARCHIVED)
    for number in (1, 2)
}  # fmt: skip
STRANGER = UUID(int=99)


def ids(*numbers: int) -> tuple[UUID, ...]:
    return tuple(UUID(int=number) for number in numbers)


def refusal(
    entry: Sequence[UUID], lines: Sequence[Sequence[UUID]], known: Mapping[UUID, TagValue] = KNOWN, path: str = ""
) -> tuple[str, str] | None:
    """Code and property of the refusal, None when the tags are fine."""
    try:
        check_tags(entry, lines, known, path)
    except LedgerBeeError as fault:
        problems = fault.details.get("validationErrors")
        return fault.code, problems[0]["property"] if problems else fault.details["property"]
    return None


@pytest.mark.parametrize(
    ("entry", "lines", "expected"),
    [
        (ids(), [], None),
        (ids(), [ids(), ids()], None),
        (ids(11, 21, 22), [ids(11), ids(21)], None),
        (ids(11, 12), [], ("DIMENSION_NOT_ADDITIVE", "tagIds.1")),
        (ids(11), [ids(), ids(21, 12)], ("DIMENSION_NOT_ADDITIVE", "lines.1.tagIds.1")),
        (ids(), [ids(11), ids(12)], ("DIMENSION_NOT_ADDITIVE", "lines.1.tagIds.0")),
        (ids(), [ids(31), ids(32)], None),
        (ids(), [ids(31, 41), ids(32, 41)], None),
        (ids(), [ids(31, 32)], ("DIMENSION_NOT_ADDITIVE", "lines.0.tagIds.1")),
        (ids(31), [ids(31), ids(32)], ("DIMENSION_NOT_ADDITIVE", "lines.1.tagIds.0")),
        (ids(31, 32), [], ("DIMENSION_NOT_ADDITIVE", "tagIds.1")),
        (ids(21, 51), [], ("PROJECT_ARCHIVED", "tagIds.1")),
        (ids(), [ids(21), ids(99)], ("DIMENSION_VALUE_NOT_FOUND", "lines.1.tagIds.0")),
        (ids(21, 22, 21), [], ("SHARED_VALIDATION_FAILED", "tagIds")),
        (ids(), [ids(), ids(99, 99)], ("SHARED_VALIDATION_FAILED", "lines.1.tagIds")),
        # What can't be used at all is told before what doesn't go together.
        (ids(11, 12), [ids(99)], ("DIMENSION_VALUE_NOT_FOUND", "lines.0.tagIds.0")),
    ],
)
def test_tags(entry: tuple[UUID, ...], lines: list[tuple[UUID, ...]], expected: tuple[str, str] | None) -> None:
    assert refusal(entry, lines) == expected
    if expected is not None:
        assert refusal(entry, lines, path="entries.3") == (expected[0], f"entries.3.{expected[1]}")


def test_a_conflict_names_both_values() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        check_tags(ids(11), [ids(12)], KNOWN, "")
    assert refused.value.details == {
        "property": "lines.0.tagIds.0",
        "dimensionId": str(UUID(int=UNIQUE)),
        "dimensionName": "D10",
        "valueIds": [str(UUID(int=11)), str(UUID(int=12))],
    }


tag_lists = st.lists(st.sampled_from([*KNOWN, STRANGER]), max_size=3)


@given(tag_lists, st.lists(tag_lists, max_size=3))
def test_tags_are_refused_exactly_when_the_rule_is_broken(entry: list[UUID], lines: list[list[UUID]]) -> None:
    everywhere = [entry, *lines]
    usable = all(
        len(set(tags)) == len(tags) and all(tag in KNOWN and not KNOWN[tag].is_archived for tag in tags)
        for tags in everywhere
    )

    def values(tags: set[UUID], dimension: int) -> int:
        return sum(KNOWN[tag].dimension_id == UUID(int=dimension) for tag in tags)

    fine = (
        usable
        and values({tag for tags in everywhere for tag in tags}, UNIQUE) <= 1
        and all(values({*entry, *tags}, project) <= 1 for tags in ([], *lines) for project in (PROJECT, OTHER_PROJECT))
    )
    assert (refusal(entry, lines) is None) == fine


def value(number: int, parent: int | None) -> DimensionValue:
    parent_id = None if parent is None else UUID(int=parent)
    return DimensionValue(
        id=DimensionValueId(UUID(int=number)), dimension_id=UUID(int=1), parent_id=parent_id, name=f"V{number}",
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


#: Values by number, each below an earlier one or at the root.
trees = st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=30).map(
    lambda parents: [
        value(number, None if parent is None or number == 0 else parent % number)
        for number, parent in enumerate(parents)
    ]
)


def flat(nodes: Sequence[ValueNode]) -> list[tuple[DimensionValue, list[DimensionValueId]]]:
    """Every node's value with its children's ids, without recursion."""
    found, left = [], list(nodes)
    while left:
        node = left.pop()
        found.append((node.value, [child.value.id for child in node.children]))
        left.extend(node.children)
    return found


@given(trees.flatmap(st.permutations))  # a child can come before its parent
def test_a_tree_holds_every_value_once_below_its_parent_in_order(values: list[DimensionValue]) -> None:
    roots = build_tree(values)
    assert [node.value.id for node in roots] == [one.id for one in values if one.parent_id is None]
    found = flat(roots)
    assert sorted(one.id for one, _ in found) == sorted(one.id for one in values)
    for one, children in found:
        assert children == [child.id for child in values if child.parent_id == one.id]


def test_a_tree_may_be_deeper_than_python_recurses() -> None:
    chain = [value(number, number - 1 if number else None) for number in range(5_000)]
    assert len(flat(build_tree(chain))) == 5_000


def placed(value_id: UUID, parent_id: UUID, parents: Mapping[UUID, UUID | None]) -> str | None:
    try:
        check_parent(value_id, parent_id, parents)
    except LedgerBeeError as fault:
        return fault.code
    return None


@given(trees.filter(bool), st.data())
def test_a_value_moves_anywhere_but_below_itself(values: list[DimensionValue], data: st.DataObject) -> None:
    parents: dict[UUID, UUID | None] = {one.id: one.parent_id for one in values}
    moved, target = data.draw(st.sampled_from(values)).id, data.draw(st.sampled_from(values)).id
    below = {moved}
    for one in values:  # each comes after its parent
        if one.parent_id in below:
            below.add(one.id)
    expected = "DIMENSION_VALUE_PARENT_INVALID" if target in below else None
    assert placed(moved, target, parents) == expected
    assert placed(UUID(int=1_000), target, parents) is None


#: Any parents, of values by number: what may have become of a table that nothing guards, circles included.
any_parents = st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=1, max_size=30).map(
    lambda parents: {
        UUID(int=number): None if parent is None else UUID(int=parent % len(parents))
        for number, parent in enumerate(parents)
    }
)


@given(any_parents, st.data())
def test_a_value_moves_where_it_comes_to_a_root(parents: dict[UUID, UUID | None], data: st.DataObject) -> None:
    """Among circles too, out of one and never below one."""
    target = data.draw(st.sampled_from(sorted(parents)))
    for moved in (data.draw(st.sampled_from(sorted(parents))), UUID(int=1_000)):
        after, seen, one = {**parents, moved: target}, set[UUID](), moved
        while (above := after[one]) is not None and one not in seen:
            seen.add(one)
            one = above
        assert (placed(moved, target, parents) is None) == (above is None)


def test_a_parent_is_of_the_dimension() -> None:
    assert placed(UUID(int=1), UUID(int=2), {UUID(int=1): None}) == "DIMENSION_VALUE_NOT_FOUND"


def test_a_tree_has_a_last_level() -> None:
    def chain(start: int, length: int) -> dict[UUID, UUID | None]:
        return {UUID(int=start + n): UUID(int=start + n - 1) if n else None for n in range(length)}

    full = chain(1, MAX_LEVELS)
    assert placed(UUID(int=9_999), UUID(int=MAX_LEVELS - 1), full) is None
    assert placed(UUID(int=9_999), UUID(int=MAX_LEVELS), full) == "SHARED_VALIDATION_FAILED"
    both = chain(1, 60) | chain(1_001, 41)
    assert placed(UUID(int=1_001), UUID(int=59), both) is None
    assert placed(UUID(int=1_001), UUID(int=60), both) == "SHARED_VALIDATION_FAILED"
