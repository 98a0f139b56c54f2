"""A refusal reaches the client that is still sending, in whichever way it sends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from tests.runtime.processes import Served
from tests.runtime.wire import BLOCK, Address, Answer, chunk, connected, ends, head, proxy, read_answer

_MEGABYTES: Final = 20
_BLOCKS: Final = _MEGABYTES * 16
_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"
_IMPORT: Final = "/api/v2/journal-entries/import"


@dataclass(frozen=True)
class Refused:
    """A request that is refused ahead of its body."""

    status: int
    code: str
    method: str
    path: str
    content_type: str = _JSON
    #: Which key it shows: `good`, `bad` or one without scopes, `weak`.
    key: str = "good"

    def __str__(self) -> str:
        return f"{self.status}-{self.method}-{self.path.rpartition('/')[2]}-{self.key}"


REFUSED: Final = (
    Refused(400, "SHARED_VALIDATION_FAILED", "POST", "/api/v1/customers?name=%00"),
    Refused(401, "UNAUTHORIZED", "POST", _IMPORT, _LINES, key="bad"),
    Refused(403, "INSUFFICIENT_PERMISSIONS", "POST", _IMPORT, _LINES, key="weak"),
    Refused(404, "NOT_FOUND", "POST", "/api/v1/nowhere"),
    Refused(404, "NOT_FOUND", "PUT", "/api/v1/nowhere", "video/mp4"),
    Refused(405, "METHOD_NOT_ALLOWED", "PUT", "/api/v1/customers"),
    Refused(405, "METHOD_NOT_ALLOWED", "POST", "/healthz"),
    Refused(413, "PAYLOAD_TOO_LARGE", "POST", "/api/v1/customers"),
    Refused(413, "PAYLOAD_TOO_LARGE", "POST", "/api/v2/journal-entries"),
    Refused(413, "PAYLOAD_TOO_LARGE", "PATCH", "/api/v1/company"),
    Refused(413, "PAYLOAD_TOO_LARGE", "POST", "/api/v1/auth/token", "application/x-www-form-urlencoded"),
    Refused(415, "UNSUPPORTED_MEDIA_TYPE", "POST", "/api/v1/customers", "text/plain"),
    Refused(415, "UNSUPPORTED_MEDIA_TYPE", "POST", _IMPORT, "video/mp4"),
)


def with_length(address: Address, refused: Refused, key: str) -> Answer:
    """Says the length, and sends everything before it looks for an answer."""
    length = str(len(BLOCK) * _BLOCKS)
    with connected(address) as connection:
        request = head(
            refused.method, refused.path, content_type=refused.content_type, content_length=length, x_api_key=key
        )
        connection.sendall(request)
        for _ in range(_BLOCKS):
            connection.sendall(BLOCK)
        answer = read_answer(connection)
        assert ends(connection)
        return answer


def in_chunks(address: Address, refused: Refused, key: str) -> Answer:
    """Doesn't say the length."""
    with connected(address) as connection:
        request = head(
            refused.method, refused.path, content_type=refused.content_type, transfer_encoding="chunked", x_api_key=key
        )
        connection.sendall(request)
        for _ in range(_BLOCKS):
            connection.sendall(chunk(BLOCK))
        connection.sendall(chunk(b""))
        answer = read_answer(connection)
        assert ends(connection)
        return answer


def in_old_http(address: Address, refused: Refused, key: str) -> Answer:
    """HTTP/1.0, where the end of the connection is the end of the answer."""
    length = str(len(BLOCK) * _BLOCKS)
    with connected(address) as connection:
        connection.sendall(
            head(
                refused.method,
                refused.path,
                "1.0",
                content_type=refused.content_type,
                content_length=length,
                x_api_key=key,
            )
        )
        for _ in range(_BLOCKS):
            connection.sendall(BLOCK)
        answer = read_answer(connection)
        assert ends(connection)
        return answer


def when_told_to(address: Address, refused: Refused, key: str) -> Answer:
    """Waits for `100 Continue`, which never comes: the answer does, and nothing of the body is sent."""
    with connected(address) as connection:
        connection.sendall(
            head(
                refused.method,
                refused.path,
                content_type=refused.content_type,
                content_length=str(len(BLOCK) * _BLOCKS),
                expect="100-continue",
                x_api_key=key,
            )
        )
        answer = read_answer(connection)
        assert connection.recv(1) == b""
        return answer


def by_proxy(address: Address, refused: Refused, key: str) -> Answer:
    """Through a proxy that speaks HTTP/1.0."""
    with proxy(address) as near:
        return with_length(near, refused, key)


@pytest.fixture(scope="module")
def keys(served: Served) -> dict[str, str]:
    body = {"name": "Reader", "scopes": ["accounts-read"]}
    answer = served.http.post("/api/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    assert served.key is not None
    return {"good": served.key, "weak": answer.json()["key"], "bad": "lb_" + "x" * 43}


@pytest.mark.parametrize(
    "way", [with_length, in_chunks, in_old_http, when_told_to, by_proxy], ids=lambda way: way.__name__
)
@pytest.mark.parametrize("refused", REFUSED, ids=str)
def test_a_refusal_is_read_by_who_still_sends(
    served: Served, keys: dict[str, str], refused: Refused, way: Callable[[Address, Refused, str], Answer]
) -> None:
    answer = way(served.address, refused, keys[refused.key])
    assert (answer.status, answer.json["code"]) == (refused.status, refused.code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"]


def test_a_refusal_of_a_whole_request_keeps_the_connection(served: Served) -> None:
    with connected(served.address) as connection:
        for _ in range(3):
            connection.sendall(head("POST", "/api/v1/nowhere", content_type=_JSON, content_length="2") + b"{}")
            answer = read_answer(connection)
            assert answer.status == 404
            assert "connection" not in answer.headers
