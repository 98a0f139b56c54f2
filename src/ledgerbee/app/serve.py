"""`ledgerbee serve`: the API processes and the worker under one supervisor.

The supervisor binds the socket, starts the children, restarts one that dies, and on SIGTERM, SIGINT or SIGHUP lets
them finish what they have in hand. Children are in process groups of their own: a Ctrl-C reaches the supervisor only.
"""

import asyncio
import errno
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, Self

import structlog

from ledgerbee.app.process import KILLED_AFTER_S
from ledgerbee.app.signals import cancel_and_exit

#: How long a port may be taken by children of a killed `serve`, which are about to notice.
_PORT_TIMEOUT_S: Final = 2.0
#: A child that ran at least this long is started again at once; others after a pause that doubles up to the longest.
_HEALTHY_S: Final = 10.0
_MAX_PAUSE_S: Final = 30.0
#: Whether connections are dealt out among sockets on one address.
_HAS_REUSE_PORT_BALANCING: Final = sys.platform == "linux"
#: Seconds between looks at what is not announced by a signal.
_TICK_S: Final = 1.0

log = structlog.get_logger("ledgerbee.serve")


class StartFailedError(Exception):
    """A process ended before it did its work for the first time."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening TCP socket that children inherit. Raises `OSError` when the address can't be listened on.

    If it is to be `shared`, it is bound only, and sockets of `reuse_port_socket` can listen on its address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _PORT_TIMEOUT_S
    while True:
        try:
            with ExitStack() as stack:
                listener = stack.enter_context(_bound(family, (host, port)))
                listener.listen(1024)
                address = listener.getsockname()
                if not shared:
                    stack.pop_all()
                    return listener
            # It was free: among those who share an address nobody is asked whose they are.
            return _bound(family, address, shared=True)
        except UnicodeError:  # a name of the network that can't be one
            raise OSError(errno.EINVAL, f"Can't listen on {host} port {port}: it is no address") from None
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise OSError(fault.errno, f"Can't listen on {host} port {port}: {fault.strerror}") from None
            time.sleep(0.1)


def reuse_port_socket(address: socket.socket) -> socket.socket:
    """A socket for one of several processes to listen with on an address that is shared.

    Each process has its own, and the kernel deals the connections out among those who listen. Of one socket for all,
    the process that is awake takes every connection that waits: one did the work of eight clients, the others none.
    Where the kernel doesn't deal out it is the one for all.
    """
    return _bound(address.family, address.getsockname(), shared=True) if _HAS_REUSE_PORT_BALANCING else address.dup()


def _bound(family: int, address: tuple[Any, ...], *, shared: bool = False) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared and _HAS_REUSE_PORT_BALANCING:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


class StopSignals:
    """SIGTERM, SIGINT and SIGHUP for as long as it is entered.

    During the start they end the program in an orderly way, with status 0; once `note` was called they are counted,
    and `descriptor` becomes readable with each, and with the end of a child.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._noting = False
        self._reader, self._writer = socket.socketpair()
        self.stopping = False
        self.interrupts = 0

    @property
    def descriptor(self) -> int:
        """To wait on; `drain` makes it unreadable again."""
        return self._reader.fileno()

    def __enter__(self) -> Self:
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: it is not to be ended by a closing terminal
                self._before[number] = signal.signal(number, self._received)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._reader.close()
        self._writer.close()
        if kind is asyncio.CancelledError and self.stopping:
            raise SystemExit(0)

    def note(self) -> None:
        """From now on signals are noted, for a loop that looks at `stopping`."""
        self._noting = True

    def stop(self) -> None:
        """As a signal would, from any thread."""
        self.stopping = True
        self._writer.send(b"\0")

    def drain(self) -> None:
        """Forget what made `descriptor` readable."""
        try:
            while self._reader.recv(1024):
                pass
        except BlockingIOError:
            pass

    def _received(self, number: int, _: FrameType | None) -> None:
        first, self.stopping = not self.stopping, True
        self.interrupts += number == signal.SIGINT
        if first and not self._noting:
            cancel_and_exit(0)


@dataclass
class _Child:
    """A process to keep running. `process` is None while it waits to be started again."""

    name: str
    listens: bool
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    start_at: float = 0.0
    pause: float = 0.0

    def ended(self) -> int | None:
        """The status it ended with, once."""
        code = None if self.process is None else self.process.poll()
        if code is not None:
            self.process = None
            healthy = time.monotonic() - self.started > _HEALTHY_S
            self.start_at = time.monotonic() + (0.0 if healthy else self.pause)
            self.pause = 1.0 if healthy else min(2 * self.pause or 1.0, _MAX_PAUSE_S)
        return code


