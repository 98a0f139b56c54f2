"""Values and refusals that everything else stands on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.changes import Changes
from ledgerbee.core.dates import add_months, day_in, first_of_month, format_moment, iso_day, system_clock
from ledgerbee.core.errors import (
    ErrorCode,
    LedgerBeeError,
    check_all,
    invalid,
    refuse,
    refuse_first,
    with_others,
    with_places,
    within,
)
from ledgerbee.core.ids import new_id, parse_id
from ledgerbee.core.money import allocate, format_decimal, minor_units
from ledgerbee.core.paging import PageRequest

TAKEN = ErrorCode("NUMBER_ALREADY_EXISTS", 409, "Another thing has this number")
AWAY = ErrorCode("DATABASE_UNAVAILABLE", 503, "The database is away")


def raising(fault: Exception) -> NoReturn:
    raise fault


class TestErrors:
    def test_what_is_there_is_handed_on_and_what_is_not_is_refused(self) -> None:
        assert TAKEN.unless(0) == 0
        with pytest.raises(Exception, match="Another thing") as refused:
            TAKEN.unless(None)
        assert refused.value.details == {}  # type: ignore[attr-defined]

    def test_only_what_may_go_well_later_is_passing(self) -> None:
        assert AWAY.error().is_passing
        assert not TAKEN.error().is_passing

    def test_the_first_hundred_properties_are_named_and_the_others_counted(self) -> None:
        problems = [(f"lines.{number}", "min", f"lines.{number} must be more") for number in range(103)]
        details = invalid(*problems, problems[0], problems[102]).details
        assert len(details["validationErrors"]) == 100
        assert details["furtherErrors"] == 3

    def test_a_long_name_is_cut_in_the_text_too(self) -> None:
        name = "x" * 300
        (error,) = invalid((name, "whitelistValidation", f"{name} should not exist")).details["validationErrors"]
        assert error["property"] == "x" * 200 + "…"
        assert error["constraints"] == {"whitelistValidation": "x" * 200 + "… should not exist"}

    def test_no_problems_are_no_refusal(self) -> None:
        refuse([])
        refuse_first([])
        check_all(lambda: None)
        with pytest.raises(Exception, match="Bad Request") as refused:
            refuse([("a", "min", "a must be more")])
        assert refused.value.details["validationErrors"][0]["property"] == "a"  # type: ignore[attr-defined]

    def test_validation_errors_are_told_together_and_the_first_refusal_decides(self) -> None:
        low, high = invalid(("a", "min", "low")), invalid(("b", "max", "high"))
        with pytest.raises(Exception, match="Bad Request") as refused:
            check_all(lambda: raising(low), lambda: raising(TAKEN.error()), lambda: raising(high), lambda: None)
        found = refused.value.details["validationErrors"]  # type: ignore[attr-defined]
        assert [error["property"] for error in found] == ["a", "b"]
        with pytest.raises(Exception, match="Another thing"):
            check_all(lambda: raising(TAKEN.error()), lambda: raising(low))

    def test_what_was_not_named_is_counted_when_errors_are_joined(self) -> None:
        many = invalid(*[(f"a.{number}", "min", "low") for number in range(101)])
        joined = with_others(many, [invalid(("b", "max", "high")), many])
        # 100 are named; one of `a` was counted already, and `b` comes beside it.
        assert len(joined.details["validationErrors"]) == 100
        assert joined.details["furtherErrors"] == 2

    def test_places_of_one_refusal_are_told_together(self) -> None:
        first, second = TAKEN.taken("lines.0.number", 7), TAKEN.taken("lines.1.number", 8)
        told = with_places(first, [second, first, AWAY.error()])
        assert told.details == {
            "property": "lines.0.number", "value": 7, "properties": ["lines.0.number", "lines.1.number"],
        }  # fmt: skip
        assert with_places(told, [TAKEN.taken("x", 9)]).details["properties"][-1] == "x"
        assert with_places(AWAY.error(), [second]).details == {}
        assert with_places(first, [AWAY.error()]) is first
        assert with_places(first, [TAKEN.error()]).details == first.details
        with pytest.raises(Exception, match="Another thing"):
            refuse_first([first, second])

    def test_a_part_of_a_request_is_told_where_it_stands(self) -> None:
        def told(fault: LedgerBeeError) -> dict[str, Any]:
            with pytest.raises(LedgerBeeError) as refusal, within("document"):
                raise fault
            assert refusal.value.error_code is fault.error_code
            return refusal.value.details

        wrong = told(invalid(("lines.0.priceId", "isDefined", "lines.0.priceId should be there"), ("a", "b", "c")))
        assert wrong["validationErrors"] == [
            {
                "property": "document.lines.0.priceId",
                "constraints": {"isDefined": "document.lines.0.priceId should be there"},
            },
            {"property": "document.a", "constraints": {"b": "c"}},
        ]
        assert told(TAKEN.taken("x", 9)) == {"property": "document.x", "value": 9}
        places = with_places(TAKEN.taken("x", 9), [TAKEN.taken("y", 9)])
        assert told(places)["properties"] == ["document.x", "document.y"]
        assert told(AWAY.error(id=1)) == {"id": 1}

    def test_a_hundred_places_are_named_and_the_others_counted(self) -> None:
        places = [TAKEN.taken(f"lines.{number}.number", number) for number in range(105)]
        details = with_places(places[0], places[1:]).details
        assert (len(details["properties"]), details["furtherErrors"]) == (100, 5)


class TestDates:
    def test_a_day_is_one_of_its_time_zone(self) -> None:
        late = datetime(2026, 3, 15, 23, 30, 0, 1500, UTC)
        assert day_in(late, "Europe/Copenhagen") == date(2026, 3, 16)
        assert day_in(late, "America/New_York") == date(2026, 3, 15)
        assert format_moment(late) == "2026-03-15T23:30:00.001Z"
        assert iso_day(date(2026, 3, 16)) == "2026-03-16"
        assert system_clock().tzinfo is UTC

    @given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.integers(-600, 600))
    def test_months_later_it_is_the_same_day_or_the_last(self, day: date, months: int) -> None:
        later = add_months(day, months)
        assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
        assert later.day == day.day or (later.day < day.day and add_months(first_of_month(later), 1).toordinal() == (
            later.toordinal() + 1
        ))  # fmt: skip


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "weights", "words"),
        [("1.00", [], "at least one"), ("1.00", ["1", "-1"], "negative"), ("1.005", ["1"], "finer")],
    )
    def test_what_cannot_be_allocated(self, amount: str, weights: list[str], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            allocate(Decimal(amount), [Decimal(weight) for weight in weights], "DKK")

    @pytest.mark.parametrize(("code", "words"), [("XAU", "no minor unit"), ("XYZ", "not an ISO 4217")])
    def test_no_money_is_counted_in(self, code: str, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            minor_units(code)

    @pytest.mark.parametrize(
        ("value", "text"),
        [("12.50", "12.5"), ("1250", "1250"), ("1E+3", "1000"), ("-0.00", "0"), ("0E-9", "0"), ("100", "100")],
    )
    def test_decimals_have_no_exponent_and_no_trailing_zeros(self, value: str, text: str) -> None:
        assert format_decimal(Decimal(value)) == text


class TestOthers:
    def test_ids_are_read_as_they_are_written(self) -> None:
        made = new_id()
        assert parse_id(str(made)) == parse_id(made.hex) == made
        assert UUID(str(made)).version == 7
        with pytest.raises(ValueError, match="invalid UUID"):
            parse_id("7")

    def test_pages_count_from_one(self) -> None:
        assert (PageRequest().offset, PageRequest(page=3, limit=40).offset) == (0, 80)

    def test_changes_are_what_was_named_and_nothing_else(self) -> None:
        @dataclass(frozen=True)
        class Thing:
            name: str
            note: str | None
            version: int

        before = Thing("Old", "x", 1)
        changes: Changes[Thing] = Changes({"note": None})
        assert ("note" in changes, "name" in changes) == (True, False)
        assert (bool(changes), bool(Changes({}))) == (True, False)
        assert changes.applied_to(before, version=2) == Thing("Old", None, 2)
        assert before == Thing("Old", "x", 1)
