"""Entries of many lines, cut into portions: nothing is lost, nothing twice, and no portion is large."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules.portions import (
    MAX_IN_GROUP,
    MAX_IN_PORTION,
    Portion,
    groups_of,
    portions_of,
    text_of,
)

counts = st.lists(st.tuples(st.builds(new_id), st.integers(0, 900)), max_size=6)


@given(counts)
def test_the_portions_are_the_lines_in_order(counts: list[tuple[UUID, int]]) -> None:
    portions = list(portions_of(counts))
    for owner, count in counts:
        own = [one for one in portions if one.owner == owner]
        assert [line for one in own for line in range(one.first, one.last + 1)] == list(range(1, count + 1))
        assert [one.is_last for one in own] == [False] * (len(own) - 1) + [True]
    assert all(one.size <= MAX_IN_PORTION + 1 for one in portions)


@given(counts)
def test_groups_are_portions_that_one_transaction_reads(counts: list[tuple[UUID, int]]) -> None:
    groups = list(groups_of(counts))
    assert [portion for group in groups for portion in group] == list(portions_of(counts))
    assert all(sum(one.last - one.first + 1 for one in group) <= MAX_IN_GROUP for group in groups)


def test_five_hundred_lines_and_one_more_are_two_groups() -> None:
    first, second = new_id(), new_id()
    groups = list(groups_of([(first, 500), (second, 1)]))
    assert groups == [
        [Portion(first, 1, 250, False), Portion(first, 251, 500, True)],
        [Portion(second, 1, 1, True)],
    ]
    assert list(groups_of([])) == []


def test_the_texts_of_the_portions_are_the_whole() -> None:
    def written(*lines: bytes) -> bytes:
        return b'{"id":"1","lines":[' + b",".join(lines) + b'],"attachmentCount":0}'

    lines = [b'{"n":%d}' % number for number in range(1, 601)]
    parts = [text_of(one, written(*lines[one.first - 1 : one.last])) for one in portions_of([(new_id(), 600)])]
    assert len(parts) == 3
    assert b"".join(parts) == written(*lines)
    (only,) = portions_of([(new_id(), 0)])
    assert text_of(only, written()) == written()
