"""CSV files as people and programs write them: never a wrong amount, never a wrong day."""

import time
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.test_imports_formats import dialect_of, read_from

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports.formats import Row
from ledgerbee.ledger.imports.formats.dates import read_date, read_date_as
from ledgerbee.ledger.imports.formats.numbers import read_number
from ledgerbee.ledger.imports.model import NOTHING_SAID, CsvOptions, UnreadableFileError
from ledgerbee.ledger.imports.rules import refusal_of

HEADER = "entry;date;accountNumber;debit;credit;currency;exchangeRate"
SPACES = " \u00a0\u202f\u2009"
MARKS = st.sampled_from(["", ".", ",", "'", "\u2019", *SPACES])


LEFT_OUT = ". Nothing of its entry is posted"


def rows_of(content: str | bytes, options: CsvOptions = NOTHING_SAID) -> list[Row]:
    raw = content.encode() if isinstance(content, str) else content
    dialect = dialect_of(raw, options)
    return read_from(dialect, raw, dialect.first, [])


def told(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """Line and message of what was refused."""
    found = [refusal_of(row.line, row.content) for row in rows if isinstance(row.content, LedgerBeeError)]
    return [(one.line, one.message) for one in found]


def pair(number: int, amount: str, day: str = "2026-03-16", currency: str = "", rate: str = "") -> str:
    return f"{number};{day};6480;{amount};;{currency};{rate}\n{number};;1010;;{amount};;\n"


def amounts(rows: Sequence[Row]) -> list[str]:
    return [entry["originalAmount"] for entry in entries(rows)]


def entries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What can be posted."""
    return [row.content for row in rows if isinstance(row.content, dict)]


def refused(content: str | bytes, options: CsvOptions = NOTHING_SAID) -> UnreadableFileError:
    with pytest.raises(UnreadableFileError) as caught:
        rows_of(content, options)
    return caught.value


# --- numbers


@given(
    st.decimals(Decimal(0), Decimal(9999999999999), places=4).flatmap(
        lambda amount: st.tuples(st.just(amount), st.integers(0, 4))
    ),
    st.sampled_from([",", "."]),
    MARKS,
    st.sampled_from(["{}", "-{}", "\u2212{}", "{}-", "({})", "+{}", "- {}"]),
)
def test_a_number_is_read_as_it_was_written(
    amount: tuple[Decimal, int], decimal_mark: str, thousands_mark: str, sign: str
) -> None:
    assume(decimal_mark != thousands_mark)
    value = amount[0].quantize(Decimal(1).scaleb(-amount[1]))
    text = sign.format(f"{value:,f}".replace(",", "T").replace(".", decimal_mark).replace("T", thousands_mark))
    expected = value if sign in {"{}", "+{}"} else -value
    found = read_number(text).with_mark(decimal_mark)
    assert found is not None
    assert Decimal(found) == expected
    assert len(found.partition(".")[2]) == amount[1]


@given(st.text("0123456789.,' \u00a0-\u2212()+eE\u0661", max_size=12))
def test_what_reads_as_a_number_is_one(text: str) -> None:
    """The digits are those of the text, in order: no other value can come out."""
    readings = read_number(text)
    for found in readings:
        if found is not None:
            assert Decimal(found).is_finite()
            digits = "".join(char for char in text if char in "0123456789")
            assert found.replace("-", "").replace(".", "") in {digits, "0" + digits}
    if readings.is_ambiguous:
        assert Decimal(readings.comma or 0) in {
            Decimal(readings.point or 0) * 1000,
            Decimal(readings.point or 0) / 1000,
        }


@pytest.mark.parametrize(
    "text",
    ["", "-", "()", "x", "1e5", "NaN", "12,50 kr", "1 25", "1.25.000", "1,00,000", "1.250,00.5", "0.123.456", "12,",
     "1..5", "--1", "-(1)", "-1-", "\u0661\u0662", "1_0", "0x1", "1 000'000", "1.000,", "\u2013 5"],
)  # fmt: skip
def test_no_number(text: str) -> None:
    assert read_number(text) == (None, None)


@pytest.mark.parametrize(
    ("others", "text", "expected"),
    [
        ("12,50", "12.500", "12500"),
        ("12.50", "12,500", "12500"),
        ("1.250,00", "12.500", "12500"),
        ("1,250.00", "12,500", "12500"),
        ("1.250.000", "12.500", "12500"),
        ("0,500 ", "12.500", "12500"),
        ("1 250,00", "1.000", "1000"),
        ("5", "1 250", "1250"),
        ("5", "1\u202f250,75", "1250.75"),
        ("5", "1\u00a0250", "1250"),
        ("5", "1'250.50", "1250.50"),
        ("5", "0.5", "0.5"),
        ("5", ",5", "0.5"),
        ("5", "1250", "1250"),
    ],
)
def test_one_value_settles_all_others(others: str, text: str, expected: str) -> None:
    for first, second in ((others, text), (text, others)):
        found = amounts(rows_of(f"{HEADER}\n{pair(1, first)}{pair(2, second)}"))
        assert expected in [f"{Decimal(amount):f}" for amount in found], found


@pytest.mark.parametrize("text", ["12.500", "1.000", "1,000", "3.000", "(1.000)", "-1,250", "999.999"])
def test_what_nothing_settles_posts_nothing(text: str) -> None:
    fault = refused(f"{HEADER}\n{pair(1, '5')}{pair(2, text)}")
    assert "decimalMark" in fault.message
    assert [(one.line, one.property) for one in fault.refusals] == [(4, "debit"), (5, "credit")]
    assert all("decimalMark" in one.message and text in one.message for one in fault.refusals)


def test_a_row_of_another_length_settles_nothing() -> None:
    """Decimals behind an unquoted comma move all that follows: what stands under a heading then isn't of its kind."""
    header = "entry,date,accountNumber,debit,credit\n"
    for row in ("2,2026-03-16,1010,0.50\n", "2,2026-03-16,1010,12,0.50,5\n"):
        fault = refused(f"{header}1,2026-03-16,6480,1.000,\n{row}")
        assert [one.line for one in fault.refusals] == [2]


def test_values_that_contradict_each_other_post_nothing() -> None:
    fault = refused(f"{HEADER}\n{pair(1, '12,50')}{pair(2, '12.50')}{pair(3, '1.000')}")
    assert "12,50 (line 2)" in fault.message
    assert "12.50 (line 4)" in fault.message
    assert [one.line for one in fault.refusals] == [2, 4]


def test_asked_for_what_contradicts_is_refused_alone() -> None:
    content = f"{HEADER}\n{pair(1, '12,50')}{pair(2, '12.50')}{pair(3, '1.000')}"
    rows = rows_of(content, CsvOptions(decimal_mark=","))
    assert amounts(rows) == ["12.50", "1000"]
    assert [line for line, _ in told(rows)] == [4]
    rows = rows_of(content, CsvOptions(decimal_mark="."))
    assert amounts(rows) == ["12.50"]
    assert [line for line, _ in told(rows)] == [2, 6]


@pytest.mark.parametrize(
    ("currency", "text", "is_taken"),
    [("DKK", "12.500", False), ("", "12.500", False), ("JPY", "1.000", False), ("KWD", "12.500", True),
     ("JPY", "1,000", True), ("JPY", "12.00", True), ("DKK", "12.5000", True), ("DKK", "0.500", True)],
)  # fmt: skip
def test_three_decimals_are_for_currencies_that_have_them(currency: str, text: str, is_taken: bool) -> None:
    """Where the point stands before the decimals `12.500` is 12.5, and nobody writes kroner so."""
    rows = rows_of(f"{HEADER}\n{pair(1, text, currency=currency)}", CsvOptions(decimal_mark="."))
    assert bool(amounts(rows)) == is_taken
    if not is_taken:
        assert told(rows)[0][0] == 2
        assert "3 decimals" in told(rows)[0][1]


@pytest.mark.parametrize(
    ("rate", "units", "expected"),
    [("7,4601", None, "7.4601"), ("746,01", 100, "7.4601"), ("7.456", None, None), ("1.234,5", None, "1234.5"),
     ("x", None, None), ("100", 100, "1"), ("7", None, "7")],
)  # fmt: skip
def test_rates_have_the_same_marks(rate: str, units: int | None, expected: str | None) -> None:
    rows = rows_of(f"{HEADER}\n{pair(1, '12,50', currency='EUR', rate=rate)}", CsvOptions(rate_units=units))
    if expected is None:
        assert [line for line, _ in told(rows)] == [2]
        assert "exchangeRate" in told(rows)[0][1]
    else:
        assert [entry["exchangeRate"] for entry in entries(rows)] == [expected]


def test_danish_rates_are_asked_about() -> None:
    """Nationalbanken quotes kroner for 100 units, and so do e-conomic's files."""
    content = "Bilag;Dato;Konto;Beløb;Valuta;Kurs\n1;2026-03-16;6480;12,50;EUR;746,01\n1;;1010;-12,50;;\n"
    fault = refused(content)
    assert "rateUnits" in fault.message
    assert [one.line for one in fault.refusals] == [2]
    (entry,) = entries(rows_of(content, CsvOptions(rate_units=100)))
    assert entry["exchangeRate"] == "7.4601"
    (entry,) = entries(rows_of(content.replace("746,01", "")))
    assert "exchangeRate" not in entry


@pytest.mark.parametrize("text", ["-12,50", "12,50-", "(12,50)", "\u221212,50", "- 12,50"])
def test_negative_amounts(text: str) -> None:
    """Without a column for sides a credit is negative. Beside a side a minus can be read two ways."""
    signed = f"entry;date;accountNumber;amount\n1;2026-03-16;6480;12,50\n1;;1010;{text}\n"
    (entry,) = entries(rows_of(signed))
    assert [(line["side"], line["amount"]) for line in entry["lines"]] == [
        ("DEBIT", "12.50"),
        ("CREDIT", "12.50"),
    ]
    assert entry["originalAmount"] == "12.50"
    for content in (
        f"entry;date;accountNumber;debit;credit\n1;2026-03-16;6480;{text};\n1;;1010;;12,50\n",
        f"entry;date;accountNumber;side;amount\n1;2026-03-16;6480;DEBIT;{text}\n1;;1010;CREDIT;12,50\n",
    ):
        ((line, message),) = told(rows_of(content))
        assert line == 2
        assert "negative" in message


# --- dates


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["-", ".", "/"]), st.booleans())
def test_a_date_is_read_as_it_was_written(day: date, mark: str, has_zeros: bool) -> None:
    d, m = (f"{day:%d}", f"{day:%m}") if has_zeros else (str(day.day), str(day.month))
    iso = day.isoformat()
    assert read_date(mark.join((str(day.year), m, d))) == (iso, iso)
    assert read_date(mark.join((d, m, str(day.year)))).day_first == iso
    assert read_date(mark.join((m, d, str(day.year)))).month_first == iso
    assert read_date_as(mark.join((d, m, str(day.year))), f"DD{mark}MM{mark}YYYY") == iso
    assert read_date_as(mark.join((m, d, f"{day:%y}")), f"MM{mark}DD{mark}YY") == iso
    assert read_date_as(f"{day:%Y%m%d}", "YYYYMMDD") == iso


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["05-11-2026"], ["2026-11-05"]),
        (["05.11.2026", "5.1.2026"], ["2026-11-05", "2026-01-05"]),
        (["05/11/2026", "25/11/2026"], ["2026-11-05", "2026-11-25"]),
        (["05/11/2026", "11/25/2026"], ["2026-05-11", "2026-11-25"]),
        (["11-24-2026", "11-25-2026"], ["2026-11-24", "2026-11-25"]),
        (["11-25-2026", "06-06-2026"], ["2026-11-25", "2026-06-06"]),
        (["05/05/2026", "2026-11-05", "2026/11/05"], ["2026-05-05", "2026-11-05", "2026-11-05"]),
        (["05-11-2026", "05/11/2026", "13/01/2026"], ["2026-11-05", "2026-11-05", "2026-01-13"]),
    ],
)
def test_the_file_settles_the_order_of_its_dates(days: list[str], expected: list[str]) -> None:
    rows = rows_of(f"{HEADER}\n" + "".join(pair(number, "5", day) for number, day in enumerate(days)))
    assert [entry["date"] for entry in entries(rows)] == expected


