"""Whatever bytes a file has: each row is an entry or refused with its line, or the file is refused with a reason."""

import asyncio
import gc
import json
import tracemalloc
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_imports_formats import START, amount_row, dialect_of, read, read_from

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ONE
from ledgerbee.ledger.entries import actions as entries
from ledgerbee.ledger.entries import rules as entry_rules
from ledgerbee.ledger.imports import row_wire
from ledgerbee.ledger.imports.entered import _entered
from ledgerbee.ledger.imports.formats import JsonlReader, Row
from ledgerbee.ledger.imports.model import CsvOptions, Refusal, UnreadableFileError
from ledgerbee.ledger.imports.rules import AccountFacts, Directory, References, refusal_of
from ledgerbee.ledger.periods.model import Span

#: One loop for all rows: a loop of its own for each takes as long as the row.
LOOP = asyncio.Runner()
BANK, SALES = new_id(), new_id()
COMPANY = new_id()
NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
OPENS = Span(date(2026, 1, 1), date(2027, 12, 31))
DIRECTORY = Directory(
    accounts={BANK: AccountFacts(True, None), SALES: AccountFacts(True, None)},
    account_numbers={6480: BANK, 1010: SALES},
)
BOOKS = entry_rules.Books("DKK", None, rates={("EUR", date(2026, 3, 16)): ONE})
CSV = (
    b"entry;date;description;accountNumber;debit;credit;currency;exchangeRate\n"
    b"1;2026-03-16;Kaffe;6480;1.250,50;;;\n1;;;1010;;1.250,50;;\n"
    b'2;16-03-2026;"Te; og\nmere";6480;5;;EUR;7,46\n2;;;1010;;5;;\n'
)
JSONL = "".join(
    json.dumps(amount_row(amount, text), ensure_ascii=False) + "\n"
    for amount, text in (("1.00", "Kaffe"), ("2", "Køb"))
).encode()
TROUBLE = [
    b"\x00", b"\r", b"\n", b"\r\n", b'"', b'""', b"'", b"\\", b"\\ud800", b"\\u0000", b"\\udc00\\ud800",
    b"\xff", b"\xe6", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xa8", b"\xe2\x88\x92", b"\xc2\xa0",
    b"1e999999999", b"-1e-999999", b"NaN", b"Infinity", b"9" * 5000, b"0." + b"9" * 5000,
    b"12.500", b"1,5", b"(5)", b"5-", b"05/11/2026",
    b"[" * 3000, b'{"a":' * 900, b"[" * 900 + b"]" * 900, b"[" * 900 + b'"\\u0041"' + b"]" * 900,
    b";" * 50, b",", b"\t", b"sep=;\n", b"x" * 200_000, b"true", b"null", b"{}",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A valid file with a few things in it that don't belong there, or bytes of no kind."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = begin + draw(st.sampled_from([0, 0, 1, 3, 30]))
        content = content[:begin] + draw(st.sampled_from([*TROUBLE, b""])) + content[end:]
    return content


def refusal(row: Row) -> Refusal | None:
    """What the row is refused with, as an import does with it; None if it can be posted."""
    row_wire.collect(row.content, References())
    try:
        entered = LOOP.run(_entered(row, DIRECTORY, OPENS, row_wire.ImportedEntryRequest))
        if isinstance(entered, Refusal):
            return entered
        entries.hash_entry(COMPANY, NOW, entry_rules.entry_to_post(entered, BOOKS, new_id()))
    except LedgerBeeError as fault:
        return refusal_of(row.line, fault)
    for text in (entered.description, entered.reference, entered.external_system_id):
        assert_storable(text or "")
    for line in entered.lines:
        assert_storable(line.description or "")
    return None


def assert_storable(text: str) -> None:
    assert "\x00" not in text
    text.encode()


def check(rows: list[Row], lines: int) -> None:
    for row in rows:
        found = refusal(row)
        assert 1 <= row.line <= lines
        if found is not None:
            assert found.message
            assert_storable(found.message + found.property)
            assert len(found.message) + len(found.property) <= 1000
    if rows:
        assert rows[-1].after is not None


@settings(max_examples=400)
@given(damaged(JSONL), st.lists(st.integers(0, 1000), max_size=3))
def test_json_lines(content: bytes, cuts: list[int]) -> None:
    check(read(JsonlReader(START), content, cuts), content.count(b"\n") + 1)


OPTIONS = st.builds(
    CsvOptions,
    encoding=st.sampled_from([None, "utf-8", "windows-1252"]),
    decimal_mark=st.sampled_from([None, ",", "."]),
    date_format=st.sampled_from([None, "DD-MM-YYYY", "YYYY-MM-DD", "YYMMDD"]),
    rate_units=st.sampled_from([None, 1, 100]),
)


@settings(max_examples=400)
@given(damaged(CSV), OPTIONS, st.lists(st.integers(0, 1000), max_size=3))
def test_csv(content: bytes, options: CsvOptions, cuts: list[int]) -> None:
    check_csv(content, options, cuts)


def check_csv(content: bytes, options: CsvOptions, cuts: list[int]) -> None:
    lines = content.count(b"\n") + 1
    try:
        dialect = dialect_of(content, options, cuts)
    except UnreadableFileError as fault:
        told = [fault.message, *(one.message + one.property for one in fault.refusals)]
        numbers = [one.line for one in fault.refusals]
    else:
        check(read_from(dialect, content, dialect.first, cuts), lines)
        return
    assert all(told)
    assert all(1 <= number <= lines for number in numbers)
    assert_storable("".join(told))


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("place", [b"Kaffe", b"6480", b"2026-03-16", b"1.250,50", b"1.00"])
def test_each_trouble_in_each_kind_of_value(trouble: bytes, place: bytes) -> None:
    """What Hypothesis may not come upon: each of them in the place of a text, a number, a day and an amount."""
    content = JSONL.replace(place, trouble, 1)
    check(read(JsonlReader(START), content, []), content.count(b"\n") + 1)
    content = JSONL.replace(b'"' + place + b'"', trouble, 1)
    check(read(JsonlReader(START), content, []), content.count(b"\n") + 1)
    check_csv(CSV.replace(place, trouble, 1), CsvOptions("utf-8", ","), [])


def test_what_is_whole_is_posted() -> None:
    """The files that are damaged above are good."""
    found: list[Any] = [refusal(row) for row in read(JsonlReader(START), JSONL, [])]
    dialect = dialect_of(CSV)
    assert [*found, *map(refusal, read_from(dialect, CSV, dialect.first, []))] == [None] * 4


def test_a_hostile_row_leaves_nothing_but_its_refusal() -> None:
    """Of all that validation finds in a row, nobody keeps more than the first."""
    names = json.dumps({f"k{number}": 1 for number in range(90_000)})
    wrong = json.dumps(
        {"entryType": "JOURNAL_ENTRY", "lines": [{"k": 1, "side": 2, "amount": [], "tagIds": 3}] * 9_000}
    )
    many = json.dumps({"lines": [{"amount": 1}] * 60_000})
    for content, told in ((names, "entryType"), (wrong, "lines.0."), (many, "")):
        gc.collect()
        tracemalloc.start()
        try:
            (row,) = read(JsonlReader(START), content.encode(), [])
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            found = refusal(row)
            kept, most = (taken - before for taken in tracemalloc.get_traced_memory())
        finally:
            tracemalloc.stop()
        assert found is not None
        assert found.property.startswith(told)
        assert kept < 1_000_000
        assert most < 16_000_000
