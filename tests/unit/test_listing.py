"""Which form of a condition a page is asked for with."""

import pytest

from ledgerbee.platform.listing import FEW, Condition, Filter

CUSTOMER = Condition("t.customer_id = {0}", order=("t.created_at",), is_narrow=True)
STATUS = Condition("t.status = {0}", order=("t.created_at",))
DELIVERY = Condition("found {0}", checked="checked {0}", swept="swept {0}", counted="counted {0}")


def filtered(*conditions: Condition) -> Filter:
    filters = Filter()
    for condition in conditions:
        filters.choose(condition, "value")
    return filters


@pytest.mark.parametrize(
    ("conditions", "column", "total", "expected"),
    [
        ((STATUS,), "t.created_at", FEW + 1, "t.status = $2"),
        ((STATUS,), "t.amount", FEW, "t.status = $2"),
        ((STATUS,), "t.amount", FEW + 1, "(t.status = $2) IS TRUE"),
        ((CUSTOMER, STATUS), "t.created_at", FEW + 1, "t.customer_id = $2 AND (t.status = $3) IS TRUE"),
        ((CUSTOMER, STATUS), "t.amount", FEW, "t.customer_id = $2 AND (t.status = $3) IS TRUE"),
        ((CUSTOMER, STATUS), "t.amount", FEW + 1, "(t.customer_id = $2) IS TRUE AND (t.status = $3) IS TRUE"),
        ((DELIVERY,), "t.amount", FEW, "found $2"),
        ((DELIVERY,), "t.amount", FEW + 1, "swept $2"),
        ((STATUS, DELIVERY), "t.created_at", 1, "t.status = $2 AND swept $3"),
        ((STATUS, DELIVERY), "t.amount", 1, "(t.status = $2) IS TRUE AND swept $3"),
        ((CUSTOMER, DELIVERY), "t.amount", FEW, "t.customer_id = $2 AND checked $3"),
    ],
)
def test_an_index_finds_the_rows_where_they_are_few_or_in_its_order(
    conditions: tuple[Condition, ...], column: str, total: int, expected: str
) -> None:
    assert filtered(*conditions).listed("things", "w", column, total) == f"things t WHERE w AND {expected}"


def test_what_a_search_finds_is_checked_row_by_row() -> None:
    filters = filtered(STATUS, DELIVERY)
    filters.starts_with("19", "number_key")
    checks = "(t.status = $2) IS TRUE AND checked $3"
    assert filters.listed("things", "w", "t.created_at", 1) == f"things t WHERE w AND {checks}"
    assert filters.counting("things", "w") == f"SELECT count(*) FROM things t WHERE w AND {checks}"


def test_rows_are_counted_by_the_index_that_finds_them() -> None:
    assert filtered(STATUS).counting("things", "w") == "SELECT count(*) FROM things t WHERE w AND t.status = $2"
    assert filtered(DELIVERY).counting("things", "w") == "counted $2"
    assert filtered(STATUS, DELIVERY).counting("things", "w").endswith("w AND t.status = $2 AND swept $3")
    assert filtered().counting("things", "w") == "SELECT count(*) FROM things t WHERE w"