@pytest.mark.parametrize(
    ("days", "lines"),
    [(["05/11/2026"], [2]), (["06/06/2026", "05/11/2026"], [4]), (["25/11/2026", "11/25/2026"], [2, 4]),
     (["25-11-2026", "11-25-2026"], [2, 4]), (["05-11-2026", "05-11-2026", "11-25-2026"], [2, 6]),
     (["11-25-2026", "05.11.2026"], [2, 4]), (["05-11-2026", "11/25/2026"], [2, 4]),
     (["05-11-2026"] * 200 + ["05/11/2026"], [402])],
)  # fmt: skip
def test_dates_that_nothing_settles_post_nothing(days: list[str], lines: list[int]) -> None:
    fault = refused(f"{HEADER}\n" + "".join(pair(number, "5", day) for number, day in enumerate(days)))
    assert "dateFormat" in fault.message
    assert [(one.line, one.property) for one in fault.refusals] == [(line, "date") for line in lines]


@pytest.mark.parametrize(
    ("date_format", "text", "expected"),
    [("DD/MM/YYYY", "05/11/2026", "2026-11-05"), ("MM/DD/YYYY", "05/11/2026", "2026-05-11"),
     ("DD-MM-YY", "05-11-26", "2026-11-05"), ("YYMMDD", "261105", "2026-11-05"), ("DDMMYYYY", "05112026", "2026-11-05"),
     ("DD/MM/YYYY", "05-11-2026", None), ("DD/MM/YYYY", "2026-11-05", None), ("MM/DD/YYYY", "25/11/2026", None),
     ("DD-MM-YYYY", "31-02-2026", None), (None, "05-11-26", None), (None, "31-02-2026", None),
     (None, "5/5-2026", None)],
)  # fmt: skip
def test_dates_as_asked(date_format: str | None, text: str, expected: str | None) -> None:
    rows = rows_of(f"{HEADER}\n{pair(1, '5', text)}", CsvOptions(date_format=date_format))
    assert [entry["date"] for entry in entries(rows)] == ([expected] if expected else [])
    assert [line for line, _ in told(rows)] == ([] if expected else [2])


