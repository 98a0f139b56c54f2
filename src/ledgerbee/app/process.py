"""The processes that `serve` starts: one API process or one worker, each with an event loop of its own.

They end by themselves when the supervisor is gone (the pipe it holds open closes), whatever ended it.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

import uvicorn
import uvloop

from ledgerbee.app import logs
from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.worker import Worker
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import Database
from ledgerbee.platform.mail import Mailer

#: Seconds that requests in flight get to finish when the process is told to stop.
GRACE_S: Final = 30


def application_login(settings: Settings) -> tuple[str, bool]:
    """The database address the application uses, and whether it has to switch to the application role."""
    if settings.database_app_url:
        return settings.database_app_url, False
    if settings.database_url:
        return settings.database_url, True
    raise SystemExit("No database: set DATABASE_URL, or start the embedded one with `ledgerbee serve`.")


def mailer(settings: Settings) -> Mailer:
    """The mailer that the settings describe."""
    return Mailer(settings.smtp_url, settings.mail_from)


def run_api(settings: Settings, listener: socket.socket, lifeline: int | None = None) -> None:
    """Serve HTTP on `listener` until SIGTERM, SIGINT or the end of the supervisor."""
    url, set_role = application_login(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(url, settings, set_role=set_role),
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=30,
        )
    )

    async def main() -> None:
        _watch(lifeline, lambda: setattr(server, "should_exit", True))
        await server.serve(sockets=[listener])

    uvloop.run(main())


def run_worker(settings: Settings, lifeline: int | None = None) -> None:
    """Run jobs until SIGTERM, SIGINT or the end of the supervisor."""

    async def main() -> None:
        url, set_role = application_login(settings)
        database = await Database.open(url, reactions=REACTIONS, max_size=settings.pool_size, set_role=set_role)
        worker = Worker(database, mailer(settings), system_clock)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        _watch(lifeline, worker.stop)
        try:
            await worker.run()
        finally:
            await database.close()

    uvloop.run(main())


def _watch(lifeline: int | None, stop: Callable[[], None]) -> None:
    """Call `stop` when the other end of the pipe `lifeline` closes."""
    if lifeline is None:
        return
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(lifeline)
        stop()

    os.set_blocking(lifeline, False)
    loop.add_reader(lifeline, ended)


def main() -> None:
    """`python -m ledgerbee.app.process api LISTENER_FD LIFELINE_FD` or `... worker LIFELINE_FD`."""
    settings = Settings()
    logs.configure(settings.log_level)
    match sys.argv[1:]:
        case ["api", listener, lifeline]:
            run_api(settings, socket.socket(fileno=int(listener)), int(lifeline))
        case ["worker", lifeline]:
            run_worker(settings, int(lifeline))
        case _:
            raise SystemExit(f"usage: {main.__doc__}")


if __name__ == "__main__":
    main()
