"""Who asks: applications by their ids, and what is known of them.

An id is the address of a metadata document, which is fetched when a member is asked, or that of an application that
registered itself. Documents are strangers' words from strangers' servers: see `fetch_document`.
"""

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Final
from uuid import UUID

from ledgerbee import __version__
from ledgerbee.core.ids import parse_id
from ledgerbee.http.cells import Cells
from ledgerbee.identity.authorization import store
from ledgerbee.identity.authorization.model import DOCUMENT_BYTES, DOCUMENT_SECONDS, Client, ClientRefusedError
from ledgerbee.identity.authorization.rules.documents import (
    MetadataRefusedError,
    is_document_id,
    is_json_type,
    read_document,
)
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.tenancy.oauth.model import invalid_client
from ledgerbee.webhooks.sending.connections import Answer, NoAnswerError, connect
from ledgerbee.webhooks.sending.sender import trusting
from ledgerbee.webhooks.targets import TargetRefusedError, is_loopback_allowed, look_up, parse_target

#: Documents that a process remembers, how long (seconds), and how long one that could not be had.
_MOST_KEPT: Final = 500
_KEPT_S: Final = 300.0
_REFUSED_S: Final = 10.0
#: Documents that are fetched at the same time.
_AT_ONCE: Final = 16


class UnreachableDocumentError(ClientRefusedError):
    """A client's metadata document can't be had, or doesn't say what it has to."""


@dataclass(frozen=True, slots=True)
class ShownClient:
    """What a request to an endpoint says of who sends it: an id, and a secret where it has one."""

    client_id: str
    secret: str | None


async def find(client_id: str, cells: Cells) -> Client:
    """The application of an id, as a member is asked about it.

    Raises `ClientRefusedError` for one that is unknown, `UnreachableDocumentError` for one whose document is no good.
    """
    if "://" in client_id:
        if not is_document_id(client_id, is_plain_allowed=is_loopback_allowed()):
            raise ClientRefusedError
        return await _documents.get(client_id)
    found = await _registered(client_id, cells)
    if found is None:
        raise ClientRefusedError
    return found[0]


async def prove(shown: ShownClient, cells: Cells) -> Client:
    """The application that sends a request to an endpoint.

    One with a secret has to show it; of one with a metadata document the id is all that there is to show, and what it
    wants is bound to that. Raises `invalid_client`.
    """
    if "://" in shown.client_id:
        if shown.secret is not None or not is_document_id(shown.client_id, is_plain_allowed=is_loopback_allowed()):
            raise invalid_client()
        return Client(client_id=shown.client_id, name="", redirect_uris=())
    found = await _registered(shown.client_id, cells, shown.secret)
    if found is None or (found[0].is_confidential and not found[1]) or (not found[0].is_confidential and shown.secret):
        raise invalid_client()
    return found[0]


async def is_registered(client_id: str, cells: Cells) -> bool:
    """Whether an id is that of an application that registered itself."""
    return await _registered(client_id, cells) is not None


def uuid_of(client_id: str) -> UUID | None:
    """The id of an application that may have registered itself; None for any other."""
    try:
        return parse_id(client_id)
    except ValueError:
        return None


async def _registered(client_id: str, cells: Cells, secret: str | None = None) -> tuple[Client, bool] | None:
    cell, wanted = cells.of_client(client_id), uuid_of(client_id)
    if cell is None or wanted is None:
        return None
    async with cell.database.connection() as connection:
        return await store.find_registered(connection, wanted, secret_hash(secret) if secret is not None else None)


async def fetch_document(client_id: str) -> Client:
    """The client of the metadata document at `client_id`.

    Fetched from a public address alone, which is looked up and checked here and connected to as it was checked; no
    redirect is followed, and size and time are bounded. Raises `UnreachableDocumentError`, which doesn't say why: who
    asks must not learn what answers in our network.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + DOCUMENT_SECONDS
    answer = Answer(most=DOCUMENT_BYTES + 1)
    try:
        target = parse_target(client_id)
        context = await asyncio.to_thread(_ssl_context)
        async with asyncio.timeout_at(end):
            connection = await connect(target, look_up, context, end)
            try:
                await connection.ask(_request(target.path, target.authority), answer)
            finally:
                connection.abort()
        is_json = is_json_type(answer.content_type.decode("latin-1"))
        if answer.status != 200 or not is_json or len(answer.body) > DOCUMENT_BYTES:
            raise UnreachableDocumentError
        return read_document(client_id, bytes(answer.body))
    except (TargetRefusedError, NoAnswerError, TimeoutError, MetadataRefusedError) as fault:
        raise UnreachableDocumentError from fault


def _request(path: str, authority: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: ledgerbee/{__version__}\r\n"
        "accept: application/json\r\naccept-encoding: identity\r\nconnection: close\r\n\r\n"
    ).encode("ascii")


@cache
def _ssl_context() -> ssl.SSLContext:
    return trusting()


class _Documents:
    """Remembers the documents of applications for a while, and for a little which could not be had."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, Client | None]] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[Client]] = {}

    async def get(self, client_id: str) -> Client:
        """The client of a document; those who ask at the same time share a fetch. Raises `UnreachableDocumentError`."""
        kept = self._kept.get(client_id)
        if kept is not None and monotonic() - kept[0] < (_REFUSED_S if kept[1] is None else _KEPT_S):
            if kept[1] is None:
                raise UnreachableDocumentError
            return kept[1]
        task = self._fetching.get(client_id)
        if task is None:
            if len(self._fetching) >= _AT_ONCE:
                raise UnreachableDocumentError
            task = self._fetching[client_id] = asyncio.create_task(self._fetch(client_id))
            task.add_done_callback(lambda done: self._forget(client_id, done))
        return await asyncio.shield(task)

    async def _fetch(self, client_id: str) -> Client:
        found: Client | None = None
        try:
            found = await fetch_document(client_id)
            return found
        finally:
            self._kept[client_id] = (monotonic(), found)
            self._kept.move_to_end(client_id)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def _forget(self, client_id: str, done: "asyncio.Task[Client]") -> None:
        self._fetching.pop(client_id, None)
        if not done.cancelled():
            done.exception()  # taken note of, where nobody waits any more


_documents: Final = _Documents()