# --- encodings, headers, separators

DANISH = (
    "Bilag;Dato;Tekst;Konto;Debet;Kredit;Moms\n1;05-11-2026;Køb af smørrebrød;6480;1.250,00;;\n1;;;1010;;1.250,00;K25\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252"])
def test_encodings(encoding: str) -> None:
    options = CsvOptions(encoding=encoding) if encoding == "windows-1252" else NOTHING_SAID
    (entry,) = entries(rows_of(DANISH.encode(encoding), options))
    assert entry["description"] == "Køb af smørrebrød"
    assert entry["lines"][1] == {"accountNumber": 1010, "side": "CREDIT", "amount": "1250.00", "vatCode": "K25"}
    assert entry["date"] == "2026-11-05"


SAID = CsvOptions(encoding="windows-1252", decimal_mark=",", date_format="DD-MM-YYYY", rate_units=1)


@given(
    st.lists(st.text("abc æøåÆØÅé€£ß§°", max_size=12), min_size=1, max_size=8),
    st.integers(0, 60),
    st.sampled_from([SAID, CsvOptions(encoding="windows-1252")]),
)
def test_utf8_is_not_taken_for_windows_1252(texts: list[str], plain: int, options: CsvOptions) -> None:
    """What was said can't be meant, wherever in the file the first letter stands that shows it."""
    texts = ["Kaffe"] * plain + texts
    content = "Bilag;Dato;Tekst;Konto;Debet;Kredit\n" + "".join(
        f"{n};05-11-2026;{text};6480;5,00;\n{n};;;1010;;5,00\n" for n, text in enumerate(texts)
    )
    windows = content.encode("windows-1252")
    assume(content.isascii() or not _is_utf8(windows))  # "Å§" is "ŧ" as well
    rows = rows_of(windows, options)
    assert [entry.get("description", "") for entry in entries(rows)] == [text.strip() for text in texts]
    if content.isascii():
        return
    fault = refused(content.encode(), options)
    first = next(number for number, line in enumerate(content.split("\n"), 1) if not line.isascii())
    assert f"(line {first}): leave encoding" in fault.message
    assert [one.line for one in fault.refusals] == [first]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_empty_lines_may_stand_before_the_header() -> None:
    for before in ("\n", "\ufeff\r\n \r\n"):
        (entry,) = entries(rows_of((before + DANISH).encode()))
        assert entry["description"] == "Køb af smørrebrød"


