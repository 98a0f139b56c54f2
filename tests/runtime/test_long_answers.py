"""An answer in pieces over the wire: in chunks, or to HTTP/1.0 up to the end of its connection."""

import json
from typing import Any

import pytest
from tests.runtime.processes import Served, today
from tests.runtime.wire import connected, head, read_answer

_LINES = 1_200


@pytest.fixture(scope="module")
def draft(served: Served) -> dict[str, Any]:
    """A draft whose answer comes in pieces."""
    accounts = served.http.get("/api/v1/accounts").json()
    by_number = {account["accountNumber"]: account["id"] for account in accounts}
    sides = [
        {"accountId": by_number[number], "side": side, "amount": "10"}
        for number, side in ((6480, "DEBIT"), (6510, "CREDIT"))
    ]
    body = {"entryType": "JOURNAL_ENTRY", "date": today(), "originalAmount": "10", "lines": sides * (_LINES // 2)}
    made = served.http.post("/api/v2/draft-journal-entries", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


def _head(served: Served, draft: dict[str, Any], method: str, version: str) -> bytes:
    return head(method, f"/api/v2/draft-journal-entries/{draft['id']}", version, x_api_key=served.key or "")


def test_it_comes_in_chunks_on_a_connection_that_stays(served: Served, draft: dict[str, Any]) -> None:
    for _ in range(2):
        answer = served.http.get(f"/api/v2/draft-journal-entries/{draft['id']}")
        assert (answer.status_code, answer.headers["transfer-encoding"]) == (200, "chunked")
        assert "content-length" not in answer.headers
        assert answer.json() == draft


def test_to_http_1_0_it_ends_with_the_connection(served: Served, draft: dict[str, Any]) -> None:
    with connected(served.address) as connection:
        connection.sendall(_head(served, draft, "GET", "1.0"))
        received = b""
        while block := connection.recv(65_536):
            received += block
    before, _, body = received.partition(b"\r\n\r\n")
    assert before.startswith(b"HTTP/1.1 200")
    assert b"transfer-encoding" not in before.lower()
    assert b"connection: close" in before.lower()
    assert json.loads(body) == draft


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_head_has_no_body(served: Served, draft: dict[str, Any], version: str) -> None:
    with connected(served.address) as connection:
        connection.sendall(_head(served, draft, "HEAD", version))
        assert read_answer(connection, has_body=False).status == 200
        if version == "1.1":
            connection.sendall(_head(served, draft, "HEAD", version))
            assert read_answer(connection, has_body=False).status == 200
        else:
            assert connection.recv(65_536) == b""


def test_to_http_1_0_a_short_one_has_its_length(served: Served) -> None:
    with connected(served.address) as connection:
        connection.sendall(head("GET", "/api/v1/company", "1.0", x_api_key=served.key or ""))
        answer = read_answer(connection)
        assert answer.json["name"]
        assert answer.headers["content-length"] == str(len(answer.body))
        assert connection.recv(65_536) == b""
