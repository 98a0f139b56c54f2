"""One attempt of a delivery, to receivers of every kind: real servers on this machine, some of them hostile."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledgerbee import __version__
from ledgerbee.webhooks import targets
from ledgerbee.webhooks.sending.sender import Exchange, Sender
from ledgerbee.webhooks.targets import Address, LookUp, TargetRefusedError, check_target

HEADERS = {"webhook-id": "0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01", "webhook-signature": "v1,c2lnbmVk v1,b2xk"}
BODY = '{"type":"ping","data":{"name":"Blåbærgrød"}}'.encode()
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
#: Long enough for a local exchange on a busy machine, where a test waits for its end.
SHORT_S = 0.4

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer], Awaitable[None]]


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_is_loopback_allowed", True)


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(deadline_s=30)
    yield sender
    await sender.close()


@pytest_asyncio.fixture
async def hasty() -> AsyncIterator[Sender]:
    """A sender whose deadline tests wait for."""
    sender = Sender(deadline_s=SHORT_S)
    yield sender
    await sender.close()


@dataclass
class Server:
    """What has come in at a port: connections, and requests with the number of their connection."""

    port: int = 0
    connections: int = 0
    requests: list[tuple[int, bytes]] = field(default_factory=list)
    #: Connections that have come to their end.
    ended: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b"

    @property
    def used(self) -> list[int]:
        return [connection for connection, _ in self.requests]


async def read_request(reader: Reader) -> bytes:
    """A whole request. Raises `IncompleteReadError` at the end of the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: "))
    return head + await reader.readexactly(int(length.partition(b" ")[2]))


@asynccontextmanager
async def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server whose connections `behave` has, each to its end."""
    server, tasks = Server(), set[asyncio.Task[None]]()

    async def serve(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            server.ended += 1
            tasks.discard(task)
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


@asynccontextmanager
async def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that gives the n-th request the n-th answer, and all after them the last; b"" ends the connection."""

    async def behave(reader: Reader, writer: Writer) -> None:
        number = server.connections
        while True:
            request = await read_request(reader)
            server.requests.append((number, request))
            answer = answers[min(len(server.requests), len(answers)) - 1]
            if not answer:
                return
            writer.write(answer)
            await writer.drain()

    async with serving(behave, tls) as server:
        yield server


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110  what is waited for is the other side's
            await asyncio.sleep(0.005)


async def told(sender: Sender, answer: bytes) -> Exchange:
    """What comes of one answer, after which the receiver keeps the connection open."""
    async with answering(answer) as server:
        return await sender.post(server.url, HEADERS, BODY)