def test_a_text_of_its_own_is_the_lines() -> None:
    """Programs with one column of texts tell in it what each line is."""
    header = "Bilag;Dato;Tekst;Konto;Debet;Kredit\n"
    rows = "7;05-11-2026;Husleje;2010;8.000,00;\n7;;Varme;2020;900,00;\n7;;Husleje;6480;;8.900,00\n"
    (entry,) = entries(rows_of(header + rows))
    assert entry["description"] == "Husleje"
    assert [one.get("description") for one in entry["lines"]] == [None, "Varme", None]
    both = header.replace("Debet", "Linjetekst;Debet") + "7;05-11-2026;Leje;2010;;8,00;\n7;;Varme;6480;Vand;;8,00\n"
    assert [line for line, _ in told(rows_of(both))] == [3]


def test_a_wrong_date_is_told_in_the_formats_that_can_be_asked_for() -> None:
    ((_, message),) = told(rows_of(f"{HEADER}\n{pair(1, '5', '31-02-2026')}"))
    assert message == (
        "date must be a valid date (YYYY-MM-DD or, as all of the file or dateFormat has it, DD-MM-YYYY): 31-02-2026"
    )


def test_a_file_that_is_not_utf8_posts_nothing() -> None:
    """Half of it posted would be posted twice by the next try."""
    good = DANISH.replace("Køb af smørrebrød", "Kaffe") + "2;05-11-2026;Te;6480;5;;\n"
    fault = refused((good + "2;;Køb;1010;;5;\n").encode("windows-1252"))
    assert "encoding=windows-1252" in fault.message
    assert [one.line for one in fault.refusals] == [5]
    fault = refused((good + "2;;Køb;1010;;1.000;\n").replace("1.250,00", "1.250").encode("windows-1252"))
    assert "decimalMark" not in fault.message  # the lines that can't be read may settle it
    rows = rows_of((good + "2;;Køb;1010;;5;\n").encode("windows-1252"), CsvOptions(encoding="utf-8"))
    assert told(rows) == [(5, f"The row is not UTF-8{LEFT_OUT}")]


