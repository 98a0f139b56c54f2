"""Bodies that hardly come in: what one company, and all strangers together, may take of a process's connections."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from typing import Final

import pytest
from tests.platform.servers import end
from tests.runtime.conftest import Made, copied, new_folder
from tests.runtime.processes import Served, wait_for
from tests.runtime.wire import BLOCK, Answer, chunk, ends, head, read_answer

from ledgerbee.http.body_limits import FORM_BODY

_CONNECTIONS: Final = 40
_SHARE: Final = 10
_FORM: Final = "application/x-www-form-urlencoded"
#: An operation that takes no credential, and how its body comes in. An address has ten calls a minute of it.
_PUBLIC: Final = tuple(
    product(
        (("POST", "/api/v1/oauth/revoke", _FORM),),
        ({"content_length": str(FORM_BODY)}, {"transfer_encoding": "chunked"}),
    )
)
_TARGETS: Final = (
    ("POST", "/api/v1/customers", "application/json"),
    ("PATCH", "/api/v1/company", "application/json"),
    ("GET", "/api/v1/customers", "application/json"),
    ("POST", "/api/v2/journal-entries", "application/json"),
    ("POST", "/api/v2/journal-entries/batch", "application/json"),
    ("POST", "/api/v2/journal-entries/import", "text/csv"),
    ("POST", "/api/v2/journal-entries/import", "application/x-ndjson"),
)
_FRAMINGS: Final = ({"content_length": str(2 * len(BLOCK))}, {"transfer_encoding": "chunked"})
#: Every way in which a body of a company comes in.
_WAYS: Final = tuple(product(_TARGETS, _FRAMINGS))


@pytest.fixture(scope="module")
def patient(made: Made, reachable: Path) -> Iterator[Served]:
    """A `serve` with few connections, which waits for bodies for as long as a test takes."""
    folder = new_folder(reachable)
    copied(made.copy, folder / "data")
    served = Served.start(
        folder / "data",
        folder,
        LEDGERBEE_BODY_TIMEOUT="600",
        LEDGERBEE_MAX_CONNECTIONS=str(_CONNECTIONS),
        LEDGERBEE_MAX_CONNECTIONS_PER_CLIENT=str(_CONNECTIONS),
        LEDGERBEE_TRUSTED_PROXIES="192.0.2.1",
    )
    yield served
    assert served.stop() == 0
    end(folder / "data")


def new_key(served: Served) -> str:
    """Another key of the company that the server was started with."""
    scopes = ["customers-read", "customers-write", "company-write", "journal-entries-write"]
    made = served.http.post("/api/v1/api-keys", json={"name": "slow", "scopes": scopes})
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


@pytest.fixture(scope="module")
def neighbours(patient: Served) -> list[str]:
    """A key each of companies that have nothing to do with the first one."""
    made = [
        patient.http.post("/api/v1/companies", json={"name": f"Nabo {number} ApS", "countryCode": "DK"}).json()
        for number in range(6)
    ]
    return [str(company["key"]) for company in made]


@dataclass
class Slow:
    """A request whose header is there, and whose body waits for the server to ask for it."""

    connection: socket.socket
    framing: dict[str, str]
    #: Whether the server wants the body: it has let the caller in.
    is_wanted: bool = False

    def send(self, data: bytes) -> None:
        self.connection.sendall(chunk(data) if "transfer_encoding" in self.framing else data)

    def finish(self) -> Answer:
        """The answer to the rest, of which a byte was sent."""
        self.send(b"x" * (int(self.framing.get("content_length", 2 * len(BLOCK))) - 1))
        if "transfer_encoding" in self.framing:
            self.connection.sendall(chunk(b""))
        return read_answer(self.connection)


def begun(
    served: Served,
    stack: ExitStack,
    way: tuple[tuple[str, str, str], dict[str, str]],
    key: str | None = None,
    *,
    address: int = 2,
) -> Slow:
    """A request of a client at `127.0.0.<address>`, once the server has decided on it."""
    (method, path, content_type), framing = way
    source = (f"127.0.0.{address}", 0)
    connection = stack.enter_context(socket.create_connection(served.address, timeout=60, source_address=source))
    credential = {} if key is None else {"x_api_key": key}
    connection.sendall(head(method, path, content_type=content_type, expect="100-continue", **framing, **credential))
    slow = Slow(connection, framing)
    if connection.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL).endswith(b"100"):
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            said += connection.recv(1)
        slow.is_wanted = True
        slow.send(b" ")
    return slow


def refused(answer: Answer) -> None:
    assert (answer.status, answer.json["code"]) == (503, "TOO_MANY_CONNECTIONS")
    assert answer.headers["connection"] == "close"
    assert answer.headers["retry-after"] == "1"


def is_served(served: Served, key: str, *, address: int = 3) -> bool:
    """Whether a request that is there as a whole is answered."""
    source = (f"127.0.0.{address}", 0)
    with socket.create_connection(served.address, timeout=60, source_address=source) as connection:
        body = b'{"name":'
        length = str(len(body))
        connection.sendall(
            head(
                "POST",
                "/api/v1/customers",
                content_type="application/json",
                content_length=length,
                x_api_key=key,
                connection="close",
            )
            + body
        )
        return read_answer(connection).status == 400


def filled(served: Served, stack: ExitStack, keys: list[str]) -> list[Slow]:
    """As many slow bodies as the company of the keys may have, in all ways."""
    taken: list[Slow] = []
    for number, (way, key) in enumerate(zip(cycle(_WAYS), cycle(keys), strict=False)):
        slow = begun(served, stack, way, key, address=10 + number)
        if not slow.is_wanted:
            refused(read_answer(slow.connection))
            return taken
        taken.append(slow)
        assert number < _CONNECTIONS
    raise AssertionError


def test_slow_bodies_of_a_company_have_their_share(patient: Served, neighbours: list[str]) -> None:
    """Whatever keys, addresses and operations they come by: a neighbour and the company's other requests are served."""
    assert patient.key is not None
    keys = [patient.key, *(new_key(patient) for _ in range(2))]
    neighbour = neighbours[0]
    with ExitStack() as stack:
        assert len(filled(patient, stack, keys)) == _SHARE
        for way in _WAYS:
            refused(read_answer(begun(patient, stack, way, patient.key, address=3).connection))
            slow = begun(patient, stack, way, neighbour, address=4)
            assert slow.is_wanted
            assert slow.finish().status in {200, 202, 400}
        for key in (patient.key, neighbour):
            assert is_served(patient, key)


