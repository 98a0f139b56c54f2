"""What stands in the job queue: for metrics, for the worker and for the operator who looks after held jobs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ledgerbee.platform.connection import Connection


async def was_interrupted(connection: Connection, job_id: int) -> bool:
    """Whether a worker took up the job's present attempt before this time, and never came to an end with it."""
    picks: int = await connection.fetchval(
        """
        SELECT count(*) FROM pgqueuer_log l
        WHERE l.job_id = $1 AND l.status = 'picked'
          AND l.id > coalesce((SELECT max(q.id) FROM pgqueuer_log q WHERE q.job_id = $1 AND q.status = 'queued'), 0)
        """,
        job_id,
    )
    return picks > 1


async def count_interrupted_run(connection: Connection, job_id: int) -> int:
    """Note that an interrupted job begins once more; how often it has by now."""
    begun: int = await connection.fetchval(
        """
        INSERT INTO interrupted_jobs (job_id, begun) VALUES ($1, 1)
        ON CONFLICT (job_id) DO UPDATE SET begun = interrupted_jobs.begun + 1 RETURNING begun
        """,
        job_id,
    )
    return begun


async def end_interrupted_run(connection: Connection, job_id: int) -> None:
    """Note that an interrupted job did not take its worker down, whatever else came of it; or that it is held."""
    await connection.execute("DELETE FROM interrupted_jobs WHERE job_id = $1", job_id)


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many jobs of a kind are `waiting`, `running` or `held`; of those waiting, for how long one has been due."""

    job: str
    state: str
    count: int
    overdue: timedelta


async def count_jobs(connection: Connection) -> list[JobCount]:
    """The jobs in the queue by kind and state."""
    rows = await connection.fetch(
        """
        SELECT entrypoint AS job,
               CASE status WHEN 'queued' THEN 'waiting' WHEN 'picked' THEN 'running' ELSE 'held' END AS state,
               count(*) AS count,
               greatest(coalesce(max(now() - execute_after) FILTER (WHERE status = 'queued'), '0'), '0') AS overdue
        FROM pgqueuer GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    return [JobCount(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job that was given up: its attempts are used up. It stays until an operator has it run again."""

    id: int
    job: str
    payload: Mapping[str, Any]
    attempts: int
    held_at: datetime
    error: str

    @property
    def company_id(self) -> UUID:
        return UUID(self.payload["companyId"])


async def held_jobs(
    connection: Connection, *, since: datetime | None = None, names: Sequence[str] | None = None, limit: int = 100_000
) -> list[HeldJob]:
    """Jobs that are held, those held longest first; of these `names`, and held `since` then, where that is said."""
    rows = await connection.fetch(
        """
        SELECT q.id, q.entrypoint, q.payload, q.attempts, q.updated,
               (SELECT l.traceback #>> '{}' FROM pgqueuer_log l WHERE l.job_id = q.id AND l.status = 'failed'
                ORDER BY l.id DESC LIMIT 1) AS fault
        FROM pgqueuer q
        WHERE q.status = 'failed' AND ($1::timestamptz IS NULL OR q.updated >= $1)
          AND ($2::text[] IS NULL OR q.entrypoint = ANY ($2))
        ORDER BY q.updated, q.id LIMIT $3
        """,
        since,
        names,
        limit,
    )
    return [
        HeldJob(
            id=row["id"],
            job=row["entrypoint"],
            payload=json.loads(row["payload"]),
            attempts=row["attempts"] + 1,
            held_at=row["updated"],
            error=_error_text(row["fault"]),
        )
        for row in rows
    ]


async def release_held_jobs(connection: Connection, ids: Sequence[int] | None) -> list[int]:
    """Have held jobs run again, all of them when `ids` is None, with all their attempts. Their ids.

    An id that names no held job is left out.
    """
    rows = await connection.fetch(
        "SELECT id FROM pgqueuer WHERE status = 'failed' AND ($1::bigint[] IS NULL OR id = ANY ($1)) ORDER BY id",
        ids,
    )
    found = [row["id"] for row in rows]
    if found:
        from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver  # noqa: PLC0415

        from ledgerbee.platform.job_queue import queries  # noqa: PLC0415

        await queries(AsyncpgDriver(connection)).requeue_jobs(found)  # type: ignore[arg-type]  # a pooled one is one
    return found


def _error_text(fault: str | None) -> str:
    if fault is None:
        return ""
    known = json.loads(fault)
    return f"{known['exception_type']}: {known['exception_message']}"
