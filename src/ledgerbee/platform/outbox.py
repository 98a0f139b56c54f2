"""Writes what a command told and asked for: events (outbox and audit trail) and jobs, in its transaction."""

import json
from collections.abc import Mapping

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context, Job

_INSERT_EVENTS = """
INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at)
SELECT $1, e.id, e.type, e.object_id,
       coalesce((SELECT max(p.sequence) FROM events p WHERE p.company_id = $1 AND p.object_id = e.object_id), 0)
           + row_number() OVER (PARTITION BY e.object_id ORDER BY e.position),
       e.data, $6, $7, $8
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::jsonb[]) WITH ORDINALITY AS e (id, type, object_id, data, position)
"""

#: The jobs that follow each event topic; composed in `app.reactions`.
Reactions = Mapping[str, tuple[str, ...]]


async def flush(context: Context, reactions: Reactions) -> None:
    """Write the context's events and jobs, the jobs that react to those events included."""
    jobs = list(context.jobs)
    if context.events:
        events = [(new_id(), event) for event in context.events]
        await context.connection.execute(
            _INSERT_EVENTS,
            context.company_id,
            [event_id for event_id, _ in events],
            [event.type for _, event in events],
            [event.object_id for _, event in events],
            [event.data for _, event in events],
            str(context.actor),
            context.request_id,
            context.now,
        )
        jobs.extend(
            Job(name, {"eventId": str(event_id), "objectId": str(event.object_id)})
            for event_id, event in events
            for name in reactions.get(event.type, ())
        )
    if jobs:
        await _enqueue(context, jobs)


async def _enqueue(context: Context, jobs: list[Job]) -> None:
    payloads = [
        json.dumps({"companyId": str(context.company_id), "requestId": context.request_id, **job.payload}).encode()
        for job in jobs
    ]
    # Here, for the sake of the start: most requests enqueue nothing, and the library is slow to load.
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver  # noqa: PLC0415

    from ledgerbee.platform.job_queue import queries  # noqa: PLC0415

    await queries(AsyncpgDriver(context.connection)).enqueue(  # type: ignore[arg-type]  # a pooled connection is one
        [job.name for job in jobs],
        list(payloads),
        [0] * len(jobs),
        [job.delay for job in jobs],
    )
