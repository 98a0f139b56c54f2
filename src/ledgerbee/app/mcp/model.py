"""What a tool of the MCP server is, what it is called with, and what it gives."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.caller import Caller

UNKNOWN_TOOL = ErrorCode("UNKNOWN_TOOL", 404, "There is no such tool")
RESULT_TOO_LARGE = ErrorCode("RESULT_TOO_LARGE", 413, "The result is longer than what a tool gives at once")
TOO_MANY_CALLS = ErrorCode("TOO_MANY_CALLS", 429, "The connection calls more often than it may")


class Effect(Enum):
    """What a call of a tool does to the company's rows; its hints follow from it."""

    #: Nothing: no row changes.
    READS = "reads"
    #: It keeps a preview for a while, or changes what can be changed again: nothing is booked, sent or cancelled.
    PREPARES = "prepares"
    #: It books, sends, reverses or cancels what can't be taken back.
    COMMITS = "commits"


@dataclass(frozen=True, slots=True)
class CompanyFacts:
    """What every result says of the company, and its language: kept in `Principal.company_cache` for a minute.

    `currency` is that of its books; `until` is aware UTC.
    """

    id: UUID
    name: str
    currency: str
    language: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a result is about, as they were resolved, both included.

    `start` None: from the beginning; `end` None: to whatever is there.
    """

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tool: who calls, and with what, as its schema wants it.

    Numbers of the arguments are `int` and `Decimal`. `app` is the application, for `run_operation`; `base_url` the
    address of the installation, for those of its pages.
    """

    app: Any
    caller: Caller
    company: CompanyFacts
    arguments: Mapping[str, Any]
    base_url: str

    @property
    def today(self) -> date:
        """The company's day; of a sandbox whose clock was moved, that clock's."""
        return day_in(self.caller.company_now, self.caller.principal.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a tool gives: JSON values in `data`, after the company, its currency and the `period`, which are put before.

    A value may be `msgspec.Raw`: JSON text, such as the body of an operation's answer, that goes in as it is.
    Amounts are as the API has them, or `results.amount(...)`. `untrusted` are the paths of texts that customers and
    other parties wrote: `data.*.customerName`, `*` for every element of a list or object.
    """

    data: Mapping[str, Any]
    period: Period | None = None
    untrusted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a caller can do about an error, told to callers that have all of these `tools`."""

    text: str
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: what a model reads of it, what it takes and gives (JSON schemas), and what runs it.

    It is listed for connections with all its `scopes` and, where it has `any_scopes`, one of those; it runs for no
    other. `input_schema` is of an object without additional properties: arguments are checked against it before `run`.
    `output_schema` is of the object `Result.data`; what every result begins with is added to it. `run` raises
    `LedgerBeeError`, which the caller sees as an error of the tool with a remedy: the first that is for the caller of
    those that `remedies` has under its code, else a general one (`remedies.py`).
    """

    name: str
    title: str
    description: str
    scopes: frozenset[str]
    effect: Effect
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    run: Callable[[Call], Awaitable[Result]]
    remedies: Mapping[str, Sequence[Remedy]] = field(default_factory=dict)
    any_scopes: frozenset[str] = frozenset()
    #: Whether a call sends something to others: mails, e-invoices, webhooks.
    is_open_world: bool = False

    def is_for(self, scopes: frozenset[str]) -> bool:
        """Whether a connection with these scopes has it."""
        return self.scopes <= scopes and (not self.any_scopes or bool(self.any_scopes & scopes))