@pytest.mark.parametrize(
    ("content", "options", "word"),
    [
        (b"", NOTHING_SAID, "empty"),
        (b"\xef\xbb\xbf", NOTHING_SAID, "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", NOTHING_SAID, "empty"),
        (b"\n \n\n", NOTHING_SAID, "empty"),
        (DANISH.encode(), CsvOptions(encoding="windows-1252"), "leave encoding"),
        (b"sep=;\n", NOTHING_SAID, "empty"),
        (DANISH.encode("utf-16"), NOTHING_SAID, "UTF-16"),
        (DANISH.encode("utf-16-be"), NOTHING_SAID, "NUL"),
        (DANISH.encode("utf-8-sig"), CsvOptions(encoding="windows-1252"), "UTF-8"),
        (b"Bilag;Bel\xf8b\n", NOTHING_SAID, "encoding=windows-1252"),
        (DANISH.replace("\n", "\r").encode(), NOTHING_SAID, "CR"),
        (DANISH.replace(";Tekst", "\r;Tekst").encode(), NOTHING_SAID, "CR"),
        (b"entry;date;accountNumber;;debit\n", NOTHING_SAID, "no name over column 4"),
        (b"entry;date;accountNumber;colour;Bilagstype\n", NOTHING_SAID, "colour, Bilagstype"),
        (b"entry;date;debit\n", NOTHING_SAID, "no column accountNumber"),
        (b"entry;Bilag;date;accountNumber\n", NOTHING_SAID, "two columns for entry: entry, Bilag"),
        (b'"entry;date\n', NOTHING_SAID, "quote"),
        (b"x" * 20_000_000, NOTHING_SAID, "too long"),
    ],
)
def test_wrong_headers_say_what_is_wrong(content: bytes, options: CsvOptions, word: str) -> None:
    assert word in refused(content, options).message


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n", "\ufeff", "\ufeffsep={}\n"])
def test_separators(separator: str, first: str) -> None:
    header = separator.join(("entry", "date", "accountNumber", "debit", "credit", '"description"'))
    rows = [("1", "2026-03-16", "6480", "5", "", '"a;b,c\td"'), ("1", "", "1010", "", "5", "")]
    content = first.format(separator) + "\n".join([header, *(separator.join(row) for row in rows)])
    (entry,) = entries(rows_of(content))
    assert (entry["description"], len(entry["lines"])) == ("a;b,c\td", 2)


