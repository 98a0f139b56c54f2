"""What the server bears of its clients' connections: headers, time, numbers; with limits short enough to wait for."""

import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from tests.platform.servers import end
from tests.runtime.conftest import Made, copied, new_folder
from tests.runtime.processes import Served, wait_for
from tests.runtime.wire import Answer, asked, chunk, connected, ends, head, read_answer

from ledgerbee.http.body_limits import FORM_BODY

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_CONNECTIONS: Final = 60
_PER_CLIENT: Final = 20
#: None of the clients here is a proxy.
_ELSEWHERE: Final = "192.0.2.1"


@pytest.fixture(scope="module")
def strict(made: Made, reachable: Path) -> Iterator[Served]:
    """A `serve` with little patience."""
    folder = new_folder(reachable)
    copied(made.copy, folder / "data")
    served = Served.start(
        folder / "data",
        folder,
        LEDGERBEE_HEADER_TIMEOUT="2",
        LEDGERBEE_BODY_TIMEOUT="2",
        LEDGERBEE_KEEP_ALIVE="3",
        LEDGERBEE_MAX_CONNECTIONS=str(_CONNECTIONS),
        LEDGERBEE_MAX_CONNECTIONS_PER_CLIENT=str(_PER_CLIENT),
        LEDGERBEE_TRUSTED_PROXIES=_ELSEWHERE,
    )
    yield served
    assert served.stop() == 0
    end(folder / "data")


def client(served: Served, number: int) -> socket.socket:
    """A connection from an address of its own, one of this machine's many."""
    return socket.create_connection(served.address, timeout=60, source_address=(f"127.0.0.{number}", 0))


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == _JSON
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-request-id"]) == 32


def _endless_field() -> Iterator[bytes]:
    yield b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-filler: "
    while True:
        yield b"a" * 65_536


def _endless_fields() -> Iterator[bytes]:
    yield b"GET /healthz HTTP/1.1\r\nhost: a\r\n"
    while True:
        yield b"a: b\r\n" * 1_000


def _endless_address() -> Iterator[bytes]:
    yield b"GET /"
    while True:
        yield b"a" * 65_536


def _endless_name() -> Iterator[bytes]:
    yield b"GET /healthz HTTP/1.1\r\n"
    while True:
        yield b"a" * 65_536


def _large_in_one() -> Iterator[bytes]:
    yield b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-filler: " + b"a" * 65_536 + b"\r\n\r\n"


def _endless_trailers() -> Iterator[bytes]:
    yield head("POST", "/api/v1/auth/token", content_type=_JSON, transfer_encoding="chunked") + b"0\r\n"
    while True:
        yield b"a: b\r\n" * 1_000


def _endless_trailer() -> Iterator[bytes]:
    yield head("POST", "/api/v1/auth/token", content_type=_JSON, transfer_encoding="chunked") + b"0\r\na: "
    while True:
        yield b"a" * 65_536


def _endless_extension() -> Iterator[bytes]:
    yield head("POST", "/api/v1/auth/token", content_type=_JSON, transfer_encoding="chunked") + b"1;"
    while True:
        yield b"a" * 65_536


