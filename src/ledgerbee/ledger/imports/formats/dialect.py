"""What a CSV file says of itself, all of it: separator and columns, encoding, decimal mark, order of day and month.

A value can often be read in two ways (`12.500`, `05/11/2026`), and one row can't tell which is meant. So the whole file
is looked through before the first row is posted: one value that can be read in one way only settles all others.
"""

from collections.abc import Callable, Iterator, Sequence
from csv import Error as CsvError
from csv import reader as csv_reader
from decimal import Decimal
from typing import Final

from ledgerbee.core.money import format_decimal
from ledgerbee.ledger.imports.formats.dates import DAY_FIRST, MONTH_FIRST, read_date
from ledgerbee.ledger.imports.formats.headings import ENTRIES, IGNORED, Headings
from ledgerbee.ledger.imports.formats.numbers import read_number
from ledgerbee.ledger.imports.formats.records import ENCODINGS, Record, Records
from ledgerbee.ledger.imports.formats.rows import Lines
from ledgerbee.ledger.imports.model import (
    BEGINNING,
    JOURNAL_IMPORT_UNREADABLE,
    MAX_NAMED,
    CsvDialect,
    CsvOptions,
    Place,
    Question,
    Refusal,
    Seen,
    Settling,
    UnreadableFileError,
)

_SEPARATORS: Final = (";", ",", "\t")
_UTF8: Final = "utf-8"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
#: Characters that are repeated of what a line has.
_QUOTED: Final = 40
_SAY_ENCODING: Final = "say encoding=windows-1252 (--encoding) if it is that, or encoding=utf-8 to leave out such rows"
_SAY_UTF8: Final = "leave encoding (--encoding) out"
_SAY_MARK: Final = "say decimalMark=, or decimalMark=. (--decimal-mark)"
_SAY_DATES: Final = "say dateFormat=DD/MM/YYYY or the like (--date-format)"
_SAY_UNITS: Final = "say rateUnits=100 or rateUnits=1 (--rate-units)"


