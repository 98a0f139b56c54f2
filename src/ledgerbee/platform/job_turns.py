"""The order of jobs: fair queuing by virtual start times (turns), however many jobs each company has waiting.

The turn of a job is a second: when it is due, but at least `SPACING_S` after the last turn of its company for jobs of
the same name. The worker runs the earliest turn first (the library's priority is the turn, negated). So a company with
one job comes before all but the first job of a company with a thousand; no job waits for ever, since later jobs have
later turns; no worker is idle meanwhile. The jobs of one company run oldest first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context, Job

#: Seconds between the turns of one company: as long as a run of a job takes at most, as a rule.
SPACING_S: Final = 60
#: Turns are counted from here, and fit into 32 bits until 2094.
_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LATEST: Final = 2**31 - 1

#: Until COMMIT: two transactions that asked for the last turn at once would give the same one, which the guard of the
#: queue refuses. What is asked for comes last in a transaction, so nobody waits for long.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('turn of ' || $1, 6))"
_OTHERS_WAIT: Final = """
SELECT EXISTS (SELECT FROM pgqueuer q WHERE q.entrypoint = $2 AND q.status = 'queued' AND q.execute_after <= now()
    AND job_company(q.payload) IS DISTINCT FROM $1)
"""
#: By the queue's index of what a company has waiting; of what is under way there is never much.
_UNDER_WAY: Final = """
SELECT EXISTS (SELECT FROM pgqueuer q WHERE job_company(q.payload) = $1 AND q.entrypoint = ANY($2)
        AND q.status = 'queued' AND q.execute_after <= now())
    OR EXISTS (SELECT FROM pgqueuer q WHERE q.status = 'picked' AND q.entrypoint = ANY($2)
        AND job_company(q.payload) = $1)
"""


async def turns(context: Context, jobs: Sequence[Job]) -> list[int]:
    """The turns of a company's new jobs, in order: seconds since the beginning of the scale."""
    last: dict[str, int] = {}
    given = []
    for job in jobs:
        due = int((context.now + (job.delay or timedelta(0)) - _BEGINNING).total_seconds())
        if job.is_continuation:
            first: int | None = await context.connection.fetchval(
                "SELECT make_room($1, $2, $3)", context.company_id, job.name, SPACING_S
            )
            given.append(_on_scale(due if first is None else min(due, first)))
            continue
        if job.name not in last:
            await context.connection.execute(_ONE_AT_A_TIME, f"{context.company_id} {job.name}")
            found: int | None = await context.connection.fetchval(
                "SELECT last_turn($1, $2)", context.company_id, job.name
            )
            last[job.name] = due - SPACING_S if found is None else found
        last[job.name] = max(due, last[job.name] + SPACING_S)
        given.append(_on_scale(last[job.name]))
    return given


def _on_scale(turn: int) -> int:
    return max(0, min(turn, _LATEST))


async def are_under_way(connection: Connection, company_id: UUID, names: Sequence[str]) -> bool:
    """Whether jobs of a company by these names are due or being run. For the worker."""
    found: bool = await connection.fetchval(_UNDER_WAY, str(company_id), list(names))
    return found


async def others_wait(connection: Connection, company_id: UUID, name: str) -> bool:
    """Whether another company's job of the name is due and has found no worker that is free. For the worker."""
    waits: bool = await connection.fetchval(_OTHERS_WAIT, str(company_id), name)
    return waits
