"""A file that is read by one reader after the other comes to the same as one that is read in one go."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_imports_formats import START, amount_row

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports.formats import CsvReader, DialectReader, JsonlReader, Row, RowReader, csv, rows
from ledgerbee.ledger.imports.formats.dates import DAY_FIRST
from ledgerbee.ledger.imports.model import CsvDialect, CsvOptions, Kept, Place, Reached, UnreadableFileError
from ledgerbee.ledger.imports.rules import refusal_of

_HEADER = "entry;date;description;accountNumber;debit;credit\n"
_MAX_LINE = 400
_GAP = 60
_LINES = st.one_of(
    st.builds("{};2026-03-16;{};6480;5;\n".format, st.sampled_from("12"), st.sampled_from(["Te", '"a\nb"', '"a;b"'])),
    st.builds("{};;;1010;;5\n".format, st.sampled_from("12")),
    st.sampled_from(["\n", ";;;;;\n", ";;;;;\r\n", "\n" * 30, ";;;;;\n" * 20]),
    st.sampled_from(["x" * 900 + "\n", "1;" + "x" * 900 + "\n", "2;2026-03-16;Te;6480;5;" + ";" * 500 + "\n"]),
    st.sampled_from(['1;"Te;6480;5;\n', "1;Te\n", ";2026-03-16;;6480;5;\n", "2;\x00;;6480;5;\n", "1;;;6480;5;;9\n"]),
    st.sampled_from(["1;16/03/2026;;6480;12.500;\n", "1;2026-03-16;;6480;12,5;\n", "2;13/03/2026;;6480;1.5;\n"]),
)
_JSON_LINES = st.one_of(
    st.just(msgspec.json.encode(amount_row("1.00")).decode() + "\n"),
    st.sampled_from(["\n", "\n" * 500, " \r\n", "{\n", "x" * 900 + "\n", '{"a":' + "1" * 900 + "\n"]),
)


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """Lines, entries and gaps are too long soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "MAX_LINE_BYTES", _MAX_LINE)
        patch.setattr(csv, "MAX_LINE_BYTES", _MAX_LINE)
        patch.setattr(csv, "MAX_LINES", 4)
        patch.setattr(csv, "_MAX_GAP", _GAP)
        yield


def told(found: list[Row]) -> list[Any]:
    return [
        (
            row.line,
            refusal_of(row.line, row.content) if isinstance(row.content, LedgerBeeError) else row.content,
            row.after,
        )
        for row in found
    ]


