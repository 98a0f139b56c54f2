"""Structured logs: one JSON object a line on stderr. Nothing secret is ever an argument of a log call.

A line that can't be written (a full disk, a reader that is gone) is lost and nothing else: what was being done
goes on.
"""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, TextIO, cast

import structlog
from structlog.typing import EventDict

from ledgerbee.core.dates import format_moment, system_clock
from ledgerbee.core.errors import LedgerBeeError

_REQUESTS: Final = logging.getLogger("ledgerbee.requests")
#: A secret of ours in a path, where none belongs.
_SECRET: Final = re.compile(r"lb[a-z]?_[A-Za-z0-9_.-]{16,}")
_MAX_PATH: Final = 200
#: Libraries whose trouble with files and sockets is that with the database.
_ITS_DRIVERS: Final = frozenset({"asyncpg", "pgqueuer"})
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
#: What shows as nothing, turns the direction of text or ends a line: a line is to look like what it is.
#: JSON escapes the characters up to U+001F itself. Categories Cc, Cf, Zl, Zp, Co and Cs of Unicode.
_INVISIBLE: Final = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\uf8ff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001-\U000e007f\U000f0000-\U0010ffff]"
)


class LogStream(io.TextIOBase):
    """Standard error of a process that writes log lines only: what is printed becomes one log line a line."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath
        self._begun = ""
        self._lock = threading.Lock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    def write(self, text: str, /) -> int:
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line.strip():
                structlog.get_logger().warning("stderr", text=line.rstrip())
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.beneath.fileno()

    def note(self, text: str) -> None:
        """Words for the operator."""
        structlog.get_logger().warning("note", text=text)

    def refusal(self, text: str) -> None:
        """Why the command ends."""
        structlog.get_logger().error("command.failed", error=text)


def _stderr() -> TextIO:
    return sys.stderr.beneath if isinstance(sys.stderr, LogStream) else sys.stderr


class _BestEffortStream(io.TextIOBase):
    """Standard error for log lines: what can't be written is dropped."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            _stderr().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            _stderr().flush()


_STDERR: Final = cast("io.TextIOWrapper", _BestEffortStream())


def _is_not_repeated(record: logging.LogRecord) -> bool:
    """Whether a line says what none has said: a refusal that ends an answer midway is `answer.broken_off` already."""
    return not (record.name == "uvicorn.error" and record.exc_info and isinstance(record.exc_info[1], LedgerBeeError))


def configure(level: str) -> None:
    """Send structlog and the libraries' logging to stderr as JSON lines."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(_STDERR),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_encode),
        ],
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.processors.add_log_level,
            _stamp,
            _shorten_connection_loss,
        ],
    )
    handler = logging.StreamHandler(_STDERR)
    handler.setFormatter(formatter)
    handler.addFilter(_is_not_repeated)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.INFO))
    _REQUESTS.setLevel(number)
    # One line a request is the middleware's; one line a job is the worker's.
    for noisy in ("uvicorn.access", "pgqueuer", "httpx", "aiosmtpd", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def capture_stderr() -> None:
    """Have everything that this process writes to standard error be log lines, from now on.

    Whatever is printed there, warnings of Python, and exceptions that nobody caught, in threads and destructors too.
    """
    configure("INFO")
    if not isinstance(sys.stderr, LogStream):
        sys.stderr = LogStream(sys.stderr)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda fault: log_uncaught(
        fault.exc_type, fault.exc_value or fault.exc_type(), fault.exc_traceback
    )
    sys.unraisablehook = _log_unraisable
    logging.captureWarnings(capture=True)


def log_request(
    request_id: str, method: str, path: str, status: int, milliseconds: int, noted: Mapping[str, str] | None = None
) -> None:
    """The access log: one line a request, written without the processors that the others go through.

    `path` is without the query, which may carry a key or a name. `noted` are further fields, names of ours and ids.
    """
    if not _REQUESTS.isEnabledFor(logging.INFO):
        return
    # Written by hand: of what stands here, only the path has to be escaped.
    shown = _encode(printable(path))
    more = f",{_encode(noted)[1:-1]}" if noted else ""
    moment = format_moment(system_clock())
    _STDERR.write(
        f'{{"event":"request","request_id":"{request_id}","method":"{method}","path":{shown},"status":{status},'
        f'"milliseconds":{milliseconds}{more},"level":"info","timestamp":"{moment}"}}\n'
    )


def log_uncaught(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: what ends a process is a line of its log like any other."""
    if _is_connection_loss(fault, "asyncpg"):
        structlog.get_logger().critical("process.failed", error=f"{kind.__name__}: {fault}")
        return
    structlog.get_logger().critical("process.failed", exc_info=(kind, fault, trace))


def _log_unraisable(found: "sys.UnraisableHookArgs") -> None:
    fault = found.exc_value or found.exc_type()
    structlog.get_logger().error(
        "exception.ignored",
        where=f"{found.err_msg or 'in'} {found.object!r}",
        exc_info=(found.exc_type, fault, found.exc_traceback),
    )


def printable(path: str) -> str:
    """A request's path as it may stand in a log: bounded, and without what looks like a secret of ours."""
    shown = _SECRET.sub("[secret]", path) if "lb" in path else path
    return shown if len(shown) <= _MAX_PATH else shown[:_MAX_PATH] + "…"


def _stamp(_: Any, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = format_moment(system_clock())
    return event


def _shorten_connection_loss(_: Any, __: str, event: EventDict) -> EventDict:
    """What libraries say of a database that went away, each in its place, is a line without a traceback.

    A task of ours that failed for it beside the one whose failure counts is logged by asyncio: no fault either.
    """
    found = event.get("exc_info")
    fault = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    library = str(event.get("logger")).partition(".")[0]
    if isinstance(fault, BaseException) and _is_connection_loss(fault, library):
        del event["exc_info"]
        event["error"] = f"{type(fault).__name__}: {fault}"
    return event


def _is_connection_loss(fault: BaseException, library: str) -> bool:
    # Here, for the sake of the start: most processes never lose their database.
    from asyncpg import InterfaceError  # noqa: PLC0415

    from ledgerbee.core.errors import LedgerBeeError  # noqa: PLC0415
    from ledgerbee.platform.connection import CONNECTION_LOST  # noqa: PLC0415

    if isinstance(fault, LedgerBeeError):
        return fault.is_passing
    is_closed = isinstance(fault, InterfaceError) and ("connection" in str(fault) or "pool" in str(fault))
    is_of_driver = isinstance(fault, OSError) and library in _ITS_DRIVERS
    return is_closed or is_of_driver or isinstance(fault, CONNECTION_LOST)


def _encode(event: object, **_: Any) -> str:
    # One encoder for all lines: json.dumps with a default builds a new one every time.
    line = _ENCODER.encode(event)
    return line if line.isascii() and "\x7f" not in line else _INVISIBLE.sub(_escaped, line)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]