@dataclass
class Supervisor:
    """Runs `processes` API processes and a worker until it is told to stop.

    Several processes listen beside `listener`, which is bound to be `shared`; a single one takes it as it is.
    `on_ready` is called once, when all do their work; `on_tick` about once a second.
    """

    listener: socket.socket
    processes: int
    environment: dict[str, str]
    signals: StopSignals
    on_ready: Callable[[], None] = lambda: None
    on_tick: Callable[[], None] = lambda: None
    _children: list[_Child] = field(default_factory=list)
    _waiting_for: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Supervise until a signal says to stop; returns when every child has ended.

        Raises `StartFailedError` when one ends before all have been ready once.
        """
        self._children = [_Child(f"api-{number + 1}", listens=True) for number in range(self.processes)]
        self._children.append(_Child("worker", listens=False))
        self._waiting_for = {child.name for child in self._children}
        with ExitStack() as stack:
            lifeline = stack.enter_context(_pipe())
            ready = stack.enter_context(_pipe())
            os.set_blocking(ready.reader, False)
            metrics = tempfile.TemporaryDirectory(prefix="ledgerbee-metrics-", ignore_cleanup_errors=True)
            self.environment["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(metrics)
            stack.callback(self._end_children)
            stack.callback(self.listener.close)  # first of all: from then on connections are refused
            self.signals.note()
            with selectors.DefaultSelector() as selector:
                selector.register(self.signals.descriptor, selectors.EVENT_READ)
                selector.register(ready.reader, selectors.EVENT_READ)
                while not self.signals.stopping:
                    self._restart_ended(lifeline, ready)
                    self.on_tick()
                    selector.select(_TICK_S)
                    self.signals.drain()
                    self._read_ready(ready.reader)

    def _restart_ended(self, lifeline: "_Pipe", ready: "_Pipe") -> None:
        """Notice children that ended, and start those that are due."""
        for child in self._children:
            code = child.ended()
            if code is not None:
                log.error("process.ended", process=child.name, exit_code=code)
                if self._waiting_for:
                    raise StartFailedError(
                        f"The process {child.name} ended with status {code}: see its log lines above."
                    )
            if child.process is None and time.monotonic() >= child.start_at:
                self._start(child, lifeline, ready)

    def _start(self, child: _Child, lifeline: "_Pipe", ready: "_Pipe") -> None:
        kind = "api" if child.listens else "worker"
        with ExitStack() as stack:
            descriptors = [lifeline.reader, ready.writer]
            if child.listens:
                # Its own from now on: when it ends, nobody is left waiting for it.
                own = self.listener.dup() if self.processes == 1 else reuse_port_socket(self.listener)
                descriptors.append(stack.enter_context(own).fileno())
            child.process = subprocess.Popen(  # noqa: S603  our own module
                # -P: nothing is imported from the folder that somebody has happened to start it in.
                [sys.executable, "-P", "-m", "ledgerbee.app.child", kind, child.name, *map(str, descriptors)],
                pass_fds=descriptors,
                env=self.environment,
                process_group=0,
            )
        child.started = time.monotonic()
        log.info("process.started", process=child.name, pid=child.process.pid)

    def _read_ready(self, reader: int) -> None:
        try:
            said = os.read(reader, 4096).decode().split()
        except BlockingIOError:
            return
        if self._waiting_for:
            self._waiting_for -= set(said)
            if not self._waiting_for:
                self.on_ready()

    def _end_children(self) -> None:
        running = {child.name: child.process for child in self._children if child.process is not None}
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + KILLED_AFTER_S
        for name, process in running.items():
            while process.poll() is None:
                # A second Ctrl-C is someone who doesn't want to wait; nothing that was committed is lost.
                if time.monotonic() > deadline or self.signals.interrupts > 1:
                    log.warning("process.killed", process=name)
                    process.kill()
                    process.wait()
                else:
                    time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class _Pipe:
    reader: int
    writer: int


@contextmanager
def _pipe() -> Iterator[_Pipe]:
    pipe = _Pipe(*os.pipe())
    try:
        yield pipe
    finally:
        os.close(pipe.reader)
        os.close(pipe.writer)
