"""Writes what commands noted, in their transaction: events (outbox and audit trail), jobs, and kept answers."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform.context import Context, Event, Job
from ledgerbee.platform.literals import array

#: Who listens for events hears of each transaction that wrote some: the company's id, after COMMIT.
EVENTS_CHANNEL: Final = "ledgerbee_events"

#: The data of events and the bodies of answers are one value, $8, of which each row has a slice: the answer to a
#: command mostly repeats what its events say, which is sent once. Whoever counts positions holds the company's counter
#: until COMMIT, so that none becomes visible before a lower one.
_RECORD = """
WITH answers AS (
    INSERT INTO idempotency_keys (company_id, key, request_hash, status, content_type, body, created_at)
    SELECT $1, a.key, a.request_hash, a.status, a.content_type, substring($8::bytea FROM a.start FOR a.length), $2
    FROM unnest($13::text[], $14::bytea[], $15::int[], $16::text[], $17::int[], $18::int[])
        AS a (key, request_hash, status, content_type, start, length)
    ON CONFLICT (company_id, key) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
        content_type = excluded.content_type, body = excluded.body, created_at = excluded.created_at
), counted AS (
    INSERT INTO event_counters AS c (company_id, last_position) SELECT $1, $28::int WHERE $28 > 0
    ON CONFLICT (company_id) DO UPDATE SET last_position = c.last_position + excluded.last_position
    RETURNING c.last_position - $28 AS before, c.is_listened
), told AS (
    INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at, before,
                        credential_kind, credential_id, address, position)
    SELECT $1, e.id, e.type, e.object_id,
           e.place + CASE WHEN e.is_first THEN 0 ELSE coalesce(
               (SELECT max(p.sequence) FROM events p WHERE p.company_id = $1 AND p.object_id = e.object_id), 0) END,
           convert_from(substring($8::bytea FROM e.start FOR e.length), 'UTF8')::json,
           coalesce(e.actor, $19), coalesce(e.request_id, $20), $2, e.before::json,
           CASE WHEN $11::text[] IS NULL THEN $25 ELSE e.credential_kind END,
           CASE WHEN $11::text[] IS NULL THEN $26 ELSE e.credential_id END,
           CASE WHEN $11::text[] IS NULL THEN $27 ELSE e.address END,
           c.before + e.ordinality
    FROM counted c, unnest($3::text::uuid[], $4::text::text[], $5::text::uuid[], $6::text::int[], $7::text::boolean[],
                $9::text::int[], $10::text::int[], $11::text[], $12::text[], $21::text[], $22::text[], $23::uuid[],
                $24::text[]) WITH ORDINALITY
        AS e (id, type, object_id, place, is_first, start, length, actor, request_id, before, credential_kind,
              credential_id, address, ordinality)
)
SELECT pg_notify($29, $1::text) FROM counted WHERE is_listened
"""

#: What the queue's guard says of a job that comes before others of its company. A worker that puts one back, to try it
#: again, does so at any moment, also between the question for the last turn and the answer to it.
_NOT_ITS_TURN: Final = "LB429"
#: How often a turn is asked for, until it is something else that the guard has against it.
_MOST_TURNS: Final = 20

#: A slice of that value: where it starts, from 1, and its length in bytes.
_Slice = tuple[int, int]

#: What is done about events in their own transaction, before they are written: it may look at rows, emit and enqueue.
#: It locks nothing that commands lock before what they tell of, and has all that it follows of a command at once.
Follower = Callable[[Context, Sequence[Event]], Awaitable[None]]
#: What follows each event topic: the name of a job, or a follower. Composed in `app.reactions`.
Reactions = Mapping[str, tuple[str | Follower, ...]]


async def flush(contexts: Sequence[Context], reactions: Reactions) -> None:
    """Write what commands of one transaction noted: events, jobs (those that react to the events included), answers."""
    await _react(contexts, reactions)
    events = [(event, context) for context in contexts for event in context.events]
    answers = [context.answer for context in contexts if context.answer is not None]
    if events or answers:
        first, alone = contexts[0], len(contexts) == 1
        origins = [] if alone else [context.origin for _, context in events]
        payload, event_slices, answer_slices = _pack_payloads(contexts)
        await first.connection.execute(
            _RECORD,
            first.company_id,
            first.now,
            array([str(event.id) for event, _ in events]),
            array([event.type for event, _ in events]),
            array([str(event.object_id) for event, _ in events]),
            array(_sequence_offsets([event.object_id for event, _ in events])),
            array(["t" if event.is_first else "f" for event, _ in events]),
            payload,
            array([str(start) for start, _ in event_slices]),
            array([str(length) for _, length in event_slices]),
            None if alone else [str(context.actor) for _, context in events],
            None if alone else [context.request_id for _, context in events],
            [answer.key for answer in answers],
            [answer.request_hash for answer in answers],
            [answer.status for answer in answers],
            [answer.content_type for answer in answers],
            [start for start, _ in answer_slices],
            [length for _, length in answer_slices],
            str(first.actor),
            first.request_id,
            _before_images([event for event, _ in events]),
            None if alone else [origin.credential_kind for origin in origins],
            None if alone else [origin.credential_id for origin in origins],
            None if alone else [origin.address for origin in origins],
            first.origin.credential_kind,
            first.origin.credential_id,
            first.origin.address,
            len(events),
            EVENTS_CHANNEL,
        )
    for context in contexts:
        if context.jobs:
            await _enqueue(context, context.jobs)


async def _react(contexts: Sequence[Context], reactions: Reactions) -> None:
    """What follows the events that commands noted; what followers emit is followed by nothing."""
    for context in contexts if reactions else ():
        followed: dict[Follower, list[Event]] = {}
        for event in context.events:
            for reaction in reactions.get(event.type, ()):
                if isinstance(reaction, str):
                    context.jobs.append(Job(reaction, {"eventId": str(event.id), "objectId": str(event.object_id)}))
                else:
                    followed.setdefault(reaction, []).append(event)
        for follower, events in followed.items():
            await follower(context, events)


def _pack_payloads(contexts: Sequence[Context]) -> tuple[bytes, list[_Slice], list[_Slice]]:
    """The data of all events and the bodies of all answers as one value, and the slices of both, in order."""
    chunks: list[bytes] = []
    end = 1
    event_slices: list[_Slice] = []
    answer_slices: list[_Slice] = []

    def add(chunk: bytes) -> _Slice:
        nonlocal end
        chunks.append(chunk)
        part = (end, len(chunk))
        end += len(chunk)
        return part

    for context in contexts:
        data = [event.data for event in context.events]
        repeated: list[int] = []
        if context.answer is not None:
            answer_slices.append(add(context.answer.body))
            repeated = _find_embedded_events(data, context.answer.body)
        if repeated:
            start = answer_slices[-1][0]
            event_slices += [(start + place, len(one)) for place, one in zip(repeated, data, strict=True)]
        else:
            event_slices += [add(one) for one in data]
    return b"".join(chunks), event_slices, answer_slices


def _find_embedded_events(events: Sequence[bytes], body: bytes) -> list[int]:
    """Where `body` has the data of all events, as a list with one character between each two; empty if it has not."""
    if not events:
        return []
    positions = []
    position = body.find(events[0])
    for event in events:
        if position < 0 or not body.startswith(event, position):
            return []
        positions.append(position)
        position += len(event) + 1
    return positions


def _before_images(events: Sequence[Event]) -> list[str | None] | None:
    """The objects as they were before, None where no event has one: entries come by the thousand, all new."""
    if all(event.before is None for event in events):
        return None
    return [None if event.before is None else event.before.decode() for event in events]


def _sequence_offsets(objects: Sequence[UUID]) -> list[str]:
    """1 for the first of the events of one object, 2 for the next, ...; written as digits."""
    if len(set(objects)) == len(objects):
        return ["1"] * len(objects)
    seen: Counter[UUID] = Counter()
    offsets = []
    for one in objects:
        seen[one] += 1
        offsets.append(str(seen[one]))
    return offsets


async def _enqueue(context: Context, jobs: list[Job]) -> None:
    payloads = [
        json.dumps({"companyId": str(context.company_id), "requestId": context.request_id, **job.payload}).encode()
        for job in jobs
    ]
    # Here, for the sake of the start: most requests enqueue nothing, and the library is slow to load.
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver  # noqa: PLC0415

    from ledgerbee.platform.job_queue import queries  # noqa: PLC0415
    from ledgerbee.platform.job_turns import turns  # noqa: PLC0415

    queue = queries(AsyncpgDriver(context.connection))  # type: ignore[arg-type]  # a pooled connection is one
    for attempt in range(1, _MOST_TURNS + 1):
        given = await turns(context, jobs)
        await context.connection.execute("SAVEPOINT before_jobs")
        try:
            await queue.enqueue(
                [job.name for job in jobs], list(payloads), [-turn for turn in given], [job.delay for job in jobs]
            )
        except asyncpg.PostgresError as fault:
            if fault.sqlstate != _NOT_ITS_TURN or attempt == _MOST_TURNS:
                raise
            await context.connection.execute("ROLLBACK TO SAVEPOINT before_jobs")
        else:
            return
