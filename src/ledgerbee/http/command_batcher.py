"""Commands of one company that come at the same time share a transaction (group commit).

What many callers do to one company queues for the company's hot row and pays a commit each. Here the commands that
come in while one transaction is under way share the next: one load, one posting, one commit, and everyone their own
answer or their own error. Alone, a command runs at once and nothing waits for company.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Response

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.idempotency import Reservation, answer_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import (
    DATABASE_UNAVAILABLE,
    STORAGE_FULL,
    TOO_MUCH_CONTENTION,
    Database,
    KeyInUseError,
    Tenant,
)
from ledgerbee.platform.shares import CONNECTIONS_EXHAUSTED

C = TypeVar("C")
R = TypeVar("R")

#: Carries out commands in one transaction: a context for each, an outcome for each, in order.
Work = Callable[[Sequence[Context], Sequence[C]], Awaitable[Sequence[R | LedgerBeeError]]]

#: Commands that share a transaction at most.
MAX_BATCH: Final = 100
#: What their sizes sum up to at most: one that is as big has a transaction of its own.
MAX_BATCH_SIZE: Final = 10_000
#: Commands that wait at most. Beyond that more come than can be carried out, and each of them takes up memory.
MAX_WAITING: Final = 20 * MAX_BATCH


@dataclass(slots=True)
class _Command(Generic[C, R]):
    tenant: Tenant
    reservation: Reservation | None
    now: datetime
    command: C
    render: Callable[[R], Response]
    size: int
    answer: "asyncio.Future[Response]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class CommandBatcher:
    """The queues of one process: one for each company and kind of command."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: dict[tuple[UUID, Work[Any, Any]], list[_Command[Any, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(
        self,
        tenant: Tenant,
        reservation: Reservation | None,
        now: datetime,
        work: Work[C, R],
        command: C,
        render: Callable[[R], Response],
        size: int = 1,
    ) -> Response:
        """Carry out `command` by `work`, with others if there are any, and answer after the commit.

        `size` is how much there is to do, beside 1 for the smallest commands.

        Raises the command's own error, or what `Database.run` raises; `TOO_MUCH_CONTENTION` where too many wait.
        """
        waiting = _Command(tenant, reservation, now, command, render, size)
        queue_key = (tenant.company_id, work)
        queue = self._queues.get(queue_key)
        if queue is not None:
            if len(queue) >= MAX_WAITING:
                raise TOO_MUCH_CONTENTION.error()
            queue.append(waiting)
        else:
            self._queues[queue_key] = [waiting]
            task = asyncio.get_running_loop().create_task(self._drain(queue_key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.answer

    async def _drain(self, queue_key: tuple[UUID, Work[Any, Any]]) -> None:
        """Until nobody waits: take those who do, and carry them out."""
        queue = self._queues[queue_key]
        try:
            while queue:
                await self._run_batch(queue_key[1], _reject_duplicate_keys(_next_batch(queue)))
        finally:
            # In one step with the last look at the queue: whoever comes now starts a new one.
            del self._queues[queue_key]

    async def _run_batch(self, work: Work[Any, Any], commands: Sequence[_Command[Any, Any]]) -> None:
        commands = _still_waiting(commands)
        if not commands:
            return
        try:
            answers = await self._database.run_batch(
                [command.tenant for command in commands],
                max(command.now for command in commands),
                lambda contexts: _run_commands(work, contexts, commands),
                [command.reservation.key for command in commands if command.reservation],
            )
        except Exception as fault:  # noqa: BLE001  handed to the one whose it is
            if len(commands) == 1 or _is_shared_failure(fault):
                for command in commands:
                    _resolve(command, fault)
                return
            # One of them can't go with the others: halves, until it is alone.
            middle = len(commands) // 2
            await self._run_batch(work, commands[:middle])
            await self._run_batch(work, commands[middle:])
        else:
            for command, answer in zip(commands, answers, strict=True):
                _resolve(command, answer)


#: A store of attached files that lets one command down is not among them.
_SHARED_FAILURES: Final = frozenset({DATABASE_UNAVAILABLE, TOO_MUCH_CONTENTION, CONNECTIONS_EXHAUSTED, STORAGE_FULL})


def _is_shared_failure(fault: Exception) -> bool:
    """Whether a fault is of the database and no command's.

    What was lost may have been the answer to the COMMIT: carried out again, a command without an idempotency key would
    be done twice.
    """
    return isinstance(fault, LedgerBeeError) and fault.error_code in _SHARED_FAILURES


async def _run_commands(
    work: Work[Any, Any], contexts: Sequence[Context], commands: Sequence[_Command[Any, Any]]
) -> list[Response | LedgerBeeError]:
    answers: list[Response | LedgerBeeError] = []
    outcomes = await work(contexts, [command.command for command in commands])
    for context, command, outcome in zip(contexts, commands, outcomes, strict=True):
        if isinstance(outcome, LedgerBeeError):
            answers.append(outcome)
            continue
        response = command.render(outcome)
        if command.reservation is not None:
            context.answer = answer_of(command.reservation, response)
        answers.append(response)
    return answers


def _next_batch(queue: list[_Command[Any, Any]]) -> list[_Command[Any, Any]]:
    """Takes the first off the queue: as many as fit into one transaction, one at least."""
    count = size = 0
    for command in queue[:MAX_BATCH]:
        size += command.size
        if count and size > MAX_BATCH_SIZE:
            break
        count += 1
    taken, queue[:] = queue[:count], queue[count:]
    return taken


def _still_waiting(commands: Sequence[_Command[Any, Any]]) -> list[_Command[Any, Any]]:
    """Those whose caller has not gone meanwhile."""
    return [command for command in commands if not command.answer.done()]


def _reject_duplicate_keys(commands: Sequence[_Command[Any, Any]]) -> list[_Command[Any, Any]]:
    """The commands but for those whose idempotency key is another's here: they would hold it together."""
    first: dict[str, _Command[Any, Any]] = {}
    kept = []
    for command in _still_waiting(commands):
        if command.reservation is not None and first.setdefault(command.reservation.key, command) is not command:
            _resolve(command, KeyInUseError())
        else:
            kept.append(command)
    return kept


def _resolve(command: _Command[Any, Any], outcome: Response | Exception) -> None:
    if command.answer.done():  # cancelled: the client has gone
        return
    if isinstance(outcome, Response):
        command.answer.set_result(outcome)
    else:
        command.answer.set_exception(outcome)
