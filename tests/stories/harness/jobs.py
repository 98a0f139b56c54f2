"""The background jobs of one company, run in process by the clock of its story."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from tests.conftest import BLOBS, Api
from tests.post_office import PostOffice

from ledgerbee.app.jobs import jobs_with
from ledgerbee.app.worker import Worker
from ledgerbee.network.transport.model import NoTransport
from ledgerbee.payments.providers.model import Providers
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer

#: Who mails for every company: the operator's address.
SENDER: Final = "invoices@ledgerbee.example"

_QUEUED: Final = """
SELECT * FROM pgqueuer WHERE status = 'queued' AND convert_from(payload, 'UTF8')::json ->> 'companyId' = $1
ORDER BY priority DESC, id
"""


async def _at_once(_: JobRun) -> bool:
    """Wait for nobody: jobs are run one after the other."""
    return True


@dataclass
class Jobs:
    """Does what the worker does, with the worker's own kinds of jobs, but for this company only and never by itself.

    The queue counts pauses from the server's moment; here they are counted from the moment at which a job is first
    seen, by the story's clock.
    """

    api: Api
    office: PostOffice | None = None
    due: dict[int, datetime] = field(default_factory=dict)
    #: Who charges saved cards.
    providers: Providers = field(default_factory=dict)

    async def run(self) -> list[str]:
        """Run the jobs that are due, those too that they ask for, until none is left; the names of what was run.

        Raises what made the worker give a job up.
        """
        ran: list[str] = []
        while (job := await self._first_due()) is not None:
            await self._run(job)
            ran.append(job.entrypoint)
        return ran

    async def next_moment(self) -> datetime | None:
        """When the next waiting job is due; None if nothing waits."""
        await self._queued()
        return min(self.due.values(), default=None)

    async def _queued(self) -> list[Job]:
        async with self.api.database.connection() as connection:
            rows = await connection.fetch(_QUEUED, str(self.api.company_id))
        jobs = [Job.model_validate(dict(row)) for row in rows]
        now = self.api.clock()
        self.due = {job.id: self.due.get(job.id) or now + (job.execute_after - job.created) for job in jobs}
        return jobs

    async def _first_due(self) -> Job | None:
        now = self.api.clock()
        return next((job for job in await self._queued() if self.due[job.id] <= now), None)

    async def _run(self, job: Job) -> None:
        mailer = Mailer(self.office.url if self.office else None, SENDER)
        kinds = jobs_with(NoTransport(), self.providers, settle=_at_once)
        worker = Worker(self.api.database, mailer, BLOBS, self.api.clock, kinds)
        try:
            await worker.runs[job.entrypoint].run(job)
        except RetryRequested as retry:
            self.due[job.id] = self.api.clock() + retry.delay
            await self._execute("UPDATE pgqueuer SET attempts = attempts + 1 WHERE id = $1", job)
        except Exception:
            await self._execute("DELETE FROM pgqueuer WHERE id = $1", job)
            raise
        else:
            await self._execute("DELETE FROM pgqueuer WHERE id = $1", job)

    async def _execute(self, statement: str, job: Job) -> None:
        async with self.api.database.connection() as connection:
            await connection.execute(statement, job.id)
