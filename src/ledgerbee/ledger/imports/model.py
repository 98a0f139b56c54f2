"""Imports: files of any length whose rows become journal entries, a chunk at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, NewType
from uuid import UUID

import msgspec
from msgspec import Struct

from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.ledger.periods.model import Span

#: Entries that are posted in one transaction, and lines of them at most (an entry with more is posted alone).
CHUNK_ENTRIES: Final = 500
CHUNK_LINES: Final = 20_000
#: Bytes of a file that are read for one transaction (a row more at most): rows that are refused take memory too.
CHUNK_BYTES: Final = 32 * 1024 * 1024
#: The same where a row is not plain: what is decoded takes ten times the memory and more.
CHUNK_BYTES_DECODED: Final = 2 * 1024 * 1024
#: Errors of one import that are kept as rows; all are counted.
MAX_ERRORS: Final = 10_000
#: Bytes of a part of a waiting file; the last one is shorter.
PART_BYTES: Final = 1024 * 1024

#: Values and lines that are named of a file that can't be settled.
MAX_NAMED: Final = 100
#: Imports of one company that wait or are worked off at most. (How long they may be altogether is a setting.)
MAX_WAITING: Final = 1000

#: The job that carries out one import, or goes on with it.
IMPORT_JOB: Final = "import_journal_entries"


ImportId = NewType("ImportId", UUID)


class ImportFormat(StrEnum):
    """How a file says what to post. `beancount`: JSON Lines that `ledgerbee import beancount` made of books."""

    JSONL = "jsonl"
    CSV = "csv"
    BEANCOUNT = "beancount"


class ImportStatus(StrEnum):
    """How far an import is: `receiving` its file, `queued` for a worker, `running`; the other three are ends."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Place(Struct, frozen=True, gc=False):
    """Where reading goes on: the format's own position in the file, the line it is on, the bytes before it.

    A position behind the bytes read is within a line that is too long to be taken, which begins behind these.
    """

    position: int = 0
    line: int = 1
    bytes_read: int = 0


BEGINNING: Final = Place()


class CsvOptions(Struct, frozen=True):
    """What was said of a CSV file when it was sent; what is None the file has to settle by itself.

    `decimal_mark` is a comma or a point, `date_format` as in `formats.dates`, `rate_units` the number of units of the
    foreign currency that an exchange rate is the price of (1 or 100).
    """

    encoding: str | None = None
    decimal_mark: str | None = None
    date_format: str | None = None
    rate_units: int | None = None


NOTHING_SAID: Final = CsvOptions()


@dataclass(frozen=True, slots=True)
class FileToImport:
    """What is said of a file when it is sent. With `open_fiscal_years` all that its rows need are opened."""

    format: ImportFormat
    name: str | None
    csv_options: CsvOptions = NOTHING_SAID
    open_fiscal_years: bool = False


class CsvDialect(Struct, frozen=True):
    """How a CSV file is read, settled once for all of it: see `formats.dialect`.

    `columns` are the columns by our names (empty: passed over), `first` is the place after the header.
    """

    encoding: str
    separator: str
    columns: tuple[str, ...]
    first: Place
    decimal_mark: str
    date_format: str
    rate_units: int


class Seen(NamedTuple):
    """A value of a CSV file: the line that its row begins on, our name of its column, and the start of its text."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"{self.text} (line {self.line})"


class Question(Struct):
    """A question to all values of a kind, with two answers: which of them values prove, and which leave it open.

    `proofs` has the first value that proves an answer, by answer; `open` the first values that leave it open; `usual`
    the first one in a form that stands for the first answer wherever nothing is said.
    """

    answers: tuple[str, str]
    proofs: dict[str, Seen] = msgspec.field(default_factory=dict)
    open: list[Seen] = msgspec.field(default_factory=list)
    usual: Seen | None = None

    def ask(self, seen: Seen, readings: tuple[str | None, str | None], *, has_usual: bool = False) -> None:
        """Look at a value, and what it is under either answer (None: nothing). `has_usual`: it is written in a form
        that means the first answer; proof of the second then contradicts it."""
        first, second = readings
        if first == second:
            return
        if first is None or second is None:
            self.proofs.setdefault(self.answers[first is None], seen)
        elif has_usual:
            self.usual = self.usual or seen
        elif len(self.open) < MAX_NAMED:
            self.open.append(seen)

    def answer(self, usual: str) -> str | None:
        """What the values prove, or `usual` if they ask for nothing else; None if they leave it open."""
        if len(self.contradiction()) > 1 or (self.open and not self.proofs):
            return None
        return next(iter(self.proofs), usual)

    def contradiction(self) -> Sequence[Seen]:
        """One value for each answer, in the order of the file: two of them can't both be right."""
        proofs, first = self.proofs, self.usual
        found = {self.answers[0]: first, **proofs} if first else proofs
        return sorted((one for one in found.values() if one is not None), key=lambda one: one.line)

    def unsettled(self) -> Sequence[Seen]:
        """The values that show why there is no answer."""
        return self.contradiction() if len(self.contradiction()) > 1 else self.open