def sent(reached: Reached) -> Reached:
    """As it comes to the next run, in the job's payload."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(reached)), type=Reached)


def pieces(content: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    return (content[begin:end] for begin, end in pairwise(places))


def in_turns(
    make: Callable[[Place, Kept | None], RowReader], start: Place, content: bytes, cuts: list[int]
) -> tuple[list[Row], int]:
    """The rows as they come where a run ends after each piece, wherever it may; how often it did."""
    found: list[Row] = []
    reader, begun, turns = make(start, None), start, 0
    pending = b""
    for piece in pieces(content[start.position :], cuts):
        pending += piece
        found += reader.feed(piece)
        held = reader.held()
        if held is not None and held[0].position > begun.position:
            reached = sent(Reached(0, held[0], kept=held[1]))
            again = content[reached.place.position : start.position + len(pending)]
            reader, begun, turns = make(reached.place, reached.kept), reached.place, turns + 1
            found += reader.feed(again)
    return [*found, *reader.end()], turns


_CUTS = st.lists(st.integers(0, 10_000), max_size=30)


@settings(max_examples=300)
@given(st.lists(_LINES, max_size=25), _CUTS, st.booleans())
def test_rows_of_csv_come_the_same_in_turns(lines: list[str], cuts: list[int], ends: bool) -> None:
    content = (_HEADER + "".join(lines)).encode()[: None if ends else -1]
    first = Place(len(_HEADER), 2, len(_HEADER))
    columns = tuple(_HEADER.strip().split(";"))
    dialect = CsvDialect("utf-8", ";", columns, first, ".", DAY_FIRST, 1)

    def make(start: Place, kept: Kept | None) -> RowReader:
        return CsvReader(dialect, "DKK", start, kept)

    in_one = make(first, None)
    expected = [*in_one.feed(content[first.position :]), *in_one.end()]
    found, _ = in_turns(make, first, content, cuts)
    assert told(found) == told(expected)


@given(st.lists(_JSON_LINES, max_size=15), _CUTS)
def test_rows_of_json_lines_come_the_same_in_turns(lines: list[str], cuts: list[int]) -> None:
    content = "".join(lines).encode()
    in_one = JsonlReader(START)
    expected = [*in_one.feed(content), *in_one.end()]
    found, _ = in_turns(lambda start, _: JsonlReader(start), START, content, cuts)
    assert told(found) == told(expected)


@settings(max_examples=300)
@given(
    st.lists(_LINES, max_size=25),
    _CUTS,
    st.sampled_from(["", "\n\n", "sep=;\n"]),
    st.sampled_from([None, "utf-8", "windows-1252"]),
    st.sampled_from(["", "é", "\ufffd"]),
    st.booleans(),
)
def test_a_file_is_settled_the_same_in_turns(
    lines: list[str], cuts: list[int], before: str, encoding: str | None, mark: str, is_danish: bool
) -> None:
    header = _HEADER.replace("\n", ";Kurs\n") if is_danish else _HEADER
    content = (before + header + "".join(lines)).encode() + mark.encode("utf-8" if mark != "é" else "latin-1")
    options = CsvOptions(encoding=encoding)

    def in_one() -> CsvDialect:
        reader = DialectReader(options)
        reader.feed(content)
        return reader.end()

    def in_turns_too() -> CsvDialect:
        reader, begun, length = DialectReader(options), START, 0
        for piece in pieces(content, cuts):
            length += len(piece)
            reader.feed(piece)
            if reader.place.position > begun.position:
                reached = sent(Reached(0, reader.place, settling=reader.known))
                begun = reached.place
                reader = DialectReader(options, begun, reached.settling)
                reader.feed(content[begun.position : length])
        return reader.end()

    def outcome(settle: Callable[[], CsvDialect]) -> Any:
        try:
            return settle()
        except UnreadableFileError as fault:
            return fault.message, list(fault.refusals)

    assert outcome(in_turns_too) == outcome(in_one)


@pytest.mark.parametrize(
    "quiet",
    [
        "\n" * 5_000,
        ";;;;;\n" * 1_000,
        "1;;;6480;5;\n" * 500,
        "x" * 5_000,
        "1;" + "x" * 5_000,
        '1;"' + "x" * 5_000,
        "1;;;6480;5;;9\n" + "\n" * 5_000,
        "1;2026-03-16;Te;6480;5;\n" + "\n" * 5_000,
        "1;2026-03-16;Te;6480;5;\n" + "x" * 5_000,
        '1;2026-03-16;"Te;6480;5;\n' + "x" * 5_000,
        ";2026-03-16;Te;6480;5;\n" + "\n" * 5_000,
    ],
)
def test_wherever_no_row_comes_a_run_may_end(quiet: str) -> None:
    """Within a bounded number of bytes, whatever it is that comes on and on."""
    content = (_HEADER + "9;2026-03-16;Te;6480;5;\n9;;;1010;;5\n" + quiet).encode()
    first = Place(len(_HEADER), 2, len(_HEADER))
    dialect = CsvDialect("utf-8", ";", tuple(_HEADER.strip().split(";")), first, ".", DAY_FIRST, 1)
    reader = CsvReader(dialect, "DKK", first)
    settling = DialectReader(CsvOptions())
    last = first.position
    for begin in range(0, len(content), 20):
        settling.feed(content[begin : begin + 20])
        if begin >= first.position:
            for row in reader.feed(content[begin : begin + 20]):
                last = row.after.position if row.after is not None else last
            held = reader.held()
            last = max(last, held[0].position if held is not None else 0)
            assert begin - last <= 2 * _MAX_LINE
            assert begin - settling.place.position <= 2 * _MAX_LINE
