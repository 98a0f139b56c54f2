"""An API process of `serve`. Its arguments: NAME LIFELINE_FD READY_FD LISTENER_FD (see `child.py`)."""

import resource
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import Any, cast

import uvicorn
import uvloop

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.process import GRACE_S, Pipes, child_arguments, database_login, freeze_gc
from ledgerbee.core.fields import fields_of
from ledgerbee.http.connection_limits import ConnectionLimiter, Limits
from ledgerbee.http.protocol import HttpProtocol

#: Seconds after which the thread that decodes large bodies lets the event loop go on; Python's own are five times that.
_SWITCH_S = 0.001
#: File descriptors that an API process may need beside its connections'.
_OTHER_DESCRIPTORS = 300


class _Server(uvicorn.Server):
    """uvicorn, with a word to the supervisor once requests are answered."""

    def __init__(self, config: uvicorn.Config, pipes: Pipes) -> None:
        super().__init__(config)
        self._pipes = pipes

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        freeze_gc()
        self._pipes.watch(self._stop)
        self._pipes.signal_ready()

    def _stop(self) -> None:
        self.should_exit = True


def run_api(settings: Settings, pipes: Pipes, listener: socket.socket) -> None:
    """Serve HTTP on `listener` until SIGTERM, SIGINT or the end of the supervisor; requests in flight finish."""
    sys.setswitchinterval(_SWITCH_S)
    url, set_role = database_login(settings, settings.database_app_url)
    limits = Limits(**fields_of(settings, Limits))
    limits = replace(limits, max_connections=_with_descriptors(limits.max_connections))
    config = uvicorn.Config(
        create_app(url, settings, set_role=set_role),
        lifespan="on",
        http=cast("Any", partial(HttpProtocol, ConnectionLimiter(limits))),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=settings.keep_alive,
    )
    uvloop.run(_Server(config, pipes).serve(sockets=[listener]))


def _with_descriptors(connections: int) -> int:
    """As many connections as there are file descriptors for, beside those of the database and of files.

    The soft limit is often 1,024, from the days of select(); it is raised as far as the hard one lets us.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(10, min(connections, soft - _OTHER_DESCRIPTORS))


def main() -> None:
    """Be the process that the arguments say."""
    settings, pipes, (descriptor,) = child_arguments()
    run_api(settings, pipes, socket.socket(fileno=descriptor))