async def told_of_end(sender: Sender, answer: bytes) -> Exchange:
    """The same, with the connection closed behind it."""

    async def behave(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(behave) as server:
        return await sender.post(server.url, HEADERS, BODY)


def names(**addresses: str) -> LookUp:
    """A resolver that knows these names; a `_` stands for a dot."""
    known = {name.replace("_", "."): found for name, found in addresses.items()}

    async def look_up(name: str) -> Sequence[Address]:
        return [ip_address(address) for address in known.get(name, "").split()]

    return look_up


class TestRequest:
    async def test_a_request_is_what_the_standard_asks_for(self, sender: Sender) -> None:
        async with answering(OK) as server:
            exchange = await sender.post(server.url, HEADERS, BODY)
        assert (exchange.status, exchange.answer, exchange.error, exchange.retry_after) == (200, "ok", None, None)
        assert 0 <= exchange.duration_ms < 30_000
        head, _, body = server.requests[0][1].partition(b"\r\n\r\n")
        assert body == BODY
        line, *fields = head.decode().split("\r\n")
        assert line == "POST /hook?a=b HTTP/1.1"
        assert dict(text.split(": ", 1) for text in fields) == HEADERS | {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": f"ledgerbee-webhooks/{__version__}",
            "content-type": "application/json",
            "accept": "*/*",
            "accept-encoding": "identity",
            "content-length": str(len(BODY)),
        }

    async def test_a_body_of_megabytes_arrives_whole(self, sender: Sender) -> None:
        body = bytes(range(256)) * 20_000
        async with answering(OK) as server:
            assert (await sender.post(server.url, HEADERS, body)).status == 200
        assert server.requests[0][1].partition(b"\r\n\r\n")[2] == body

    @pytest.mark.parametrize(
        "headers",
        [
            {"webhook-id": "1\r\nx: y"},
            {"webhook-id": "1\n"},
            {"webhook-id": "1\0"},
            {"webhook-id": "é"},
            {"webhook id": "1"},
            {"x: y\r\nwebhook-id": "1"},
            {"": "1"},
        ],
    )
    async def test_a_header_can_bring_no_other(self, sender: Sender, headers: dict[str, str]) -> None:
        async with answering(OK) as server:
            exchange = await sender.post(server.url, headers, BODY)
        assert exchange.error == "Not sent: a header can't be written"
        assert server.connections == 0

    async def test_no_proxy_of_the_environment_is_used(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert (await told(sender, OK)).status == 200


class TestAnswer:
    @pytest.mark.parametrize("status", [200, 201, 204, 299, 300, 304, 400, 404, 410, 429, 500, 503, 599, 999])
    async def test_a_status_is_what_was_answered(self, sender: Sender, status: int) -> None:
        exchange = await told(sender, f"HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n".encode())
        assert (exchange.status, exchange.answer, exchange.error) == (status, None, None)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_redirect_is_not_followed(self, sender: Sender, status: int) -> None:
        async with answering(OK) as elsewhere:
            head = f"HTTP/1.1 {status} Go\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\n\r\n"
            assert (await told(sender, head.encode())).status == status
        assert elsewhere.connections == 0

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (b"", None),
            (b"x" * 513, "x" * 512),
            ("Tak for mad, rødgrød".encode(), "Tak for mad, rødgrød"),
            (b"x" * 511 + "ø".encode() + b"y", "x" * 511),
            (b"a\0b\xff\xed\xa0\x80", "a\ufffdb" + "\ufffd" * 4),
            (b"ab\xc3", "ab\ufffd"),
        ],
    )
    async def test_its_start_is_kept_as_text_that_can_be_stored(
        self, sender: Sender, body: bytes, text: str | None
    ) -> None:
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        exchange = await told(sender, answer)
        assert exchange.answer == text
        assert "\\u0000" not in json.dumps(exchange.answer)
        json.dumps(exchange.answer, ensure_ascii=False).encode()

    async def test_news_on_the_way_are_no_answer(self, sender: Sender) -> None:
        news = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nretry-after: 5\r\nlink: </a>\r\n\r\n"
        async with answering(news + OK) as server:
            exchanges = [await sender.post(server.url, HEADERS, BODY) for _ in range(2)]
        assert [(exchange.status, exchange.answer) for exchange in exchanges] == [(200, "ok")] * 2
        assert server.connections == 1

    async def test_another_protocol_is_no_success(self, sender: Sender) -> None:
        answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
        assert (await told(sender, answer)).status == 101

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120),
            ("0", 0),
            ("99999", 86_400),
            ("9" * 400, 86_400),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
            ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400),
            ("Fri, 31 Dec 2099 23:59:59 -0000", 86_400),
            ("Thu, 01 Jan 2026 00:00:00 +99999999999999999999", None),
            ("Thu, 99 Jan 2026 00:00:00 GMT", None),
        ],
    )
    async def test_when_to_come_back_is_in_seconds_or_a_moment(
        self, sender: Sender, value: str, seconds: int | None
    ) -> None:
        answer = f"HTTP/1.1 503 Busy\r\nRETRY-AFTER:  {value} \r\ncontent-length: 0\r\n\r\n"
        exchange = await told(sender, answer.encode())
        assert exchange.retry_after == (None if seconds is None else timedelta(seconds=seconds))

    async def test_a_moment_is_counted_from_now(self, sender: Sender) -> None:
        moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        answer = f"HTTP/1.1 429 Slow down\r\nretry-after: {moment}\r\ncontent-length: 0\r\n\r\n"
        wait = (await told(sender, answer.encode())).retry_after
        assert wait is not None
        assert timedelta(minutes=58) < wait <= timedelta(hours=1)


