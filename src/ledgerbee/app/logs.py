"""Structured logs: one JSON object a line on stderr. Nothing secret is ever an argument of a log call."""

import json
import logging
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict

from ledgerbee.core.dates import format_moment, system_clock

_REQUESTS: Final = logging.getLogger("ledgerbee.requests")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


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
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
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
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.INFO))
    _REQUESTS.setLevel(number)
    # One line a request is the shell's; one line a job is the worker's.
    for noisy in ("uvicorn.access", "pgqueuer", "httpx", "aiosmtpd", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_request(request_id: str, method: str, path: str, status: int, milliseconds: int) -> None:
    """The access log: one line a request, written without the processors that the others go through.

    `path` is without the query, which may carry a key or a name.
    """
    if not _REQUESTS.isEnabledFor(logging.INFO):
        return
    line = {
        "event": "request",
        "request_id": request_id,
        "method": method,
        "path": path,
        "status": status,
        "milliseconds": milliseconds,
        "level": "info",
        "timestamp": format_moment(system_clock()),
    }
    sys.stderr.write(_ENCODER.encode(line) + "\n")


def _stamp(_: Any, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = format_moment(system_clock())
    return event


def _encode(event: object, **_: Any) -> str:
    # One encoder for all lines: json.dumps with a default builds a new one every time.
    return _ENCODER.encode(event)