def test_separators_at_the_end_of_rows() -> None:
    for ends in ((";", ";", ";"), (";", "", ";;"), ("", ";", "")):
        content = "\n".join(
            text + end
            for text, end in zip(
                ("entry;date;accountNumber;debit;credit", "1;2026-03-16;6480;5;", "1;;1010;;5"), ends, strict=True
            )
        )
        assert amounts(rows_of(content)) == ["5"]
    rows = rows_of("entry;date;accountNumber;debit;credit;\n1;2026-03-16;6480;5;;x\n1;;1010;;5;\n")
    text = "The row has a value behind column 5, the last one that the header has a name for"
    assert told(rows) == [(2, text + LEFT_OUT)]


def test_a_nul_is_refused_with_its_line() -> None:
    content = f"{HEADER}\n{pair(1, '5')}".encode() + b"2;2026-03-16;6480;5\x00;;;\n" + pair(3, "5").encode()
    rows = rows_of(content)
    assert (amounts(rows), told(rows)) == (["5", "5"], [(4, f"The row has a NUL character{LEFT_OUT}")])


WHOLE = "1;2026-03-16;6480;5;;;\n1;;1010;;5;;\n"


@pytest.mark.parametrize(
    "bad",
    ["1;;2450;\x00;5;;\n", "1;;2450\n", "1;;2450;;5;;;x\n", '1;;2450;"x"y;5;;\n', "1;;2450;\xf8;5;;\n",
     f"1;;2450;{'x' * 20_000};5;;\n"],
    ids=["NUL", "few", "many", "quote", "bytes", "long"],
)  # fmt: skip
@pytest.mark.parametrize("at", range(3))
def test_an_entry_is_posted_whole_or_not_at_all(bad: str, at: int) -> None:
    """What is left of it would balance, and could never be put right by sending the bad row again."""
    lines = WHOLE.splitlines(keepends=True)
    content = f"{HEADER}\n{pair(7, '7')}" + "".join([*lines[:at], bad, *lines[at:]]) + pair(8, "8")
    rows = rows_of(content.encode("latin-1"), CsvOptions(encoding="utf-8"))
    assert amounts(rows) == ["7", "8"]
    ((line, message),) = told(rows)
    assert line == 4 + at
    assert message.endswith(LEFT_OUT)


