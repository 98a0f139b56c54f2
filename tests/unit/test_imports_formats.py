"""Reading rows: however a file is cut into blocks, and from wherever reading goes on, the same rows come."""

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports.formats import CsvReader, DialectReader, JsonlReader, Row, RowReader
from ledgerbee.ledger.imports.formats.rows import MAX_LINE_BYTES
from ledgerbee.ledger.imports.model import NOTHING_SAID, CsvDialect, CsvOptions, Place
from ledgerbee.ledger.imports.row_wire import FastRow, ImportedEntryRequest, decode_row, entered
from ledgerbee.ledger.imports.rules import Directory

START = Place()
BANK, SALES = new_id(), new_id()
DIRECTORY = Directory(account_numbers={6480: BANK, 1010: SALES})
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
HEADER = "entry,date,description,accountNumber,debit,credit\n"


def read(reader: RowReader, content: bytes, cuts: list[int]) -> list[Row]:
    """The rows of a file that comes in blocks."""
    rows: list[Row] = []
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for begin, end in pairwise(places):
        rows += reader.feed(content[begin:end])
    return [*rows, *reader.end()]


def plain(rows: list[Row]) -> list[Any]:
    """What can be compared: errors by their message."""
    return [
        (row.line, row.content.message if isinstance(row.content, LedgerBeeError) else row.content, row.after)
        for row in rows
    ]


def dialect_of(content: bytes, options: CsvOptions = NOTHING_SAID, cuts: Sequence[int] = ()) -> CsvDialect:
    """What a CSV file that comes in blocks says of itself."""
    reader = DialectReader(options)
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for begin, end in pairwise(places):
        reader.feed(content[begin:end])
    return reader.end()


def read_from(dialect: CsvDialect, content: bytes, start: Place, cuts: list[int]) -> list[Row]:
    """The rows of a CSV file from a place on."""
    return read(CsvReader(dialect, "DKK", start), content[start.position :], cuts)


def amount_row(amount: Any, text: str | None = None) -> dict[str, Any]:
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": amount,
        "description": text,
        "lines": [
            {"accountNumber": 6480, "side": "DEBIT", "amount": amount, "description": text},
            {"accountNumber": 1010, "side": "CREDIT", "amount": amount},
        ],
    }


@given(st.lists(TEXTS | st.none()), st.lists(st.integers(0, 10_000), max_size=5))
def test_json_lines_come_the_same_in_any_blocks(texts: list[str | None], cuts: list[int]) -> None:
    content = "".join(
        "{broken\n" if text is None else json.dumps(amount_row("1.00", text), ensure_ascii=False) + "\n"
        for text in texts
    ).encode()
    rows = read(JsonlReader(START), content, cuts)
    assert plain(rows) == plain(read(JsonlReader(START), content, []))
    assert [row.line for row in rows] == list(range(1, len(texts) + 1))
    for index, row in enumerate(rows):
        assert row.after is not None
        later = read(JsonlReader(row.after), content[row.after.position :], cuts)
        assert plain(later) == plain(rows[index + 1 :])


@given(
    st.lists(st.tuples(TEXTS, st.integers(2, 4)), min_size=1, max_size=8), st.lists(st.integers(0, 10_000), max_size=5)
)
def test_entries_of_csv_come_the_same_in_any_blocks(entries: list[tuple[str, int]], cuts: list[int]) -> None:
    """Texts with line ends, quotes and separators included."""
    written = io.StringIO()
    write = csv.writer(written, lineterminator="\n")
    for number, (text, count) in enumerate(entries):
        for place in range(count):
            write.writerow([f"e{number}", "2026-03-16", text.strip(), 6480, "", place + 1])
    content = (HEADER + written.getvalue()).encode()
    dialect = dialect_of(content, cuts=cuts)
    assert dialect == dialect_of(content)
    rows = read_from(dialect, content, dialect.first, cuts)
    assert plain(rows) == plain(read_from(dialect, content, dialect.first, []))
    whole: list[dict[str, Any]] = [row.content for row in rows if isinstance(row.content, dict)]
    if all("\r" not in text for text, _ in entries):
        assert [len(row["lines"]) for row in whole] == [count for _, count in entries]
        assert [row.get("description", "") for row in whole] == [text.strip() for text, _ in entries]
    for index, row in enumerate(rows):
        if row.after is not None:
            assert plain(read_from(dialect, content, row.after, cuts)) == plain(rows[index + 1 :])


def test_a_line_without_end_is_not_kept() -> None:
    reader = JsonlReader(START)
    block = b"x" * 1024 * 1024
    for _ in range(MAX_LINE_BYTES // len(block) + 2):
        assert list(reader.feed(block)) == []
    assert sum(map(len, reader._lines._rest)) <= MAX_LINE_BYTES
    (row, after) = list(reader.feed(b'\n{"a":1}\n'))
    assert isinstance(row.content, LedgerBeeError)
    assert after.content == {"a": 1}


AMOUNTS = (
    st.decimals(Decimal(-5), Decimal("1e14"), allow_nan=False, places=5).map(str)
    | st.integers(-2, 10**15)
    | st.sampled_from(["1_0", "1e2", " 1", "", "NaN", "0", "0.0001", "Infinity", None, True, 1.5])
)


@given(AMOUNTS, AMOUNTS, TEXTS, st.sampled_from(["2026-03-16", "2026-02-30", "2026-3-1", 20260316]))
def test_the_short_way_takes_what_the_models_take(original: Any, amount: Any, text: str, day: Any) -> None:
    row = amount_row(amount, text) | {"originalAmount": original, "date": day}
    raw = json.dumps(row, ensure_ascii=False).encode()
    short = decode_row(raw)
    if short is None:
        return
    assert isinstance(short, FastRow)
    decoded = json.loads(raw, parse_float=Decimal)
    ImportedEntryRequest.model_validate(decoded)
    assert entered(short, DIRECTORY) == entered(decoded, DIRECTORY)


def test_the_usual_row_goes_the_short_way() -> None:
    short = decode_row(json.dumps(amount_row("12.50", "Kaffe")).encode())
    assert short is not None
    entry = entered(short, DIRECTORY)
    assert [line.account_id for line in entry.lines] == [BANK, SALES]
    assert entry.original_amount == Decimal("12.50")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("customerNumber", "nobody", "CUSTOMER_NOT_FOUND"),
        ("vendorNumber", "nobody", "VENDOR_NOT_FOUND"),
        ("journalCategory", "none", "JOURNAL_CATEGORY_NOT_FOUND"),
    ],
)
def test_names_of_nobody_are_refused(name: str, value: str, code: str) -> None:
    for row in (
        amount_row("1.00") | {name: value},
        decode_row(json.dumps(amount_row("1.00") | {name: value}).encode()),
    ):
        with pytest.raises(LedgerBeeError) as refused:
            entered(row, DIRECTORY)
        assert (refused.value.code, refused.value.details["property"]) == (code, name)


def test_an_account_is_named_one_way_or_the_other() -> None:
    row = amount_row("1.00")
    row["lines"][0] = {"accountId": str(UUID(int=7)), "side": "DEBIT", "amount": "1.00"}
    assert entered(row, DIRECTORY).lines[0].account_id == UUID(int=7)
    del row["lines"][0]["accountId"]
    with pytest.raises(LedgerBeeError) as refused:
        entered(row, DIRECTORY)
    assert refused.value.details["validationErrors"][0]["property"] == "lines.0.accountId"
