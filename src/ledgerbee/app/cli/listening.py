"""Brings a company's events to a developer's machine: read from the feed, signed and posted as a webhook would be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx
import msgspec

from ledgerbee import __version__
from ledgerbee.app.addresses import is_loopback
from ledgerbee.app.cli.options import shown
from ledgerbee.app.cli.remote import no_answer, not_ours, refusal_of
from ledgerbee.core.dates import system_clock
from ledgerbee.webhooks.signing import signed_headers

#: Seconds between two questions when nothing new came, and at most after questions that failed.
POLL_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
#: Seconds that the receiver has for its answer, as long as a developer waits.
FORWARD_S: Final = 10.0
_PAGE: Final = 25
_TOO_MANY: Final = 429
#: A moment after all events: a page from then on is empty, and its cursor is the end of the feed.
_NEVER: Final = "9998-01-01T00:00:00.000Z"


class FeedRefusedError(Exception):
    """The feed can't be read, and asking again is no use: the text says why."""


class FeedEvent(msgspec.Struct, frozen=True):
    """An event of the feed. `data` is kept as it was written: it is signed, so that no digit may change."""

    id: str
    type: str
    timestamp: str
    position: int
    data: msgspec.Raw
    is_test: bool = msgspec.field(name="isTest", default=False)

    @property
    def cursor(self) -> str:
        """What the feed goes on from behind it."""
        return str(self.position)

    @property
    def body(self) -> bytes:
        """The body of a delivery of it (contract 1.8), byte by byte that of the worker."""
        head = f'{{"id":"{self.id}","type":"{self.type}","timestamp":"{self.timestamp}",'
        head += '"isTest":true,"data":' if self.is_test else '"data":'
        return head.encode() + bytes(self.data) + b"}"


class FeedPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of the feed."""

    data: list[FeedEvent]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One event, and what came of it: the status of the answer, or why there was none."""

    event: FeedEvent
    status: int | None
    error: str | None


class Feed:
    """The feed of a company. `cursor` is where it goes on from: who takes events moves it when one is dealt with.

    `told` hears, in words, of each new reason for which the feed can't be read for now.
    """

    def __init__(self, api: httpx.AsyncClient, types: str | None, told: Callable[[str], None]) -> None:
        self.cursor = "0"
        self._api = api
        self._filter = {"types": types} if types else {}
        self._told = told
        self._has_begun = False

    async def begin(self, cursor: str | None) -> None:
        """Go on from a cursor; None: from behind all that there is. Raises `FeedRefusedError`."""
        self.cursor = cursor or "0"
        while cursor is None and (page := await self._page({"from": _NEVER})).next_cursor != self.cursor:
            self.cursor = page.next_cursor
        await self._page(self._filter)  # so that what is wrong with cursor and filter is told at once

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Each event behind the cursor, in order, without an end. Raises `FeedRefusedError`."""
        while True:
            page = await self._page(self._filter)
            for event in page.data:
                yield event
            if page.next_cursor == self.cursor and not page.data:
                await asyncio.sleep(POLL_S)
            self.cursor = page.next_cursor

    async def _page(self, wanted: dict[str, str]) -> FeedPage:
        """The page behind the cursor. What stops it is waited out, but not before there was a first one."""
        query = {"limit": str(_PAGE), "after": self.cursor, **wanted}
        pause, before = POLL_S, ""
        while True:
            try:
                answer = await self._api.get("v1/events", params=query)
                if answer.is_success:
                    page = msgspec.json.decode(answer.content, type=FeedPage)
                    self._has_begun = True
                    return page
                why, is_passing = refusal_of(answer), answer.is_server_error or answer.status_code == _TOO_MANY
            except msgspec.DecodeError:
                why, is_passing = not_ours(answer), True
            except httpx.InvalidURL as fault:  # a filter of any length
                raise FeedRefusedError(str(fault)) from None
            except httpx.HTTPError as fault:
                why, is_passing = no_answer(self._api, fault), True
            if not (is_passing and self._has_begun):
                raise FeedRefusedError(why)
            if why != before:
                self._told(f"The feed can't be read and is asked again: {shown(why)}")
            await asyncio.sleep(pause)
            pause, before = min(pause * 2, _LONGEST_PAUSE_S), why


async def forward(to: httpx.URL, event: FeedEvent, secret: str) -> Forwarded:
    """Post an event once, signed with a secret (`whsec_...`) as of now. Redirects are not followed."""
    body = event.body
    headers = {
        "content-type": "application/json",
        "user-agent": f"ledgerbee-webhooks/{__version__}",
        **signed_headers(UUID(event.id), system_clock(), body, [secret]),
    }
    try:
        async with (
            asyncio.timeout(FORWARD_S),
            httpx.AsyncClient(timeout=FORWARD_S, trust_env=not is_loopback(to.host)) as client,
            client.stream("POST", to, content=body, headers=headers) as answer,
        ):
            return Forwarded(event, answer.status_code, None)
    except (TimeoutError, httpx.TimeoutException):
        return Forwarded(event, None, f"no answer within {FORWARD_S:.0f} seconds")
    except httpx.HTTPError as fault:
        return Forwarded(event, None, str(fault) or type(fault).__name__)