@pytest.mark.parametrize("at", range(3))
def test_a_row_that_hides_its_entry_takes_both_neighbours_with_it(at: int) -> None:
    header = "date;entry;accountNumber;debit;credit\n"
    lines = [
        f"2026-03-16;{entry};{account};{rest}\n" for entry in (1, 2, 3) for account, rest in ((6480, "5;"), (10, ";5"))
    ]
    content = header + "".join([*lines[: 2 + at], "2026-03-16;x;2;2450;5;9\n", *lines[2 + at :]])
    rows = rows_of(content)
    posted = {0: ["5"], 1: ["5", "5"], 2: ["5"]}[at]
    assert amounts(rows) == posted
    assert [line for line, _ in told(rows)] == {0: [2, 4, 5], 1: [4, 5, 6], 2: [4, 6, 7]}[at]
    # Wherever reading stopped, it goes on with the same.
    dialect = dialect_of(content.encode(), NOTHING_SAID)
    for number, row in enumerate(rows, 1):
        if row.after is not None:
            rest = read_from(dialect, content.encode(), row.after, [])
            assert (amounts(rest), told(rest)) == (amounts(rows[number:]), told(rows[number:]))


@given(
    st.lists(st.one_of(st.just(0), st.integers(1, 3)), min_size=1, max_size=12),
    st.sampled_from([";2026-03-16;6480;5;;;\n", ";;1010;;5;;\n", "\x00;2026-03-16;6480;5;;;\n", '"x"y;;1010;;5;;\n']),
    st.booleans(),
)
def test_a_row_of_no_known_entry_refuses_its_neighbours_and_each_is_told(
    parts: list[int], hidden: str, has_blanks: bool
) -> None:
    """Wherever such rows stand, whatever is wrong with them: entries of so many pairs of rows, 0 for such a row."""
    content, line = f"{HEADER}\n", 2
    posted: list[str] = []
    refused_at: list[int] = []
    for place, pairs in enumerate(parts):
        if has_blanks:
            content, line = f"{content};;;;;;\n", line + 1
        beside = parts[place - 1] if place else 1, parts[place + 1] if place + 1 < len(parts) else 1
        if not pairs or not all(beside):
            refused_at.append(line)
        else:
            posted.append(str(5 * pairs))
        content += pair(place + 1, "5") * pairs if pairs else hidden
        line += 2 * pairs if pairs else 1
    rows = rows_of(content)
    assert amounts(rows) == posted
    assert [line for line, _ in told(rows)] == refused_at
    dialect = dialect_of(content.encode(), NOTHING_SAID)
    for number, row in enumerate(rows, 1):  # wherever reading stopped, it goes on with the same
        if row.after is not None:
            rest = read_from(dialect, content.encode(), row.after, [])
            assert (amounts(rest), told(rest)) == (amounts(rows[number:]), told(rows[number:]))


def test_quotes_that_never_close_cost_no_more_than_others() -> None:
    """Each of these lines leaves a quote open, by itself and behind the one before."""
    content = "entry,date,accountNumber,debit,credit\n" + 'x","y\n' * 20_000
    began = time.monotonic()
    assert len(told(rows_of(content))) == 20_000
    assert time.monotonic() - began < 30


@given(st.data())
def test_what_is_settled_is_settled_for_any_order_of_rows(data: st.DataObject) -> None:
    """Amounts written in one way are read in it, or nothing is posted."""
    decimal_mark, thousands_mark = data.draw(st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'")]))
    values = data.draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
    has_decimals = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    written, exact = [], []
    for value, with_decimals in zip(values, has_decimals, strict=True):
        amount = Decimal(value).scaleb(-2) if with_decimals else Decimal(value)
        text = f"{amount:,.2f}" if with_decimals else f"{amount:,}"
        written.append(text.replace(",", "T").replace(".", decimal_mark).replace("T", thousands_mark))
        exact.append(amount)
    content = f"{HEADER}\n" + "".join(pair(number, text) for number, text in enumerate(written))
    try:
        found: list[Any] = [Decimal(amount) for amount in amounts(rows_of(content))]
    except UnreadableFileError:
        assert not any(has_decimals)
    else:
        assert found == exact
    assert [Decimal(amount) for amount in amounts(rows_of(content, CsvOptions(decimal_mark=decimal_mark)))] == exact
