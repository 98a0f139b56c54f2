"""The worker as a process, alone or under `serve` (arguments: NAME LIFELINE_FD READY_FD, see `child.py`).

It ends when the database is lost, and whoever started it starts it again: what it had in hand is run by the next.
"""

import asyncio
import signal
from contextlib import suppress
from typing import Any

import uvloop

from ledgerbee.app.blobs import blob_store
from ledgerbee.app.config import Settings
from ledgerbee.app.e_invoices import transport_of
from ledgerbee.app.jobs import jobs_with
from ledgerbee.app.payment_providers import providers_with
from ledgerbee.app.process import GRACE_S, Pipes, child_arguments, database_login, freeze_gc
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.secret_keys import secret_box
from ledgerbee.app.worker import POOL_SIZE, Worker
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import WORKER_ROLE, Database
from ledgerbee.platform.mail import Mailer
from ledgerbee.platform.pool import LONG_LOCK_TIMEOUT
from ledgerbee.sales.rendering import pool as rendering
from ledgerbee.tenancy.rates.feed import Feed
from ledgerbee.webhooks import targets
from ledgerbee.webhooks.sending.dispatcher import Dispatcher
from ledgerbee.webhooks.sending.sender import Sender


def run_worker(settings: Settings, pipes: Pipes | None = None, **options: Any) -> None:
    """Run jobs until SIGTERM, SIGINT or the end of the supervisor. `options` are those of `Worker`."""
    uvloop.run(_work(settings, pipes, options))


async def _work(settings: Settings, pipes: Pipes | None, options: dict[str, Any]) -> None:
    url, switches = database_login(settings, settings.database_worker_url)
    rendering.use_fonts(settings.fonts_dir)
    targets.allow_loopback(bool(settings.webhooks_allow_loopback))
    role = WORKER_ROLE if switches else None
    database = await Database.open(
        url,
        reactions=REACTIONS,
        max_size=POOL_SIZE,
        role=role,
        lock_timeout=LONG_LOCK_TIMEOUT,
        cell=settings.cell,
    )
    database.public_url, database.secrets = settings.public_url, secret_box(settings)
    try:
        mailer = Mailer(settings.smtp_url, settings.mail_from, settings.mail_bounce_domain)
        own: dict[str, Any] = {
            "jobs": jobs_with(transport_of(settings), providers_with(database, settings)),
            "feed": _feed(settings),
        }
        worker = Worker(database, mailer, blob_store(settings), system_clock, **(own | options))
        sender = Sender()
        dispatcher = Dispatcher(database, sender, system_clock, secret_box(settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)  # which stops the dispatcher too
        if pipes is not None:
            pipes.watch(worker.stop)
            pipes.signal_ready()
        freeze_gc()
        await _run_together(worker, dispatcher)
        await sender.close()
    except BaseException:
        database.pool.terminate()  # connections that went down with the worker may never come back to the pool
        raise
    finally:
        rendering.close()
    await database.close()


async def _run_together(worker: Worker, dispatcher: Dispatcher) -> None:
    """Run jobs and send webhooks until the worker is stopped. Raises what ended either of them otherwise."""

    async def send() -> None:
        try:
            await dispatcher.run()
        finally:
            worker.stop()  # whoever started it starts it again

    sending = asyncio.create_task(send())
    try:
        await worker.run()
    finally:
        dispatcher.stop()
        with suppress(TimeoutError):  # what is under way then is sent again, under the same ids
            async with asyncio.timeout(GRACE_S):
                await sending


def _feed(settings: Settings) -> Feed | None:
    """Where new exchange rates come from, if they are to come by themselves; adding them takes the owner's login."""
    wanted = settings.rates_fetch and settings.database_url
    return Feed(wanted, settings.rates_url) if wanted else None


def main() -> None:
    """Be the process that the arguments say."""
    settings, pipes, _ = child_arguments()
    run_worker(settings, pipes)
