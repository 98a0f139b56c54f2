"""One attempt of a delivery over HTTP: what is sent, and what came of it in words for the log.

Receivers are strangers. What they answer is read up to a limit and never followed, how long they take is bounded, and
the words tell nothing of the network that we are in.
"""

import asyncio
import codecs
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from ledgerbee import __version__
from ledgerbee.webhooks.deliveries.model import MAX_ANSWER
from ledgerbee.webhooks.sending.connections import (
    Answer,
    ClosedUnansweredError,
    KeptConnections,
    NoAnswerError,
    connect,
)
from ledgerbee.webhooks.targets import LookUp, Target, TargetRefusedError, look_up, parse_target

#: Seconds for a whole attempt: name, connection, TLS, request and answer.
DEADLINE_S: Final = 15.0
#: The most that `Retry-After` is taken to ask for.
_MAX_RETRY_AFTER: Final = timedelta(days=1)

_FIELDS: Final = (
    f"user-agent: ledgerbee-webhooks/{__version__}\r\ncontent-type: application/json\r\naccept: */*\r\n"
    "accept-encoding: identity\r\n"
)
#: A field that can be nothing else: a token (RFC 9110 5.6.2), and a value in one line.
_FIELD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x20-\x7e]*")
_SECONDS: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came of one attempt.

    `status` is that of the answer as soon as its head was read, whatever becomes of its body; then there is no `error`.
    Without an answer `error` says why, in words. `answer` is the start of the body, at most `MAX_ANSWER` bytes of it,
    as text without NUL; None where there is none. `retry_after` is what the answer asks for, a day at most.
    """

    status: int | None
    duration_ms: int
    answer: str | None
    error: str | None
    retry_after: timedelta | None


class Sender:
    """Posts to receivers, many at a time, over connections that are kept for a while. For one event loop.

    `ssl_context`: None for one that trusts the authorities that the machine does (`SSL_CERT_FILE` names others) and
    those that Mozilla does.
    """

    def __init__(
        self,
        *,
        deadline_s: float = DEADLINE_S,
        ssl_context: ssl.SSLContext | None = None,
        look_up: LookUp = look_up,
    ) -> None:
        self._deadline_s = deadline_s
        self._ssl_context = ssl_context or trusting()
        self._look_up = look_up
        self._kept = KeptConnections()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """POST `body` (JSON) to `url`, under `headers` beside those of every delivery. Raises nothing but cancellation.

        The deadline is over everything from the name to the end of the answer. Once the head of an answer is there its
        status counts, though the body is cut off, broken or without an end: a receiver that said 2xx has the delivery.
        Redirects aren't followed: a 3xx is a status like others. Where a kept connection turns out to be closed before
        anything was answered, the request is sent once more over a fresh one.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        answer, error = Answer(), None
        try:
            target = parse_target(url)
            request = _head(target, headers, body) + body
            async with asyncio.timeout_at(began + self._deadline_s):
                await self._exchange(target, request, answer, began + self._deadline_s)
        except TimeoutError:
            error = f"No answer within {self._deadline_s:g} seconds"
        except TargetRefusedError as refused:
            error = f"Not sent: the URL {refused}"
        except NoAnswerError as fault:
            error = str(fault)
        return Exchange(
            status=answer.status,
            duration_ms=round((clock() - began) * 1000),
            answer=_text(answer.body),
            error=error if answer.status is None else None,
            retry_after=_retry_after(answer.retry_after),
        )

    async def close(self) -> None:
        """Close the connections that are kept; those in use are closed after their exchange."""
        self._kept.close()

    async def _exchange(self, target: Target, request: bytes, answer: Answer, end: float) -> None:
        origin = (target.scheme, target.host, target.port)
        connection = self._kept.take(origin)
        if connection is not None:
            try:
                await connection.ask(request, answer)
            except ClosedUnansweredError:
                connection = None
            else:
                self._kept.put_back(connection, origin)
        if connection is None:
            connection = await connect(target, self._look_up, self._ssl_context, end)
            await connection.ask(request, answer)
            self._kept.put_back(connection, origin)


def trusting() -> ssl.SSLContext:
    """What trusts the authorities that the machine does (`SSL_CERT_FILE` names others) and those that Mozilla does."""
    import certifi  # noqa: PLC0415  only where no context is given

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _head(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """The head of a request. Raises `NoAnswerError` for a header that isn't one line of ASCII."""
    fields = [f"{name}: {value}" for name, value in headers.items()]
    if not all(map(_FIELD.fullmatch, fields)):
        raise NoAnswerError("Not sent: a header can't be written")
    lines = "\r\n".join([f"POST {target.path} HTTP/1.1", f"host: {target.authority}", *fields])
    return f"{lines}\r\n{_FIELDS}content-length: {len(body)}\r\n\r\n".encode("ascii")


def _retry_after(value: bytes | None) -> timedelta | None:
    """What `Retry-After` asks for: seconds, or a moment (RFC 9110 10.2.3). None for what is neither."""
    if not value:
        return None
    text = value.decode("latin-1")
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text[:10])), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), _MAX_RETRY_AFTER)


def _text(body: bytearray) -> str | None:
    """As text that can be stored; a character that the limit cuts through is left out."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(bytes(body), final=len(body) < MAX_ANSWER).replace("\0", "\ufffd") or None
