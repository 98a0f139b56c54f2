"""Ten million kept events of a company: what posting costs there, and the pages of its feed.

Posting: entries a second in a company with 10,000 events beside one with all of them, in turn, by several clients one
by one and in batches. Limit: 1.05 times the rate. The feed, over HTTP: any of its pages in 20 ms (the 95th percentile).
`BENCH_EVENTS` fills with another number: the full one takes minutes and some 15 GB.
"""

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from bench.posting import Case, Target, post_over_http, prepare
from bench.support import Books, books, companies, connect, entry, get, post, server, verdict

from ledgerbee.app.main import create_app

EVENTS: Final = int(os.environ.get("BENCH_EVENTS", "10000000"))
FEW: Final = 10_000
PART: Final = 500_000
ROUNDS: Final = 9
SECONDS: Final = 3
RATIO_LIMIT: Final = 1.05
PAGE_LIMIT_MS: Final = 20
PAGES: Final = 40
#: Of every so many events one is of a rare topic.
RARE: Final = 1_000
RARE_TOPIC: Final = "customer.updated"
COMMON_TOPIC: Final = "journal_entry.posted"
POSTING: Final = (
    Case("singles, 16 clients", 1, 16, 1, (16,), RATIO_LIMIT),
    Case("batches of 100, 4 clients", 100, 4, 1, (4,), RATIO_LIMIT),
)

#: As they would be had they been committed one after the other over the last 80 days: ids ascend, as UUIDv7 do. Rare
#: ones are of 100 objects; all others of an object each.
_FILL: Final = """
INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at, position)
SELECT $1, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
       CASE WHEN n % $6 = 0 THEN $7 ELSE $8 END,
       CASE WHEN n % $6 = 0 THEN (lpad(to_hex(n / $6 % 100), 12, '0') || '700080010000' || '00000000')::uuid
           ELSE (lpad(to_hex(n), 12, '0') || '70009000' || lpad(to_hex(n), 12, '0'))::uuid END,
       CASE WHEN n % $6 = 0 THEN n / $6 / 100 + 1 ELSE 1 END,
       $5::text::json, 'api_key:bench', 'request-' || n / 10,
       now() - interval '80 days' + n * (interval '80 days' / $4), n
FROM generate_series($2::bigint, $3::bigint) n
"""
_COUNT: Final = """
INSERT INTO event_counters AS c (company_id, last_position) VALUES ($1, $2)
ON CONFLICT (company_id) DO UPDATE SET last_position = excluded.last_position
"""
_LAST: Final = "SELECT last_position FROM event_counters WHERE company_id = $1"
_DATA: Final = "SELECT data::text FROM events WHERE company_id = $1 AND type = $2 ORDER BY position DESC LIMIT 1"
_OBJECT: Final = "SELECT object_id::text FROM events WHERE company_id = $1 AND type = $2 ORDER BY position LIMIT 1"


@dataclass(frozen=True)
class Feed:
    """Pages of the feed: a query, and the positions that they begin behind."""

    name: str
    query: str
    after: Sequence[int]


async def _post_one(port: int, target: Target) -> None:
    """An entry of two lines, whose event is the pattern of those that are filled in."""
    async with connect(port) as connection:
        body = json.dumps(entry(target.debit, target.credit, 1)).encode()
        status, answer = await connection.send(post("/api/v2/journal-entries", target.key, body))
        assert status == 201, answer


async def fill(found: Books, count: int, pattern: Books) -> None:
    """Give a company so many events, as the owner, behind those that it has."""
    owner = await asyncpg.connect(found.url)
    await owner.execute("SET synchronous_commit = off; SET jit = off")
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(pattern.company_id))
    data = await owner.fetchval(_DATA, pattern.company_id, COMMON_TOPIC)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    last = await owner.fetchval(_LAST, found.company_id) or 0
    for start in range(last + 1, count + 1, PART):
        end = min(start + PART - 1, count)
        await owner.execute(_FILL, found.company_id, start, end, count, data, RARE, RARE_TOPIC, COMMON_TOPIC)
    await owner.execute(_COUNT, found.company_id, count)
    await owner.close()


