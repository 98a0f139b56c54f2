"""Idempotency keys: the same request twice does its work once (decisions "Base").

The key is reserved in the first round trip of the write's own transaction: a transaction-scoped advisory lock says
"still running", the row, written with the answer just before the commit, says "done". What rolls back leaves neither.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.platform.context import Answer, Context

HEADER: Final = "x-api-idempotency-key"

IDEMPOTENCY_KEY_REUSED = ErrorCode("IDEMPOTENCY_KEY_REUSED", 409, "This idempotency key was used with another request")
IDEMPOTENCY_KEY_IN_USE = ErrorCode(
    "IDEMPOTENCY_KEY_IN_USE", 409, "The first request with this idempotency key is still running"
)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A key, and the digest of the request that wants it."""

    key: str
    request_hash: bytes


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
    if row["request_hash"] != reservation.request_hash:
        raise IDEMPOTENCY_KEY_REUSED.error()
    return Response(row["body"], row["status"], {"Idempotent-Replayed": "true"}, row["content_type"])


def answer_of(reservation: Reservation, response: Response, secret_fields: Sequence[str] = ()) -> Answer:
    """What is kept of an answer, beside the write that it tells of.

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