@pytest.mark.parametrize(
    ("sends", "status", "code"),
    [
        (_endless_field, 431, "HEADER_TOO_LARGE"),
        (_endless_fields, 431, "HEADER_TOO_LARGE"),
        (_endless_name, 431, "HEADER_TOO_LARGE"),
        (_large_in_one, 431, "HEADER_TOO_LARGE"),
        (_endless_address, 414, "URI_TOO_LONG"),
        (_endless_trailers, 431, "HEADER_TOO_LARGE"),
        (_endless_trailer, 431, "HEADER_TOO_LARGE"),
        (_endless_extension, 431, "HEADER_TOO_LARGE"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_header_has_an_end(strict: Served, sends: Callable[[], Iterator[bytes]], status: int, code: str) -> None:
    """Twenty megabytes are sent, if need be, before the answer is looked for: it is there."""
    with connected(strict.address) as connection:
        sent = 0
        for piece in sends():
            connection.sendall(piece)
            sent += len(piece)
            if sent > 20_000_000:
                break
        refused(read_answer(connection), status, code)
        assert ends(connection)


def test_a_large_header_is_taken(strict: Served) -> None:
    fields = {f"x-field-{number}": "a" * 300 for number in range(190)}
    answer = asked(strict.address, head("GET", "/healthz?" + "a" * 4_000, **fields))
    assert answer.status == 200


def test_who_says_nothing_is_shown_out(strict: Served) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(connected(strict.address)) for _ in range(3)]
        for connection, sent in zip(waiting, (b"", b"\r\n", b"\r\n\r\n\r\n"), strict=True):
            connection.sendall(sent)
        assert [ends(connection) for connection in waiting] == [True] * 3


def test_a_header_has_its_time(strict: Served) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(connected(strict.address)) for _ in range(2)]
        for connection, sent in zip(
            waiting, (b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nhost: a\r\n"), strict=True
        ):
            connection.sendall(sent)
        for connection in waiting:
            refused(read_answer(connection), 408, "REQUEST_TIMEOUT")
            assert ends(connection)


def test_a_header_has_its_time_when_it_drips(strict: Served) -> None:
    with connected(strict.address) as connection, ExitStack() as stack:
        stack.callback(connection.close)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-filler: ")
        connection.settimeout(0.2)

        def dripped() -> bytes:
            try:
                return connection.recv(65_536)
            except TimeoutError:
                connection.sendall(b"a")
                return b""

        assert wait_for(dripped).startswith(b"HTTP/1.1 408 ")


def test_a_kept_connection_has_its_time(strict: Served) -> None:
    with connected(strict.address) as connection:
        connection.sendall(head("GET", "/healthz"))
        assert read_answer(connection).status == 200
        connection.sendall(b"\r\n")  # means nothing, and must not keep it open
        assert ends(connection)


#: How a body is announced, whether it drips, and where it goes.
_SLOW_BODIES: Final = tuple(
    product(
        ("content_length", "transfer_encoding"),
        (False, True),
        (("/api/v1/customers", _JSON), ("/api/v1/auth/token", _FORM), ("/api/v2/journal-entries/import", "text/csv")),
    )
)


def _announced(by: str, content_type: str) -> dict[str, str]:
    """The header that announces a body: chunks, or as many bytes as the operations of the type take."""
    return {by: "chunked" if by == "transfer_encoding" else str(FORM_BODY if content_type == _FORM else 1_000_000)}


def test_a_body_has_its_time(strict: Served) -> None:
    """All at the same time: each is given up by its own clock."""
    with ThreadPoolExecutor(len(_SLOW_BODIES)) as clients:
        answers = list(clients.map(lambda case: _answer_to_slow(strict, *case), _SLOW_BODIES))
    for case, (request_id, answer) in zip(_SLOW_BODIES, answers, strict=True):
        assert answer.startswith(b"HTTP/1.1 408 "), case
        assert request_id.encode() in answer, case
        assert _logged(strict, request_id) == [("request", 408)], case
    # Nothing is left of the files that were refused.
    assert wait_for(lambda: strict.http.get("/api/v2/journal-entries/import").json()["total"] == 0)


def _logged(served: Served, request_id: str) -> list[tuple[str, int]]:
    """Event and status of what the log says of a request, once it says something."""
    lines = wait_for(lambda: [line for line in served.program.log if line.get("request_id") == request_id])
    return [(line["event"], line["status"]) for line in lines]


def _answer_to_slow(served: Served, by: str, drips: bool, target: tuple[str, str]) -> tuple[str, bytes]:
    """What a request is answered whose body doesn't come, or comes a byte at a time, and the id that it has."""
    assert served.key is not None
    path, content_type = target
    framing = _announced(by, content_type)
    with connected(served.address) as connection:
        request_id = f"slow-{uuid.uuid4().hex}"
        connection.sendall(
            head("POST", path, content_type=content_type, x_api_key=served.key, x_request_id=request_id, **framing)
        )
        connection.settimeout(0.2)

        def answered() -> bytes:
            try:
                return connection.recv(65_536)
            except TimeoutError:
                if drips:
                    connection.sendall(chunk(b" ") if "transfer_encoding" in framing else b" ")
                return b""

        return request_id, wait_for(answered)


def test_a_slow_body_is_taken_as_long_as_it_comes(strict: Served) -> None:
    """For longer than the time of a window, at more than the least rate."""
    with connected(strict.address) as connection:
        connection.sendall(head("POST", "/api/v1/auth/token", content_type=_JSON, content_length="15000"))
        for _ in range(15):
            connection.sendall(b" " * 1_000)
            time.sleep(0.2)
        assert read_answer(connection).status == 400


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", 200),
        (b"GET /healthz HTTP/2.0\r\nhost: a\r\n\r\n", 400),
        (b"NONSENSE /healthz HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"POST /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: b\r\n y\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
def test_a_request_is_plain_http(strict: Served, request_: bytes, status: int) -> None:
    answer = asked(strict.address, request_)
    assert answer.status == status
    if status == 400:
        refused(answer, 400, "SHARED_VALIDATION_FAILED")


def test_a_body_that_breaks_off_in_nonsense_is_refused(strict: Served) -> None:
    assert strict.key is not None
    request = head("POST", "/api/v1/customers", content_type=_JSON, transfer_encoding="chunked", x_api_key=strict.key)
    refused(asked(strict.address, request + b"nonsense\r\n"), 400, "SHARED_VALIDATION_FAILED")


def test_requests_sent_at_once_are_answered_in_turn(strict: Served) -> None:
    with connected(strict.address) as connection:
        connection.sendall(head("GET", "/healthz") + head("GET", "/readyz") + head("GET", "/v1/x"))
        received = b""
        while b"NOT_FOUND" not in received:
            received += connection.recv(65_536)
        assert received.index(b"ok") < received.index(b"ready") < received.index(b"NOT_FOUND")


def test_what_follows_a_request_costs_it_nothing(strict: Served) -> None:
    with connected(strict.address) as connection:
        connection.sendall(head("GET", "/readyz") + b"nonsense\r\n\r\n")
        assert read_answer(connection).status == 200
        assert ends(connection)


def test_who_offers_another_protocol_is_answered_in_this_one(strict: Served) -> None:
    request = head("GET", "/healthz", connection="Upgrade, HTTP2-Settings", upgrade="h2c", http2_settings="AAMAAABk")
    with connected(strict.address) as connection:
        connection.sendall(request)
        answer = read_answer(connection)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert ends(connection)


def test_a_client_has_its_share_of_connections(strict: Served) -> None:
    with ExitStack() as stack:
        for _ in range(_PER_CLIENT):
            stack.enter_context(client(strict, 2))
        one_more = stack.enter_context(client(strict, 2))
        answer = read_answer(one_more)
        refused(answer, 503, "TOO_MANY_CONNECTIONS")
        assert answer.headers["retry-after"] == "1"
        neighbour = stack.enter_context(client(strict, 3))
        neighbour.sendall(head("GET", "/healthz"))
        assert read_answer(neighbour).status == 200
    assert wait_for(lambda: _is_let_in(strict, 2))  # once the others are gone


def test_half_open_connections_make_room(strict: Served) -> None:
    """Many more than there is room for, from many addresses: whoever has a request is answered, and before long."""
    with ExitStack() as stack:
        for number in range(3 * _CONNECTIONS):
            half_open = stack.enter_context(client(strict, 10 + number % 15))
            half_open.sendall(b"GET /healthz HTTP/1.1\r\n" if number % 2 else b"")
            if number % 20 == 0:
                assert _is_let_in(strict, 100)
        assert _is_let_in(strict, 100)
    text = strict.http.get("/metrics").text
    assert "ledgerbee_http_requests_total" in text


def _is_let_in(served: Served, number: int) -> bool:
    with client(served, number) as connection:
        connection.sendall(head("GET", "/healthz"))
        return read_answer(connection).status == 200


@pytest.mark.parametrize("by", ["content_length", "transfer_encoding"])
@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/api/v1/customers", _JSON),
        ("/api/v2/journal-entries", _JSON),
        ("/api/v1/auth/token", _FORM),
        ("/api/v1/oauth/revoke", _FORM),
        ("/api/v2/journal-entries/import", "text/csv"),
    ],
)
def test_a_client_that_leaves_is_no_fault(strict: Served, path: str, content_type: str, by: str) -> None:
    assert strict.key is not None
    framing = _announced(by, content_type)
    request_id = f"left-{time.monotonic_ns()}"
    with connected(strict.address) as connection:
        request = head(
            "POST", path, content_type=content_type, x_api_key=strict.key, x_request_id=request_id, **framing
        )
        connection.sendall(request + (chunk(b"a;b;c\n") if "transfer_encoding" in framing else b"a;b;c\n"))
        time.sleep(0.3)  # until it is being read
    assert _logged(strict, request_id) == [("request", 499)]
    assert "Traceback" not in strict.program.errors
    imports = strict.http.get("/api/v2/journal-entries/import").json()["data"]
    assert {found["status"] for found in imports} <= {"failed"}
