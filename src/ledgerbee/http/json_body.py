"""JSON bodies, decoded exactly: numbers become `int` and `Decimal`, never `float`."""

import json
import re
from decimal import Decimal
from typing import Any, Final

from fastapi import Request

from ledgerbee.core.errors import invalid
from ledgerbee.http.body_limits import MAX_DEPTH, check_depth, check_digits
from ledgerbee.http.step_scheduler import run_step
from ledgerbee.http.texts import check_text, marked

#: What a text that can't be stored is written with; a pair of surrogates, which can, begins like it.
_BAD_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
MALFORMED_JSON = invalid(("", "isJson", "body must be valid JSON"))


class ExactRequest(Request):
    """A request whose JSON numbers become `int` and `Decimal`; for strings that can't be stored see `texts.marked`."""

    async def json(self) -> Any:
        """The decoded body; no body is an object without fields. Raises the validation error for what is no JSON."""
        if not hasattr(self, "_json"):
            raw = await self.body() or b"{}"
            self._json = await run_step(len(raw), lambda: _readable(raw))
        return self._json


def _readable(raw: bytes) -> Any:
    value, is_doubtful = _decoded(raw)
    return marked(value) if is_doubtful else value


def decode_json(raw: bytes) -> Any:
    """Decode exactly: UTF-8, no float, no NaN or Infinity, no NUL or lone surrogate in a string.

    Raises a validation error, also for numbers that are too long and lists that are nested too deep.
    """
    value, is_doubtful = _decoded(raw)
    if is_doubtful:
        check_text(value)
    return value


def _decoded(raw: bytes) -> tuple[Any, bool]:
    """The value, and whether there may be NULs or lone surrogates in it.

    Escapes are the only way for them to come in: raw ones are no valid JSON or UTF-8.
    """
    try:
        # Given bytes, `json` would also guess UTF-16 and UTF-32, and let surrogates through.
        text = raw.decode("utf-8-sig")
        value = json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as fault:
        detail = fault.msg if isinstance(fault, json.JSONDecodeError) else "it can't be decoded"
        raise invalid(("", "isJson", f"body must be valid JSON: {detail}")) from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        check_depth(value)
    return value, _BAD_ESCAPE.search(text) is not None


def _decimal(number: str) -> Decimal:
    return Decimal(check_digits(number))


def _integer(number: str) -> int:
    return int(check_digits(number))


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