async def _settle(url: str) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute("VACUUM ANALYZE")
    await owner.execute("CHECKPOINT")
    await owner.close()


def measure_posting(port: int, few: Target, many: Target) -> None:
    """Print both rates of each case, and by how much the one is above the other: medians of rounds taken in turn."""
    for case in POSTING:
        for target in (few, many):
            post_over_http(port, [target], case, 1)
        rates: list[list[float]] = [[], []]
        for number in range(ROUNDS):
            pair = list(zip((few, many), rates, strict=True))
            for target, own in pair if number % 2 else reversed(pair):
                own.append(post_over_http(port, [target], case, SECONDS)[0])
        without, kept = (statistics.median(own) for own in rates)
        ratio = statistics.median([one / other for one, other in zip(*rates, strict=True)])
        print(
            f"posting, {case.name:28} {without:6,.0f}/s with {FEW:,} events  {kept:6,.0f}/s with {EVENTS:,}"
            f"  ratio {ratio:.3f} ({verdict(ratio, case.limit)})",
            flush=True,
        )


async def _feeds(found: Books) -> list[Feed]:
    owner = await asyncpg.connect(found.url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    rare = await owner.fetchval(_OBJECT, found.company_id, RARE_TOPIC)
    last = await owner.fetchval(_LAST, found.company_id)
    await owner.close()
    chance = random.Random(7)
    anywhere = [chance.randint(1, last) for _ in range(PAGES)]
    return [
        Feed("first page", "", [0] * PAGES),
        Feed("any page", "", anywhere),
        Feed("last page", "", [last - 100] * PAGES),
        Feed("of posted entries", f"&types={COMMON_TOPIC}", anywhere),
        Feed("of a rare topic, first page", f"&types={RARE_TOPIC}", [0] * PAGES),
        Feed("of a rare topic, any page", f"&types={RARE_TOPIC}", anywhere),
        Feed("of a topic that none is of", "&types=quote.sent", anywhere),
        Feed("of rare and posted", f"&types={RARE_TOPIC},{COMMON_TOPIC}", anywhere),
        Feed("of an object, first page", f"&objectId={rare}", [0] * PAGES),
        Feed("of an object, any page", f"&objectId={rare}", anywhere),
        Feed("of the last week", f"&from={time.strftime('%Y-%m-%dT00:00:00Z', time.gmtime(time.time() - 7 * 86400))}",
             [0] * PAGES),
    ]  # fmt: skip


async def measure_feed(port: int, found: Books) -> None:
    """Print how long the pages of the feed take, by what is asked for."""
    async with connect(port) as connection:
        for feed in await _feeds(found):
            times, shown = [], []
            for number, after in enumerate([*feed.after[:3], *feed.after]):
                started = time.perf_counter()
                request = get(f"/api/v1/events?limit=100&after={after}{feed.query}", found.key)
                status, body = await connection.send(request)
                assert status == 200, body
                if number >= 3:
                    times.append((time.perf_counter() - started) * 1000)
                    shown.append(len(json.loads(body)["data"]))
            p95 = statistics.quantiles(times, n=20)[18]
            print(
                f"feed {feed.name:28} {statistics.mean(shown):5.0f} events a page"
                f"   median {statistics.median(times):5.1f} ms   p95 {p95:5.1f} ms ({verdict(p95, PAGE_LIMIT_MS)})",
                flush=True,
            )


def main() -> None:
    """Fill, post, read."""
    with books() as found:
        many = asyncio.run(companies(found.url, 1))[0]
        targets = asyncio.run(prepare([found, many]))
        with server(create_app, found.url, processes=2) as port:
            asyncio.run(_post_one(port, targets[0]))
            started = time.perf_counter()
            asyncio.run(fill(found, FEW, found))
            asyncio.run(fill(many, EVENTS, found))
            asyncio.run(_settle(found.url))
            print(f"filled {EVENTS:,} events in {time.perf_counter() - started:,.0f} s", flush=True)
            measure_posting(port, *targets)
            asyncio.run(measure_feed(port, many))


if __name__ == "__main__":
    main()
