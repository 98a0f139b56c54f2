"""New published rates from the network, once a day: the European Central Bank's feed, or a copy of it elsewhere."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from ledgerbee import __version__
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.db import UNREACHABLE, Database
from ledgerbee.tenancy.rates import actions, ecb, rules, store

if TYPE_CHECKING:
    import httpx

#: The bank's own addresses: 90 days in 60 kB, and all days since 1999 in 600 kB for whoever lags behind further.
NINETY_DAYS: Final = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
HISTORY: Final = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
_COVERED: Final = timedelta(days=80)
_MOST_REDIRECTS: Final = 3
#: How often a failure that goes on is logged.
_LOGGED_EVERY: Final = timedelta(days=1)

log = structlog.get_logger("ledgerbee.rates")


class FeedError(Exception):
    """There was no document to be had. The message holds nothing of the address but its host."""


@dataclass
class Feed:
    """Adds what was published since, as the owner of the schema: the application may only read published rates."""

    owner_url: str
    #: Where the document is; None for the bank's own.
    address: str | None = None
    #: Seconds for all of a download: fewer than a worker waits for when it is told to stop.
    timeout_s: float = 20.0
    _logged_at: datetime | None = None

    async def renew(self, database: Database, _: BlobStore, now: datetime) -> None:
        """Add the rates that are out since the newest ones stored; nobody is asked before there can be any.

        For the timetable. What fails is left for the next time, and logged once a day.
        """
        newest = None
        try:
            async with database.connection() as connection:
                newest = await store.newest_day(connection)
            if newest is not None and newest >= rules.published_by(now):
                return
            await self._add(newest, now)
        except (FeedError, ecb.UnreadableRatesError, *UNREACHABLE) as fault:
            if self._logged_at is None or now - self._logged_at >= _LOGGED_EVERY:
                self._logged_at = now
                log.warning("rates.not_renewed", error=str(fault), newest=newest)
        else:
            self._logged_at = None

    async def _add(self, newest: date | None, now: datetime) -> None:
        content = await fetch(self.address or usual_address(newest, now), self.timeout_s)
        published = await asyncio.to_thread(ecb.read, content)
        owner = await asyncpg.connect(self.owner_url)
        try:
            added = await actions.add_published(owner, published, now)
        finally:
            await owner.close()
        if added.days:
            log.info("rates.added", days=len(added.days), newest=max(added.days))
        if added.partial:
            raise FeedError(f"the rates of {max(added.partial).isoformat()} are not whole")


def usual_address(newest: date | None, now: datetime) -> str:
    """The shortest of the bank's own documents that leaves no gap after the newest day stored."""
    lags = newest is None or newest < now.date() - _COVERED
    return HISTORY if lags else NINETY_DAYS


async def fetch(address: str, timeout_s: float) -> bytes:
    """The document at an address, of at most `ecb.MAX_BYTES`. Raises `FeedError`.

    Redirects are followed on the same host only. Certificates are verified.
    """
    import httpx  # noqa: PLC0415  a worker that fetches nothing need not load it

    # No encoding: what comes in is counted as it comes in.
    headers = {"user-agent": f"ledgerbee/{__version__}", "accept-encoding": "identity"}
    try:
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(headers=headers, timeout=timeout_s) as http:
            url = httpx.URL(address)
            for _ in range(_MOST_REDIRECTS + 1):
                async with http.stream("GET", url) as answer:
                    if not answer.has_redirect_location:
                        return await _body(answer)
                    target = url.join(answer.headers["location"])
                if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                    raise FeedError(f"{url.host} redirects to another host")
                url = target
            raise FeedError(f"{url.host} redirects without end")
    except TimeoutError:
        raise FeedError(f"no answer within {timeout_s:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise FeedError(f"{type(fault).__name__}: {fault}") from None


async def _body(answer: "httpx.Response") -> bytes:
    host = answer.url.host
    if answer.status_code != 200:
        raise FeedError(f"{host} answers {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise FeedError(f"{host} answers in an encoding that was not asked for")
    content = bytearray()
    async for part in answer.aiter_raw():
        content += part
        if len(content) > ecb.MAX_BYTES:
            raise FeedError(f"{host} answers with more than {ecb.MAX_BYTES >> 20} MiB")
    return bytes(content)