class DialectReader:
    """Looks through a CSV file, or what comes after `start`. Holds a line of it, and `known`, which is its own."""

    def __init__(
        self,
        options: CsvOptions,
        start: Place = BEGINNING,
        known: Settling | None = None,
        headings: Headings = ENTRIES,
    ) -> None:
        self._options = options
        self._headings = headings
        self._encoding = options.encoding or _UTF8
        self._lines = Lines(start)
        self.known = known or Settling(
            self._encoding == _UTF8, numbers=Question((",", ".")), dates=Question((DAY_FIRST, MONTH_FIRST))
        )
        self._records: Records | None = None
        if self.known.first is not None:
            self._records = Records(self._encoding, self.known.separator, start)

    def feed(self, block: bytes) -> None:
        """Take a block of the file. Raises `UnreadableFileError` for a wrong header."""
        for line in self._lines.feed(block):
            self._take(*line)
        if self._lines.is_too_long and self._records is not None:  # no record goes over such a line
            for record in self._records.end():
                self._look_at(record)

    @property
    def place(self) -> Place:
        """Where another reader can go on with what is known."""
        return (self._records and self._records.begun) or self._lines.place

    @property
    def _nothing(self) -> str:
        return f"Nothing was {self._headings.kept_out}."

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to ask the file: the header is known, and everything else was said."""
        said = self._options
        return bool(
            self.known.columns
            and said.encoding
            and self.known.is_no_utf8
            and said.decimal_mark
            and said.date_format
            and (said.rate_units or not self.known.has_danish_rates)
        )

    def end(self) -> CsvDialect:
        """What the whole file says. Raises `UnreadableFileError` when that leaves a question open."""
        for line in self._lines.end():
            self._take(*line)
        if self._records is None or self.known.first is None:
            raise UnreadableFileError("The file is empty: it needs a header row")
        if self.known.utf8_line is not None and not self.known.is_no_utf8:
            seen = [Seen(self.known.utf8_line, "", "")]
            text = f"The file is UTF-8, not {ENCODINGS[self._encoding]} (line {self.known.utf8_line}): {_SAY_UTF8}."
            raise UnreadableFileError(f"{text} {self._nothing}", _refusals(seen, text))
        for record in self._records.end():
            self._look_at(record)
        problems, mark, date_format = list(self._problems()), self._decimal_mark(), self._date_format()
        if problems or mark is None or date_format is None:
            message = " ".join(text for text, _ in problems)
            raise UnreadableFileError(f"{message} {self._nothing}", [line for _, lines in problems for line in lines])
        return CsvDialect(
            encoding=self._encoding,
            separator=self.known.separator,
            columns=self.known.columns,
            first=self.known.first,
            decimal_mark=mark,
            date_format=date_format,
            rate_units=self._options.rate_units or 1,
        )

    def _take(self, number: int, raw: bytes | None, after: Place) -> None:
        if not self.known.is_no_utf8 and raw is not None and not raw.isascii():
            self._look_for_utf8(number, raw)
        if self._records is None:
            self._read_header(number, raw, after)
            return
        for record in self._records.take(number, raw, after):
            self._look_at(record)

    def _look_for_utf8(self, number: int, raw: bytes) -> None:
        """Whether the encoding that was said can be meant: nobody writes texts that are UTF-8 throughout by chance."""
        try:
            raw.decode(_UTF8)
        except UnicodeDecodeError:
            self.known.is_no_utf8 = True
        else:
            self.known.utf8_line = self.known.utf8_line or number

    def _read_header(self, number: int, raw: bytes | None, after: Place) -> None:
        text = _header_text(raw, self._encoding, is_first=number == 1)
        if number == 1 and text[:4].lower() == "sep=" and text[4:] in _SEPARATORS:  # Excel's own way to say it
            self.known.separator = text[4:]
            return
        if not text.strip():
            return
        known = self.known
        separators = [known.separator] if known.separator else _SEPARATORS
        known.separator, names = _split_best(text, separators, self._headings)
        known.columns = _columns(names, self._headings)
        known.has_danish_rates = any(self._headings.is_rate(name) for name in names)
        known.first = after
        self._records = Records(self._encoding, known.separator, after)

    def _look_at(self, record: Record) -> None:
        if record.values is None:
            assert self._records is not None
            if record.fault == self._records.not_decodable and len(self.known.not_decodable) < MAX_NAMED:
                self.known.not_decodable.append(record.line)
            return
        count = len(self.known.columns)
        if len(record.values) < count or any(record.values[count:]):
            return  # it is refused: its values may stand in other columns
        for column, value in zip(self.known.columns, record.values, strict=False):
            text = value.strip()
            if not text:
                continue
            seen = Seen(record.line, column, text[:_QUOTED])
            if column in self._headings.numbers:
                self.known.numbers.ask(seen, read_number(text))
                if column == "exchangeRate" and not self.known.rates:
                    self.known.rates.append(seen)
            elif column in self._headings.dates:
                # With a hyphen or a point between them the day stands first, unless all of the file is otherwise.
                self.known.dates.ask(seen, read_date(text), has_usual="/" not in text)

    def _decimal_mark(self) -> str | None:
        return self._options.decimal_mark or self.known.numbers.answer(".")

    def _date_format(self) -> str | None:
        return self._options.date_format or self.known.dates.answer(DAY_FIRST)

    def _problems(self) -> Iterator[tuple[str, Sequence[Refusal]]]:
        """What is left open, and the lines that show it."""
        if self.known.not_decodable and self._options.encoding is None:
            seen = [Seen(line, "", "") for line in self.known.not_decodable]
            yield (
                f"The file is not UTF-8 (line {seen[0].line}): {_SAY_ENCODING}.",
                _refusals(seen, "The row is not UTF-8"),
            )
            return  # what these lines would settle isn't known
        if self._decimal_mark() is None:
            yield _unsettled(self.known.numbers, "the decimal mark", _both_numbers, _SAY_MARK)
        if self._date_format() is None:
            yield _unsettled(self.known.dates, "whether the day or the month stands first", _both_dates, _SAY_DATES)
        if self.known.has_danish_rates and self.known.rates and self._options.rate_units is None:
            text = f"The exchange rate {self.known.rates[0]} may be that of one unit or of a hundred: {_SAY_UNITS}."
            yield text, _refusals(self.known.rates, text)


def _unsettled(question: Question, what: str, both: Callable[[str], str], say: str) -> tuple[str, Sequence[Refusal]]:
    seen = question.unsettled()
    if len(question.contradiction()) > 1:
        text = f"{seen[0]} and {seen[1]} contradict each other on {what}: {say}."
        return text, _refusals(seen, text)
    text = f"Nothing in the file settles {what}: {seen[0]} can be read as {both(seen[0].text)}; {say}."
    return text, [
        refusal
        for one in seen
        for refusal in _refusals([one], f"{one.text} can be read as {both(one.text)}, and nothing settles which: {say}")
    ]


def _refusals(seen: Sequence[Seen], message: str) -> list[Refusal]:
    return [Refusal(one.line, JOURNAL_IMPORT_UNREADABLE.code, one.column, message) for one in seen]


def _both_numbers(text: str) -> str:
    return " or as ".join(format_decimal(Decimal(number)) for number in read_number(text) if number)


def _both_dates(text: str) -> str:
    return " or as ".join(day for day in read_date(text) if day)


def _header_text(raw: bytes | None, encoding: str, *, is_first: bool) -> str:
    if raw is None:
        raise UnreadableFileError("The header row is too long")
    if is_first and raw.startswith(_UTF16_BOMS):
        raise UnreadableFileError('The file is UTF-16 ("Unicode text"): save it as "CSV UTF-8"')
    if is_first and raw.startswith(_BOM):
        if encoding != _UTF8:
            raise UnreadableFileError("The file says that it is UTF-8: leave the encoding out")
        raw = raw.removeprefix(_BOM)
    try:
        text = raw.decode(encoding).strip("\r\n")
    except UnicodeDecodeError:
        raise UnreadableFileError(f"The header row is not {ENCODINGS[encoding]}: {_SAY_ENCODING}") from None
    if "\x00" in text:
        raise UnreadableFileError("The header row has NUL characters: the file is no CSV in UTF-8")
    if "\r" in text:
        raise UnreadableFileError("Lines end with CR alone, as old Macs had it: save the file with LF or CR LF")
    return text


def _split_best(text: str, separators: Sequence[str], headings: Headings) -> tuple[str, list[str]]:
    """The separator that makes the most known columns of the header row, and the headings."""
    found = [(separator, _split(text, separator)) for separator in separators]
    return max(found, key=lambda one: sum(headings.column_of(name) not in {None, IGNORED} for name in one[1]))


def _split(text: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv_reader([text], delimiter=separator, strict=True), [])]
    except CsvError:
        return []


def _columns(row: Sequence[str], headings: Headings) -> tuple[str, ...]:
    """The columns that a header row names. Those without a name at the end are no columns: exports end rows so."""
    names = list(row)
    while names and not names[-1]:
        names.pop()
    columns = [headings.column_of(name) for name in names]
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    known = [column for column in columns if column]
    missing = [" or ".join(names_of) for names_of in headings.needed if not set(names_of) & set(known)]
    problem = ""
    if not names:
        problem = "no columns, or a quote that is never closed"
    elif "" in unknown:
        problem = f"no name over column {names.index('') + 1}"
    elif unknown:
        problem = f"unknown columns {', '.join(name[:_QUOTED] for name in unknown[:MAX_NAMED])}"
    elif missing:
        problem = f"no column {', '.join(missing)}"
    elif len(set(known)) < len(known):
        twice = next(column for column in known if known.count(column) > 1)
        problem = f"two columns for {twice}: {', '.join(n for n in names if headings.column_of(n) == twice)}"
    if problem:
        raise UnreadableFileError(f"The header row has {problem}")
    return tuple([column for column in columns if column is not None])
