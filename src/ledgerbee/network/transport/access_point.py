"""E-invoices handed to an access point over HTTP (docs/guides/e-invoices.md has what it is sent and may answer).

The address is the operator's own setting: it may be a private one, such as that of a program beside this one. Redirects
are not followed, so nothing goes to an address that no operator named.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ledgerbee import __version__
from ledgerbee.core.texts import readable
from ledgerbee.network.transport.model import Message, Receipt, TransportFailedError, TransportRefusedError

if TYPE_CHECKING:
    import httpx

#: Seconds for a message and its answer: shorter than a delivery's claim lasts.
TIMEOUT_S: Final = 60.0
#: Bytes read of an answer, and characters kept of it.
_MOST_ANSWER: Final = 64 * 1024
_MOST_REASON: Final = 500
_MOST_ID: Final = 200
#: Answers that say the document or its receiver is wrong: the same again would be answered the same.
_REFUSED: Final = frozenset({400, 404, 406, 410, 411, 412, 413, 415, 422, 451})
#: It has a message of this id already: an answer that got lost.
_KNOWN: Final = 409


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """Posts each e-invoice to an address. `token` is sent as a bearer token, if there is one."""

    url: str
    token: str | None = None
    timeout_s: float = TIMEOUT_S

    async def send(self, message: Message) -> Receipt:
        """Post the XML, byte for byte. Raises `TransportRefusedError` and `TransportFailedError`."""
        import httpx  # noqa: PLC0415  a worker that posts nothing need not load it

        try:
            async with (
                asyncio.timeout(self.timeout_s),
                httpx.AsyncClient(timeout=self.timeout_s, follow_redirects=False, trust_env=False) as http,
                http.stream("POST", self.url, content=message.content, headers=self._headers(message)) as answer,
            ):
                return _receipt(answer.status_code, await _read(answer))
        except TimeoutError:
            raise TransportFailedError(f"The access point didn't answer within {self.timeout_s:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise TransportFailedError(f"{type(fault).__name__}: {fault}") from fault

    def _headers(self, message: Message) -> dict[str, str]:
        headers = {
            "content-type": "application/xml; charset=utf-8",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"ledgerbee/{__version__}",
            "idempotency-key": str(message.id),
            "e-invoice-message-id": str(message.id),
            "e-invoice-sender": message.sender,
            "e-invoice-receiver": message.receiver,
            "e-invoice-document-type": message.document_type_id,
            "e-invoice-process": message.process_id,
            "e-invoice-number": quote(message.number, safe=""),
            "e-invoice-sha256": message.digest.hex(),
        }
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        return headers


async def _read(answer: "httpx.Response") -> bytes:
    """The beginning of an answer's body."""
    content = bytearray()
    async for part in answer.aiter_raw():
        content += part
        if len(content) >= _MOST_ANSWER:
            break
    return bytes(content[:_MOST_ANSWER])


def _receipt(status: int, body: bytes) -> Receipt:
    """What an answer means. Raises `TransportRefusedError` and `TransportFailedError`."""
    told = _told(body)
    if 200 <= status <= 299 or status == _KNOWN:
        words = "It has the message already" if status == _KNOWN else "Accepted"
        return Receipt(f"{status} {words}", told.get("id"))
    reason = told.get("message") or readable(body.decode("utf-8", "replace"), _MOST_REASON)
    text = f"{status} {reason}".strip()
    raise (TransportRefusedError if status in _REFUSED else TransportFailedError)(text)


def _told(body: bytes) -> dict[str, str]:
    """`id` and `message` of an answer in JSON, where they are texts, or numbers as they are written."""
    found: object = None
    with suppress(ValueError, RecursionError):
        found = json.loads(body, parse_int=str, parse_float=str)
    if not isinstance(found, dict):
        return {}
    return {
        name: text
        for name, longest in (("id", _MOST_ID), ("message", _MOST_REASON))
        if isinstance(value := found.get(name), str) and (text := readable(value, longest))
    }