@pytest.mark.parametrize("way", _WAYS, ids=str)
def test_the_refusal_is_read_by_who_still_sends(
    patient: Served, way: tuple[tuple[str, str, str], dict[str, str]]
) -> None:
    assert patient.key is not None
    (method, path, content_type), framing = way
    if "content_length" in framing:
        framing = {"content_length": str(len(BLOCK) * 10)}
    with ExitStack() as stack:
        filled(patient, stack, [patient.key])
        connection = stack.enter_context(socket.create_connection(patient.address, timeout=60))
        connection.sendall(head(method, path, content_type=content_type, x_api_key=patient.key, **framing))
        for _ in range(10):
            connection.sendall(chunk(BLOCK) if "transfer_encoding" in framing else BLOCK)
        refused(read_answer(connection))


def _leaves(slow: Slow) -> None:
    slow.connection.close()


def _finishes(slow: Slow) -> None:
    assert slow.finish().status in {200, 202, 400}


def _is_cut_off(slow: Slow) -> None:
    """It sends more than the operation takes, or something that is no chunk."""
    if "transfer_encoding" in slow.framing:
        slow.connection.sendall(b"nonsense\r\n")
        assert read_answer(slow.connection).status == 400
    else:
        slow.connection.shutdown(socket.SHUT_WR)
        ends(slow.connection)


@pytest.mark.parametrize("ends_by", [_leaves, _finishes, _is_cut_off])
def test_what_has_ended_counts_no_more(patient: Served, ends_by: object) -> None:
    assert callable(ends_by)
    assert patient.key is not None
    with ExitStack() as stack:
        for slow in filled(patient, stack, [patient.key]):
            ends_by(slow)

        def whole_share() -> bool:
            with ExitStack() as inner:
                return len(filled(patient, inner, [patient.key or ""])) == _SHARE

        assert wait_for(whole_share)


def test_many_companies_leave_one_for_the_next(patient: Served, neighbours: list[str]) -> None:
    assert patient.key is not None
    with ExitStack() as stack:
        taken = [len(filled(patient, stack, [key])) for key in [patient.key, *neighbours[:4]]]
        assert taken[0] == _SHARE
        assert all(count >= 1 for count in taken)
        assert sum(taken) < _CONNECTIONS - _SHARE
        assert begun(patient, stack, _WAYS[0], neighbours[4]).is_wanted
        assert is_served(patient, neighbours[5])


def test_strangers_leave_room(patient: Served, neighbours: list[str]) -> None:
    """They have a share together; of those who have most the oldest gives way, not the one who comes from elsewhere."""
    first, second = neighbours[:2]
    with ExitStack() as stack:
        quiet = begun(patient, stack, _PUBLIC[0], address=5)
        busy = [
            begun(patient, stack, way, address=6) for way, _ in zip(cycle(_PUBLIC), range(_SHARE - 1), strict=False)
        ]
        others = [begun(patient, stack, _PUBLIC[0], address=20 + number) for number in range(_SHARE - 3)]
        assert all(slow.is_wanted for slow in [quiet, *busy, *others])
        for slow in busy[: len(others)]:
            refused(read_answer(slow.connection))
        for key in (first, second):
            assert is_served(patient, key)
            assert begun(patient, stack, _WAYS[0], key, address=7).is_wanted
        assert {slow.finish().status for slow in [quiet, *busy[len(others) :], *others]} <= {400, 401, 413}
