"""Idempotency keys: the same request twice does its work once (decisions "Base").

The key is reserved in the first round trip of the write's own transaction: a transaction-scoped advisory lock says
"still running", the row, written with the answer just before the commit, says "done". What rolls back leaves neither.

Two requests are the same if method, path, query and body are: queries as their pairs in any order and encoding, JSON
bodies as values. Names in another order, white space, escapes and `1.0` for `1` make no other request. A body that is
no JSON, or has a name twice in one object, is compared byte by byte; so is a file that is read as it comes in, with its
media type.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from msgspec import MsgspecError, Raw
from msgspec.json import Decoder, encode

from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.http.body_limits import LARGE, MAX_DIGITS
from ledgerbee.http.reused_keys import IDEMPOTENCY_KEY_REUSED
from ledgerbee.platform.context import Answer, Context

HEADER: Final = "x-api-idempotency-key"

IDEMPOTENCY_KEY_IN_USE = ErrorCode(
    "IDEMPOTENCY_KEY_IN_USE", 409, "The first request with this idempotency key is still running"
)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


#: Values in a body that is compared as JSON, at most: more are compared as bytes, for comparing costs time and memory.
_MAX_VALUES: Final = 200_000
#: Names in one object of such a body: they are sorted in one call.
_MAX_NAMES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reservation:
    """A key, and the digest of the request that wants it."""

    key: str
    request_hash: bytes
    #: What the digest was made of before bodies were compared as JSON.
    _raw: tuple[bytes, ...] = ()

    def is_of(self, request_hash: bytes) -> bool:
        """Whether a kept digest is this request's.

        A digest that was kept by a release that compared bytes counts too: a client that tries again over an upgrade
        must not have its work done twice.
        """
        return request_hash == self.request_hash or request_hash == self._hash_of_bytes()

    def with_content(self, digest: bytes) -> "Reservation":
        """The reservation of a request whose body was read as it came in: its digest is part of the request."""
        return Reservation(self.key, hashlib.sha256(self.request_hash + digest).digest(), (*self._raw, digest))

    def _hash_of_bytes(self) -> bytes:
        address, body, *content = self._raw or (b"", b"")
        digest = hashlib.sha256(address + body).digest()
        for part in content:
            digest = hashlib.sha256(digest + part).digest()
        return digest


def reservation(request: Request, body: bytes, *, streams: bool = False) -> Reservation | None:
    """The request's idempotency key, if it sent one, with the digest of all that makes it this request and no other.

    With `streams` the body is a file that has not been read: `Reservation.with_content` adds it.
    """
    key = key_of(request)
    if key is None:
        return None
    method, path, query = request.method, request.scope["path"], request.scope["query_string"]
    whole = hashlib.sha256(f"{method} {path}\n".encode())
    whole.update(_query(query) if query else b"")
    whole.update(b"\n")
    if streams:
        whole.update(request.headers.get("content-type", "").partition(";")[0].strip().lower().encode())
    else:
        whole.update(canonical_body(body))
    return Reservation(key, whole.digest(), (f"{method} {path}?".encode() + query + b"\n", body))


def _query(raw: bytes) -> bytes:
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return repr(sorted(pairs)).encode()


def canonical_body(body: bytes) -> bytes:
    """A body's JSON value in its one form; the body itself where it has none. No body is `{}`.

    The form is compact JSON with the names in order, texts without escapes they don't need, equal numbers alike.
    """
    if not body:
        return b"{}"
    if body.count(b",") + body.count(b"[") + body.count(b"{") > _MAX_VALUES:
        return body
    try:
        plain = _plain_form(body) if len(body) <= LARGE else None  # reads it in one call, whatever numbers it has
        return plain or encode(_VALUE.decode(body.decode("utf-8-sig")), order="sorted")
    except (ValueError, ArithmeticError, RecursionError):
        return body


def _plain_form(body: bytes) -> bytes | None:
    """The form of what most bodies are: no escapes, whole numbers, each name once. None for any other.

    Blanks aside it is as long as the body then: every name that is there twice makes it shorter.
    """
    if b"\\" in body:
        return None
    try:
        form = encode(_PLAIN.decode(body), order="sorted")
    except (MsgspecError, ValueError, RecursionError):
        return None
    return form if len(form.translate(None, _BLANKS)) == len(body.translate(None, _BLANKS)) else None


def _no_fraction(_: str) -> float:
    raise ValueError("compared by its value")


_BLANKS: Final = b" \t\r\n"
_PLAIN: Final = Decoder(float_hook=_no_fraction)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises `ValueError` where a name is there twice, or there are more than any request has."""
    if len(pairs) > _MAX_NAMES:
        raise ValueError("too many names")
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name is there twice")
    return value


def _number(text: str) -> int | Raw:
    """The same for all texts of one number."""
    if len(text) > MAX_DIGITS:
        raise ValueError("too many digits")
    value = Decimal(text)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "JSON has no other numbers"
    significant = "".join(map(str, digits)).strip("0")
    if not significant:
        return 0
    exponent += len(digits) - len("".join(map(str, digits)).rstrip("0"))
    minus = "-" if sign else ""
    if exponent >= 0 and len(significant) + exponent <= MAX_DIGITS:
        return Raw(f"{minus}{significant}{'0' * exponent}".encode())  # as the plain form has a whole number
    return Raw(f"{minus}{significant}e{exponent}".encode())


_VALUE: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_float=_number, parse_int=_number)


def key_of(request: Request) -> str | None:
    """The request's idempotency key, if it sent one: 1..255 visible ASCII characters."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise invalid((HEADER, "matches", f"{HEADER} must be 1 to 255 visible ASCII characters"))
    return key


async def replay(context: Context, reservation: Reservation) -> Response:
    """The answer that is kept under the key. Raises `IDEMPOTENCY_KEY_REUSED` when it is another request's."""
    row = await context.connection.fetchrow(
        "SELECT request_hash, status, content_type, body FROM idempotency_keys WHERE company_id = $1 AND key = $2",
        context.company_id,
        reservation.key,
    )
    if row is None:  # forgotten since it was found: its 24 hours ended in between
        raise IDEMPOTENCY_KEY_IN_USE.error()
    if not reservation.is_of(row["request_hash"]):
        raise IDEMPOTENCY_KEY_REUSED.error()
    return Response(row["body"], row["status"], {"Idempotent-Replayed": "true"}, row["content_type"])


def answer_of(reservation: Reservation, response: Response, secret_fields: Sequence[str] = ()) -> Answer:
    """What is kept of an answer, beside the write that it answers.

    `secret_fields` are names in the answer's body whose values are shown once: they are kept as null.
    """
    return Answer(
        key=reservation.key,
        request_hash=reservation.request_hash,
        status=response.status_code,
        content_type=response.media_type or response.headers.get("content-type"),
        body=_without(bytes(response.body), secret_fields),
    )


def _without(body: bytes, secret_fields: Sequence[str]) -> bytes:
    if not secret_fields:
        return body
    value = json.loads(body)
    value.update((name, None) for name in secret_fields if name in value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