class Settling(Struct):
    """What is known of a CSV file that has not been looked through to its end yet: see `formats.dialect`.

    `first` is the place after the header, None while that has not come; `separator` may be known before. Under another
    encoding than UTF-8 `utf8_line` is the first line that UTF-8 says something else of, and `is_no_utf8` whether a line
    can't be UTF-8.
    """

    is_no_utf8: bool
    numbers: Question
    dates: Question
    separator: str = ""
    columns: tuple[str, ...] = ()
    first: Place | None = None
    has_danish_rates: bool = False
    not_decodable: list[int] = msgspec.field(default_factory=list)
    utf8_line: int | None = None
    rates: list[Seen] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalImport:
    """One import. `content_hash` is the SHA-256 of the file (None while it is received), `failure` says why it failed.

    `error_count` counts what was refused; `summary` is what the format reports at the end. `csv_dialect` is None until
    the file was looked through. `opens` are the days whose financial years are opened where they are missing, decided
    when it began: however it is interrupted, and whatever it opens itself, the same rows are posted.
    """

    id: ImportId
    format: ImportFormat
    file_name: str | None
    status: ImportStatus
    content_hash: bytes | None = None
    bytes_total: int = 0
    place: Place = BEGINNING
    entries_posted: int = 0
    error_count: int = 0
    failure: str | None = None
    summary: dict[str, Any] | None = None
    opens: Span
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    csv_options: CsvOptions = NOTHING_SAID
    csv_dialect: CsvDialect | None = None

    @property
    def is_over(self) -> bool:
        return self.status in {ImportStatus.COMPLETED, ImportStatus.FAILED, ImportStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was wrong with the row that begins on `line`. `property` is a dot path into it, or empty."""

    line: int
    code: str
    property: str
    message: str


class Kept(Struct, frozen=True):
    """A refusal that isn't recorded yet: of the entry `key`, which may go on, or of a row that may be of the next one.

    Reading can go on at the place `after` it.
    """

    refusal: Refusal
    after: Place | None
    key: str | None = None


class Reached(Struct, frozen=True):
    """How far a file was read behind the place of its import, where nothing could be posted yet.

    It is good only while the import is at `position` still: then reading goes on at `place`, with what is known there,
    instead of at the import's own place. Without it the same is read again, and comes to the same.
    """

    position: int
    place: Place
    settling: Settling | None = None
    kept: Kept | None = None


class TurnOverError(Exception):
    """A run has had its turn, and has reached a place with nothing to post: the next one goes on there."""

    def __init__(self, reached: Reached) -> None:
        super().__init__()
        self.reached = reached


@dataclass(frozen=True, slots=True)
class Turn:
    """How long a run lasts, and where it goes on from the one before. Looked at after each bounded piece of work."""

    is_over: Callable[[], bool] = lambda: False
    reached: Reached | None = None

    def reached_from(self, place: Place) -> Reached | None:
        """What the run before has left, if it is good at the import's place."""
        return self.reached if self.reached is not None and self.reached.position == place.position else None


#: Of a run that ends when its work does.
WITHOUT_END: Final = Turn()

JOURNAL_IMPORT_NOT_FOUND = ErrorCode("JOURNAL_IMPORT_NOT_FOUND", 404, "No such import in the company")
JOURNAL_IMPORT_INVALID_STATE = ErrorCode("JOURNAL_IMPORT_INVALID_STATE", 409, "The import is over")
JOURNAL_IMPORT_INTERRUPTED = ErrorCode(
    "JOURNAL_IMPORT_INTERRUPTED", 400, "The upload broke off; what had arrived is forgotten"
)
JOURNAL_IMPORT_QUOTA_EXCEEDED = ErrorCode(
    "JOURNAL_IMPORT_QUOTA_EXCEEDED",
    429,
    "The imports of the company that wait are too many or too long. Wait until some are done, or cancel one",
)
JOURNAL_IMPORT_UNREADABLE = ErrorCode(
    "JOURNAL_IMPORT_UNREADABLE", 400, "The file, or a row of it, can't be read as its format"
)
JOURNAL_IMPORT_REPEATED = ErrorCode(
    "JOURNAL_IMPORT_REPEATED", 409, "The same file was imported before; say so if it is to be imported again"
)
JOURNAL_IMPORT_BUSY = ErrorCode("JOURNAL_IMPORT_BUSY", 409, "The import is being carried out by another process")


class UnreadableFileError(LedgerBeeError):
    """A file of which nothing can be posted. `refusals` name the lines that show it, or some of them."""

    def __init__(self, message: str, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(JOURNAL_IMPORT_UNREADABLE, message, {})
        self.refusals = refusals
