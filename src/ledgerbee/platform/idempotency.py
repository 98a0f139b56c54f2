"""Idempotency keys: the same request twice does its work once (decisions "Base").

The key is reserved in the transaction of the write: a transaction-scoped advisory lock says "still running",
the row, written with the answer just before the commit, says "done". What rolls back leaves neither.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from fastapi import Request, Response

from ledgerbee.core.errors import ErrorCode, invalid
from ledgerbee.platform.context import Context

HEADER: Final = "x-api-idempotency-key"

IDEMPOTENCY_KEY_REUSED = ErrorCode("IDEMPOTENCY_KEY_REUSED", 409, "This idempotency key was used with another request")
IDEMPOTENCY_KEY_IN_USE = ErrorCode(
    "IDEMPOTENCY_KEY_IN_USE", 409, "The first request with this idempotency key is still running"
)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request: Request) -> str | None:
    """The request's idempotency key, if it sent one: 1..255 visible ASCII characters."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise invalid((HEADER, "matches", f"{HEADER} must be 1 to 255 visible ASCII characters"))
    return key


async def reserve(context: Context, key: str, request_hash: bytes) -> Response | None:
    """Claim `key` for this transaction; the stored answer if the request was already carried out.

    Raises `IDEMPOTENCY_KEY_IN_USE` and `IDEMPOTENCY_KEY_REUSED`.
    """
    claimed = await context.connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))", f"{context.company_id}/{key}"
    )
    if not claimed:
        raise IDEMPOTENCY_KEY_IN_USE.error()
    row = await context.connection.fetchrow(
        "SELECT request_hash, status, content_type, body FROM idempotency_keys WHERE company_id = $1 AND key = $2"
        " AND created_at > $3::timestamptz - interval '24 hours'",
        context.company_id,
        key,
        context.now,
    )
    if row is None:
        return None
    if row["request_hash"] != request_hash:
        raise IDEMPOTENCY_KEY_REUSED.error()
    return Response(row["body"], row["status"], {"Idempotent-Replayed": "true"}, row["content_type"])


async def remember(
    context: Context, key: str, request_hash: bytes, response: Response, *, secret_fields: Sequence[str] = ()
) -> None:
    """Keep the answer beside the write that it tells of.

    `secret_fields` are names in the answer's body whose values are shown once: they are kept as null.
    """
    await context.connection.execute(
        "INSERT INTO idempotency_keys (company_id, key, request_hash, status, content_type, body, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (company_id, key) DO UPDATE"
        " SET request_hash = excluded.request_hash, status = excluded.status, content_type = excluded.content_type,"
        " body = excluded.body, created_at = excluded.created_at",
        context.company_id,
        key,
        request_hash,
        response.status_code,
        response.media_type or response.headers.get("content-type"),
        _without(bytes(response.body), secret_fields),
        context.now,
    )


def _without(body: bytes, secret_fields: Sequence[str]) -> bytes:
    if not secret_fields:
        return body
    value = json.loads(body)
    value.update((name, None) for name in secret_fields if name in value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
