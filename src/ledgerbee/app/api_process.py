"""An API process of `serve`: `python -m ledgerbee.app.api_process NAME LIFELINE_FD READY_FD LISTENER_FD`."""

import socket

import uvicorn
import uvloop

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.process import GRACE_S, Pipes, application_login, begin, settle


class _Server(uvicorn.Server):
    """uvicorn, with a word to the supervisor once requests are answered."""

    def __init__(self, config: uvicorn.Config, pipes: Pipes) -> None:
        super().__init__(config)
        self._pipes = pipes

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        self._pipes.watch(self._stop)
        self._pipes.tell_ready()

    def _stop(self) -> None:
        self.should_exit = True


def run_api(settings: Settings, pipes: Pipes, listener: socket.socket) -> None:
    """Serve HTTP on `listener` until SIGTERM, SIGINT or the end of the supervisor; requests in flight finish."""
    url, set_role = application_login(settings)
    config = uvicorn.Config(
        create_app(url, settings, set_role=set_role),
        lifespan="on",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
    )
    uvloop.run(_Server(config, pipes).serve(sockets=[listener]))


if __name__ == "__main__":
    _settings, _pipes, (_descriptor,) = begin()
    run_api(_settings, _pipes, socket.socket(fileno=_descriptor))
