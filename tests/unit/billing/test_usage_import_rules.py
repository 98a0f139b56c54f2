"""Rows of a file of usage: how they are read, however the file is cut, and what they say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.billing.usage_imports import rules
from ledgerbee.billing.usage_imports.headings import USAGE, column_of
from ledgerbee.billing.usage_imports.model import FileRow
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports.formats import DialectReader
from ledgerbee.ledger.imports.formats.rows import MAX_LINE_BYTES
from ledgerbee.ledger.imports.model import BEGINNING, CsvDialect, CsvOptions, Place

HEADER = "idempotencyKey;customerNumber;meterName;value;timestamp;metadata.Sted\n"
FILE = (
    f"{HEADER}a;1;Kald;1,5;2026-03-10T12:00:00Z;Ø\n"
    ';;;;;\nb;1;Kald;2;2026-03-10T12:00:00Z;"to\nlinjer"\nc;1\n'
    "d;1;Kald;2;2026-03-10T12:00:00Z;;x\n"
    'e;1;Kald;2;2026-03-10T12:00:00Z;"aldrig\n'
    f"f;1;Kald;2;2026-03-10T12:00:00Z;{'x' * 10_001}\ng;1;Kald;3;2026-03-10T12:00:00Z;"
).encode()
CUSTOMER = new_id()


def dialect_of(content: bytes) -> CsvDialect:
    reader = DialectReader(CsvOptions(), headings=USAGE)
    reader.feed(content)
    return reader.end()


def read(content: bytes, dialect: CsvDialect, start: Place, size: int) -> list[FileRow]:
    reader, found = rules.UsageReader(dialect, start), list[FileRow]()
    rest = content[start.position :]
    for begin in range(0, len(rest), size):
        found += reader.feed(rest[begin : begin + size])
    return [*found, *reader.end()]


@given(size=st.integers(1, 400), cut=st.integers(0, 6))
def test_a_file_is_read_the_same_however_it_is_cut_and_from_any_row_on(size: int, cut: int) -> None:
    dialect = dialect_of(FILE)
    assert (dialect.decimal_mark, dialect.separator) == (",", ";")
    rows = read(FILE, dialect, dialect.first, size)
    assert [(row.line, isinstance(row.content, str)) for row in rows] == [
        (2, False), (4, False), (6, True), (7, True), (8, True), (9, True), (10, False),
    ]  # fmt: skip
    assert read(FILE, dialect, rows[cut].after, 100) == rows[cut + 1 :]
    assert rows[1].content["metadata.Sted"] == "to\nlinjer"  # type: ignore[index]


def test_a_line_that_is_too_long_is_refused_and_left_behind() -> None:
    dialect = dialect_of(FILE)
    reader = rules.UsageReader(dialect, BEGINNING)
    assert list(reader.feed(b'a;"')) == []
    assert reader.place == BEGINNING
    assert list(reader.feed(b"x" * (MAX_LINE_BYTES + 1))) == []
    found = [*reader.feed(b"\nb;1;Kald;2;2026-03-10T12:00:00Z;\n"), *reader.end()]
    assert [(row.line, isinstance(row.content, str)) for row in found] == [(1, True), (2, False)]
    assert reader.place.line == 3


def row(**values: str) -> FileRow:
    good = {"idempotencyKey": "k", "customerNumber": "1", "meterName": "Kald", "value": "1.250,5", "timestamp": "T"}
    return FileRow(1, {name: text for name, text in {**good, **values}.items() if text}, BEGINNING)


def test_a_row_is_the_body_of_a_report() -> None:
    rows = [row(**{"metadata.a": "1", "metadata.B": "x"}), row(customerNumber=""), FileRow(3, "broken", BEGINNING)]
    assert rules.numbers_in(rows) == {"1"}
    assert rules.body_of(rows[0], ",", {"1": CUSTOMER}) == {
        "idempotencyKey": "k", "customerId": str(CUSTOMER), "meterName": "Kald", "value": "1250.5", "timestamp": "T",
        "metadata": {"a": "1", "B": "x"},
    }  # fmt: skip
    body: Any = rules.body_of(row(customerNumber="", customerId="c", value=""), ",", {})
    assert body == {"idempotencyKey": "k", "customerId": "c", "meterName": "Kald", "timestamp": "T"}


@pytest.mark.parametrize(
    ("wrong", "code", "place"),
    [
        (FileRow(1, "broken", BEGINNING), "USAGE_IMPORT_UNREADABLE", ""),
        (row(timestamp=""), "SHARED_VALIDATION_FAILED", "timestamp"),
        (row(value="x"), "SHARED_VALIDATION_FAILED", "value"),
        (row(value="1,250.5"), "SHARED_VALIDATION_FAILED", "value"),
        (row(customerId="c"), "SHARED_VALIDATION_FAILED", "customerNumber"),
        (row(customerNumber="2"), "CUSTOMER_NOT_FOUND", "customerNumber"),
    ],
)
def test_what_is_wrong_with_a_row(wrong: FileRow, code: str, place: str) -> None:
    found = rules.body_of(wrong, ",", {"1": CUSTOMER})
    assert isinstance(found, LedgerBeeError)
    problems = found.details.get("validationErrors", [{"property": found.details.get("property", "")}])
    assert (found.code, problems[0]["property"]) == (code, place)


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("IdempotencyKey", "idempotencyKey"), (" Kundenr. ", "customerNumber"), ("MÅLER", "meterName"),
        ("Metadata.Sted", "metadata.Sted"), ("metadata.", None), ("colour", None),
    ],
)  # fmt: skip
def test_headings(heading: str, column: str | None) -> None:
    assert column_of(heading) == column