class TestOnceTheHeadIsThere:
    """The status counts: a receiver that says 2xx has the delivery, whatever becomes of what else it says."""

    async def test_a_body_without_an_end_is_given_up_at_the_deadline(self, hasty: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n")
            while True:
                writer.write(b"z")
                await writer.drain()
                await asyncio.sleep(0.02)

        async with serving(behave) as server:
            exchange = await hasty.post(server.url, HEADERS, BODY)
            await until(lambda: server.ended == 1)
        assert (exchange.status, exchange.error) == (202, None)
        assert exchange.answer is not None
        assert set(exchange.answer) == {"z"}
        assert exchange.duration_ms >= SHORT_S * 1000 * 0.99

    @pytest.mark.parametrize("head", ["content-length: 1073741824", "transfer-encoding: chunked", "x: until the end"])
    async def test_of_a_gigabyte_a_little_is_read(self, sender: Sender, head: str) -> None:
        sent = 0

        async def behave(reader: Reader, writer: Writer) -> None:
            nonlocal sent
            await read_request(reader)
            writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
            block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n" if "chunked" in head else b"x" * 0x10000
            while sent < 1 << 30:
                writer.write(block)
                await writer.drain()
                sent += len(block)

        async with serving(behave) as server:
            exchange = await sender.post(server.url, HEADERS, BODY)
            await until(lambda: server.ended == 1)
        assert (exchange.status, exchange.answer) == (200, "x" * 512)
        assert sent < 64 << 20, "what fits into the buffers of both sides"

    async def test_a_storm_of_chunks_of_one_byte_is_not_weathered(self, sender: Sender) -> None:
        answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000
        exchange = await told(sender, answer)
        assert (exchange.status, exchange.answer) == (200, "x" * 512)

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (b"content-length: 100\r\n\r\nshort", "short"),
            (b"transfer-encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n", "short"),
            (b"transfer-encoding: chunked\r\n\r\n5\r\nsho", "sho"),
            (b"transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx", None),
            (b"\r\nto the end", "to the end"),
            (b"content-length: 2\r\n\r\nok and more", "ok"),
        ],
    )
    async def test_a_body_that_is_not_as_it_was_said(self, sender: Sender, answer: bytes, text: str | None) -> None:
        exchange = await told_of_end(sender, b"HTTP/1.1 200 OK\r\n" + answer)
        assert (exchange.status, exchange.answer, exchange.error) == (200, text, None)


