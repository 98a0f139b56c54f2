"""HTTP as bytes on a socket: what no client library would send, and what it would not show."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Address = tuple[str, int]
BLOCK = b"x" * 65_536


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connected(address: Address) -> socket.socket:
    """A connection; seconds of patience that no test comes near."""
    return socket.create_connection(address, timeout=60)


def head(method: str, path: str, version: str = "1.1", **headers: str) -> bytes:
    """The beginning of a request; `_` in a name stands for a hyphen."""
    lines = [f"{method} {path} HTTP/{version}", "host: ledgerbee.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def read_answer(connection: socket.socket, *, has_body: bool = True) -> Answer:
    """The next answer; what comes after it is left out. Raises `ConnectionError` where there is none."""
    return next(read_answers(connection, has_body=has_body))


def read_answers(connection: socket.socket, *, has_body: bool = True) -> Iterator[Answer]:
    """The answers as they come, one after the other. Raises `ConnectionError` where no more come."""
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            more = connection.recv(65_536)
            if not more:
                raise ConnectionError("no answer")
            received += more
        before, _, received = received.partition(b"\r\n\r\n")
        status, *lines = before.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if int(status.split()[1]) == 100:
            raise AssertionError("asked to go on")
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(received) < length:
            more = connection.recv(65_536)
            if not more:
                raise ConnectionError("half an answer")
            received += more
        yield Answer(int(status.split()[1]), headers, received[:length])
        received = received[length:]


def asked(address: Address, request: bytes, *, has_body: bool = True) -> Answer:
    """The answer to a request on a connection of its own."""
    with connected(address) as connection:
        connection.sendall(request)
        return read_answer(connection, has_body=has_body)


def ends(connection: socket.socket) -> bool:
    """Whether the other side ends the connection, after whatever it still sends."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


@contextmanager
def proxy(to: Address) -> Iterator[Address]:
    """A proxy as many are: takes in the whole request, sends it on as HTTP/1.0, and only then looks for an answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_pass_on, args=(listener, to), daemon=True)
    thread.start()
    yield listener.getsockname()[:2]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _pass_on(listener: socket.socket, to: Address) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, connected(to) as server:
            received = bytearray()
            while b"\r\n\r\n" not in received:
                received += client.recv(65_536)
            before, _, body = bytes(received).partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in before.split(b"\r\n") if line.startswith(b"content-length:"))
            taken = bytearray(body)
            while len(taken) < length:
                taken += client.recv(65_536)
            try:
                server.sendall(before.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + b"\r\nconnection: close\r\n\r\n" + taken)
                while more := server.recv(65_536):
                    client.sendall(more)
            except OSError:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
