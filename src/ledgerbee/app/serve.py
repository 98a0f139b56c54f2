"""`ledgerbee serve`: the database, the API processes and the worker under one supervisor.

The supervisor binds the socket, starts the children, restarts one that dies, and on SIGTERM or SIGINT lets them
finish what they have in hand before the embedded database goes down.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from ledgerbee.app.process import GRACE_S

#: A child that dies sooner than this after its start is not started again at once.
_RESTART_PAUSE_S: Final = 2.0

log = structlog.get_logger("ledgerbee.serve")


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket that children inherit. Raises `OSError` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    listener.set_inheritable(True)
    return listener


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...]
    process: "subprocess.Popen[bytes]"
    started: float


@dataclass
class Supervisor:
    """Runs `processes` API processes and a worker on `listener` until it is told to stop."""

    listener: socket.socket
    processes: int
    environment: dict[str, str]
    on_ready: Callable[[], None] = lambda: None
    _children: list[_Child] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT; returns when every child has ended."""
        with ExitStack() as stack:
            lifeline, held = os.pipe()
            stack.callback(os.close, held)
            stack.callback(os.close, lifeline)
            metrics = stack.enter_context(tempfile.TemporaryDirectory(prefix="ledgerbee-metrics-"))
            self.environment["PROMETHEUS_MULTIPROC_DIR"] = metrics
            stack.enter_context(_signals(self._stop))
            stack.callback(self._end_children)
            socket_fd = self.listener.fileno()
            for number in range(self.processes):
                self._start(f"api-{number + 1}", ["api", str(socket_fd), str(lifeline)], (socket_fd, lifeline))
            self._start("worker", ["worker", str(lifeline)], (lifeline,))
            self.on_ready()
            while not self._stop.wait(0.2):
                self._restart_dead()

    def _start(self, name: str, arguments: Sequence[str], descriptors: tuple[int, ...]) -> None:
        command = [sys.executable, "-m", "ledgerbee.app.process", *arguments]
        process = subprocess.Popen(command, pass_fds=descriptors, env=self.environment)  # noqa: S603  our own module
        self._children.append(_Child(name, arguments, descriptors, process, time.monotonic()))

    def _restart_dead(self) -> None:
        for child in list(self._children):
            code = child.process.poll()
            if code is None:
                continue
            log.error("process.ended", process=child.name, exit_code=code)
            self._children.remove(child)
            if time.monotonic() - child.started < _RESTART_PAUSE_S and self._stop.wait(_RESTART_PAUSE_S):
                return
            self._start(child.name, child.command, child.descriptors)

    def _end_children(self) -> None:
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S + 5
        for child in self._children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process.killed", process=child.name)
                child.process.kill()
                child.process.wait()


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