class TestNoAnswer:
    @pytest.mark.parametrize(
        "garbage",
        [
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"220 mail.example.com ESMTP\r\n",
            b"\x15\x03\x01\x00\x02\x02\x16",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"<html>hello</html>",
        ],
    )
    async def test_what_is_not_http(self, sender: Sender, garbage: bytes) -> None:
        exchange = await told(sender, garbage)
        assert (exchange.status, exchange.error) == (None, "The answer is not HTTP")

    @pytest.mark.parametrize("start", [b"", b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"])
    async def test_a_connection_that_ends_before_the_head_does(self, sender: Sender, start: bytes) -> None:
        exchange = await told_of_end(sender, start)
        assert exchange.status is None
        assert exchange.error == "The receiver closed the connection without a complete answer"

    async def test_a_connection_that_is_broken_off(self, sender: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            await reader.read(1)
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        async with serving(behave) as server:
            exchange = await sender.post(server.url, HEADERS, b"x" * 10_000_000)
        assert exchange.error == "The receiver closed the connection without a complete answer"
        assert server.connections == 1, "nothing is sent twice over fresh connections"

    @pytest.mark.parametrize(
        "endless", [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000]
    )
    async def test_a_head_without_an_end(self, sender: Sender, endless: bytes) -> None:
        assert (await told(sender, endless)).error == "The head of the answer is longer than 64 KiB"

    async def test_news_without_an_end(self, sender: Sender) -> None:
        exchange = await told(sender, b"HTTP/1.1 100 \r\n\r\n" * 10_000)
        assert exchange.error == "The head of the answer is longer than 64 KiB"

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n"])
    async def test_silence(self, hasty: Sender, start: bytes) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            await read_request(reader)
            writer.write(start)
            await asyncio.Event().wait()

        async with serving(behave) as server:
            exchange = await hasty.post(server.url, HEADERS, BODY)
        assert (exchange.status, exchange.error) == (None, f"No answer within {SHORT_S} seconds")
        assert exchange.duration_ms >= SHORT_S * 1000 * 0.99

    async def test_a_head_that_comes_letter_by_letter_does_not_put_the_deadline_off(self, hasty: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            await read_request(reader)
            while True:
                writer.write(b"HTTP/1.1 100 \r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)

        async with serving(behave) as server:
            exchange = await hasty.post(server.url, HEADERS, BODY)
            await until(lambda: server.ended == 1)
        assert exchange.error == f"No answer within {SHORT_S} seconds"

    async def test_a_receiver_that_reads_nothing(self, hasty: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.Event().wait()

        async with serving(behave) as server:
            exchange = await hasty.post(server.url, HEADERS, b"x" * 30_000_000)
        assert exchange.error == f"No answer within {SHORT_S} seconds"

    async def test_nobody_there(self, sender: Sender) -> None:
        async with serving(lambda _, __: asyncio.sleep(0)) as server:
            pass
        exchange = await sender.post(server.url, HEADERS, BODY)
        assert (exchange.status, exchange.error) == (None, "The receiver refused the connection")

    async def test_who_is_cancelled_is(self, sender: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            server.requests.append((1, await read_request(reader)))
            await reader.read()

        async with serving(behave) as server:
            sending = asyncio.create_task(sender.post(server.url, HEADERS, BODY))
            await until(lambda: bool(server.requests))
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await until(lambda: server.ended == 1)


class TestKeptConnections:
    async def test_a_connection_is_used_again(self, sender: Sender) -> None:
        async with answering(OK) as server:
            for _ in range(5):
                assert (await sender.post(server.url, HEADERS, BODY)).status == 200
            assert server.used == [1] * 5
            await asyncio.gather(*(sender.post(server.url, HEADERS, BODY) for _ in range(20)))
            several = server.connections
            assert several > 1
            for _ in range(several):
                await sender.post(server.url, HEADERS, BODY)
            assert server.connections == several
            assert server.ended == 0
            await sender.close()
            await until(lambda: server.ended == several)
            assert (await sender.post(server.url, HEADERS, BODY)).status == 200
            await until(lambda: server.ended == server.connections)

    async def test_so_many_are_kept_at_the_most(self, sender: Sender) -> None:
        waiting = 0
        everybody = asyncio.Event()

        async def behave(reader: Reader, writer: Writer) -> None:
            nonlocal waiting
            while await read_request(reader):
                waiting += 1
                if waiting == 270:
                    everybody.set()
                await everybody.wait()
                writer.write(OK)

        async with serving(behave) as server:
            await asyncio.gather(*(sender.post(server.url, HEADERS, BODY) for _ in range(270)))
            assert server.connections == 270
            await until(lambda: server.ended == 270 - 256)

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
            b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ],
    )
    async def test_one_is_closed_where_the_receiver_says_so(self, sender: Sender, answer: bytes) -> None:
        async with answering(answer) as server:
            for _ in range(2):
                assert (await sender.post(server.url, HEADERS, BODY)).status == 200
            await until(lambda: server.ended == 2)
        assert server.used == [1, 2]

    async def test_one_that_the_receiver_has_closed_meanwhile_is_not_used(self, sender: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            server.requests.append((server.connections, await read_request(reader)))
            writer.write(OK)
            await writer.drain()

        async with serving(behave) as server:
            for number in range(1, 4):
                exchange = await sender.post(server.url, HEADERS, BODY)
                assert (exchange.status, exchange.error) == (200, None)
                await until(lambda number=number: server.ended == number)  # type: ignore[misc]
        assert server.used == [1, 2, 3]

    async def test_one_that_is_closed_under_a_request_costs_no_delivery(self, sender: Sender) -> None:
        async with answering(OK, b"", OK) as server:
            exchanges = [await sender.post(server.url, HEADERS, BODY) for _ in range(2)]
        assert [exchange.status for exchange in exchanges] == [200, 200]
        assert server.used == [1, 1, 2]

    async def test_but_only_one_more_is_tried(self, sender: Sender) -> None:
        async with answering(OK, b"") as server:
            first, second = [await sender.post(server.url, HEADERS, BODY) for _ in range(2)]
        assert first.status == 200
        assert second.error == "The receiver closed the connection without a complete answer"
        assert server.used == [1, 1, 2]

    async def test_and_none_where_an_answer_had_begun(self, sender: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            for answer in (OK, b"HTTP/1.1 2"):
                server.requests.append((server.connections, await read_request(reader)))
                writer.write(answer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with serving(behave) as server:
            exchanges = [await sender.post(server.url, HEADERS, BODY) for _ in range(2)]
        assert [exchange.status for exchange in exchanges] == [200, None]
        assert server.used == [1, 1]

    @pytest.mark.parametrize("surplus", [OK, b"HTTP/1.1 2", b"junk", b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", OK * 2000])
    async def test_what_an_answer_has_too_much_answers_nothing_else(self, sender: Sender, surplus: bytes) -> None:
        busy = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
        async with answering(OK + surplus, busy) as server:
            exchanges = [await sender.post(server.url, HEADERS, BODY) for _ in range(2)]
        assert [exchange.status for exchange in exchanges] == [200, 503]
        assert server.used == [1, 2]

    async def test_nor_does_what_comes_unasked(self, sender: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            server.requests.append((server.connections, await read_request(reader)))
            writer.write(OK)
            await asyncio.sleep(0.05)
            writer.write(OK)
            await reader.read()

        async with serving(behave) as server:
            assert (await sender.post(server.url, HEADERS, BODY)).status == 200
            await until(lambda: server.ended == 1)

    async def test_other_hosts_and_ports_have_their_own(self) -> None:
        sender = Sender(look_up=names(a_example="127.0.0.1", b_example="127.0.0.1"))
        async with answering(OK) as server:
            for host in ("a.example", "b.example", "a.example", "b.example"):
                await sender.post(f"http://{host}:{server.port}/", HEADERS, BODY)
            await sender.close()
        assert server.used == [1, 2, 1, 2]


class Authority:
    """A certificate authority, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
        self.certificate = self._certify(self.key, self.name, None, timedelta(days=1))

    def _certify(
        self, key: ec.EllipticCurvePrivateKey, name: x509.Name, names: list[x509.GeneralName] | None, days: timedelta
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + days)
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        )
        if names is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """The context of a server with these names and addresses; `days` below 0: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        found: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._certify(key, subject, found, timedelta(days=days))
        file = self.folder / f"{names[0]}{days}.pem"
        encoding = serialization.Encoding.PEM
        private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(certificate.public_bytes(encoding) + private)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


NAMES = names(hooks_example="127.0.0.1")


@pytest_asyncio.fixture
async def trusting(authority: Authority) -> AsyncIterator[Sender]:
    """A sender that trusts the authority, and knows a name of this machine."""
    context = ssl.create_default_context(cadata=authority.pem)
    sender = Sender(deadline_s=30, ssl_context=context, look_up=NAMES)
    yield sender
    await sender.close()


class TestTls:
    async def test_a_receiver_is_asked_for_by_its_name(self, authority: Authority, trusting: Sender) -> None:
        tls, asked = authority.server("hooks.example"), []
        tls.sni_callback = lambda _, name, __: asked.append(name)
        async with answering(OK, tls=tls) as server:
            for _ in range(2):
                exchange = await trusting.post(f"https://Hooks.Example.:{server.port}/in", HEADERS, BODY)
                assert (exchange.status, exchange.answer, exchange.error) == (200, "ok", None)
        assert asked == ["hooks.example"]
        assert server.used == [1, 1]
        assert f"\r\nhost: hooks.example:{server.port}\r\n".encode() in server.requests[0][1]

    async def test_an_address_has_a_certificate_of_its_own(self, authority: Authority, trusting: Sender) -> None:
        async with answering(OK, tls=authority.server("127.0.0.1")) as server:
            assert (await trusting.post(f"https://127.0.0.1:{server.port}/", HEADERS, BODY)).status == 200

    @pytest.mark.parametrize(
        ("names", "days", "words"),
        [
            (("other.example",), 1, "Hostname mismatch, certificate is not valid for 'hooks.example'"),
            (("127.0.0.1",), 1, "Hostname mismatch, certificate is not valid for 'hooks.example'"),
            (("hooks.example",), -1, "certificate has expired"),
        ],
    )
    async def test_a_certificate_that_is_not_right_gets_nothing(
        self, authority: Authority, trusting: Sender, names: tuple[str, ...], days: int, words: str
    ) -> None:
        async with answering(OK, tls=authority.server(*names, days=days)) as server:
            exchange = await trusting.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
        assert (exchange.status, exchange.error) == (None, f"TLS: the certificate is not accepted: {words}")
        assert not server.requests

    async def test_nor_does_one_that_nobody_known_has_signed(self, authority: Authority) -> None:
        sender = Sender(look_up=NAMES)
        async with answering(OK, tls=authority.server("hooks.example")) as server:
            exchange = await sender.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
        assert exchange.error == "TLS: the certificate is not accepted: unable to get local issuer certificate"
        assert not server.requests

    async def test_the_machines_own_authorities_are_trusted(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "ca.pem").write_text(authority.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        sender = Sender(look_up=NAMES)
        async with answering(OK, tls=authority.server("hooks.example")) as server:
            exchange = await sender.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
            await sender.close()
        assert exchange.status == 200

    async def test_a_receiver_that_wants_a_certificate_of_ours(self, authority: Authority, trusting: Sender) -> None:
        tls = authority.server("hooks.example")
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(cadata=authority.pem)
        async with answering(OK, tls=tls) as server:
            exchange = await trusting.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
        assert exchange.status is None
        assert exchange.error is not None
        assert "certificate required" in exchange.error or "closed the connection" in exchange.error

    async def test_a_receiver_without_tls(self, trusting: Sender) -> None:
        async def behave(reader: Reader, writer: Writer) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            await reader.read()

        async with serving(behave) as server:
            exchange = await trusting.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
        assert exchange.error == "TLS failed: wrong version number"

    async def test_one_that_hangs_up_during_the_handshake(self, trusting: Sender) -> None:
        async def behave(reader: Reader, _: Writer) -> None:
            await reader.read(10)

        async with serving(behave) as server:
            exchange = await trusting.post(f"https://hooks.example:{server.port}/", HEADERS, BODY)
        assert exchange.error == "The receiver closed the connection without a complete answer"

    async def test_one_that_is_silent_during_the_handshake(self, hasty: Sender) -> None:
        async def behave(reader: Reader, _: Writer) -> None:
            await reader.read()
            await reader.read()

        async with serving(behave) as server:
            exchange = await hasty.post(f"https://127.0.0.1:{server.port}/", HEADERS, BODY)
            await until(lambda: server.ended == 1)
        assert exchange.error == f"No answer within {SHORT_S} seconds"


class TestAddresses:
    async def test_a_name_that_leads_inside_since_it_was_checked_is_not_followed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: public when the URL is checked, this machine when it is connected to."""
        monkeypatch.setattr(targets, "_is_loopback_allowed", False)
        answers = ["93.184.215.14", "127.0.0.1"]

        async def look_up(_: str) -> Sequence[Address]:
            return [ip_address(answers.pop(0))]

        sender = Sender(look_up=look_up)
        async with answering(OK) as server:
            url = f"https://hooks.example:{server.port}/"
            await check_target(url, look_up=look_up)
            exchange = await sender.post(url, HEADERS, BODY)
        assert answers == []
        assert server.connections == 0
        assert exchange.status is None
        assert exchange.error == f"Not sent: the URL {targets._NOT_PUBLIC}"

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://10.1.2.3/",
            "https://unknown.example/",
            "https://mixed.example/",
        ],
    )
    async def test_no_word_tells_what_is_inside(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setattr(targets, "_is_loopback_allowed", False)
        exchange = await Sender(look_up=names(mixed_example="93.184.215.14 10.0.0.1")).post(url, HEADERS, BODY)
        assert exchange.error == f"Not sent: the URL {targets._NOT_PUBLIC}"

    async def test_a_url_that_is_none_is_not_sent_to(self, sender: Sender) -> None:
        exchange = await sender.post("https://user:secret@hooks.example/", HEADERS, BODY)
        assert exchange.error == "Not sent: the URL must not have a user name or a password"

    async def test_plain_http_goes_to_this_machine_alone(self) -> None:
        """A name's addresses are checked by the way it is spoken to, too."""
        exchange = await Sender(look_up=names(a_example="93.184.215.14")).post("http://a.example/", HEADERS, BODY)
        assert exchange.error is not None
        assert "http:// is for this machine alone" in exchange.error
        with pytest.raises(TargetRefusedError):
            await check_target("http://a.example/", look_up=names(a_example="93.184.215.14"))

    async def test_where_nobody_is_at_one_address_the_next_is_tried(self) -> None:
        sender = Sender(look_up=names(a_example="127.0.0.2 ::1 127.0.0.3 127.0.0.1"))
        async with answering(OK) as server:
            assert (await sender.post(f"http://a.example:{server.port}/", HEADERS, BODY)).status == 200
            await sender.close()

    async def test_but_not_any_number_of_them(self) -> None:
        sender = Sender(look_up=names(a_example="127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.1"))
        async with answering(OK) as server:
            exchange = await sender.post(f"http://a.example:{server.port}/", HEADERS, BODY)
        assert exchange.error == "The receiver refused the connection"
        assert server.connections == 0

    async def test_the_time_for_the_name_is_part_of_the_deadline(self) -> None:
        async def silent(_: str) -> Sequence[Address]:
            await asyncio.Event().wait()
            return ()

        exchange = await Sender(deadline_s=SHORT_S, look_up=silent).post("https://a.example/", HEADERS, BODY)
        assert exchange.error == f"No answer within {SHORT_S} seconds"

    async def test_an_address_where_nothing_answers_leaves_time_for_the_next(self) -> None:
        """The listener's queue is full: what connects to it waits, as it does behind a firewall that says nothing."""
        full = socket.socket()
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.2", port))
        sender = Sender(deadline_s=1, look_up=names(a_example="127.0.0.2 127.0.0.1"))
        try:
            exchange = await sender.post(f"http://a.example:{port}/", HEADERS, BODY)
        finally:
            for one in (full, *waiting):
                one.close()
        assert exchange.error == "The receiver refused the connection", "that of the second address"
        assert exchange.duration_ms >= 490
