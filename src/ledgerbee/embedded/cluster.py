"""The life of the embedded server: start, attach, share, stop; and recovery after anyone was killed.

A server of ours inherits an open, locked file (`locks/server`), and so does each of its backends. The kernel unlocks it
when the last of them is gone. That answers two questions for which process numbers are too weak: whether a server
lives, and whether a killed one is gone entirely, so that the next may start without two writing to the same files.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from ledgerbee.core.dates import system_clock
from ledgerbee.embedded import server_log
from ledgerbee.embedded.accounts import open_own, run_as
from ledgerbee.embedded.binaries import Binaries
from ledgerbee.embedded.errors import AlreadyServing, StartError, StopError
from ledgerbee.embedded.folder import PORT, DataFolder, cluster_path, prepare
from ledgerbee.embedded.initialise import cluster_version, ensure_cluster
from ledgerbee.embedded.locks import (
    POLL_SECONDS,
    exclusive,
    open_lock,
    read_note,
    try_exclusive,
    try_shared,
    write_note,
)
from ledgerbee.embedded.server import PID_FILE, PidFile, Server, answering, clear_socket
from ledgerbee.embedded.settings import command_line, write_conf

# Recovery after a power cut replays the log first; a shutdown writes what is in memory.
START_SECONDS = 300.0
STOP_SECONDS = 120.0
# The same for whoever leaves because something went wrong: a server that has no room on its disk ends in no time.
FAULT_STOP_SECONDS = 5.0
# What an immediate shutdown gets, and then the kernel, to end every process.
QUIT_SECONDS = 10.0
KILL_SECONDS = 10.0
# `status` looks at the lock for a moment; a `serve` keeps it.
SERVE_SECONDS = 0.2
# What PostgreSQL says when backends of a killed server, one that was started by hand, are still there.
LEFTOVERS = "is still in use"
LEFTOVER_SECONDS = 30.0
# A server that panics starts again by itself; one that has done so this often (a full disk) will not come up.
PANICS_OF_A_FAILED_START = 3
LOOK_FOR_PANICS_SECONDS = 1.0
SET_ASIDE = f"{PID_FILE}.stale"


class Keep(StrEnum):
    """How long a server stays up: the note in the users' lock file."""

    WHILE_USED = "while-used"
    UNTIL_STOPPED = "until-stopped"


class State(StrEnum):
    """What is in a data folder."""

    ABSENT = "absent"
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True)
class Status:
    """What is in a data folder, for people to read."""

    state: State
    version: str | None
    """PostgreSQL's major version that made the data; None when absent."""
    size: int
    """Bytes on disk, logs included."""
    pid: int | None
    """The server's process, when running."""
    serving: int | None
    """The process number of the `serve` on this folder, when there is one."""


def ensure_running(data_dir: Path) -> Server:
    """The server of the data folder: made when there is none, started when stopped, attached to when it runs.

    It then runs until `stop`, whoever else uses it meanwhile. Processes may call this at the same time.

    Raises:
        DataFolderError, BinariesError, StartError: see there.
    """
    folder = prepare(data_dir)
    with exclusive(folder.start_lock) as start_lock:
        server = _bring_up(folder, start_lock, Keep.UNTIL_STOPPED)
        _set_keep(folder, Keep.UNTIL_STOPPED)
        return server


@contextmanager
def running(data_dir: Path, *, patience: float = START_SECONDS) -> Iterator[Server]:
    """Use the server of the data folder: started when stopped, and stopped when its last user leaves.

    A user that is killed counts as gone. One that `ensure_running` (or somebody by hand) started stays up. A server
    that starts has `patience` seconds for it.

    Raises:
        DataFolderError, BinariesError, StartError: on entry.
        StopError: on leaving.
    """
    folder = prepare(data_dir)
    server: Server | None = None
    stop_seconds = FAULT_STOP_SECONDS
    use = open_lock(folder.users_lock)
    try:
        with exclusive(folder.start_lock) as start_lock:
            try_shared(use)  # nobody holds it alone without the start lock
            try:
                server = _bring_up(folder, start_lock, Keep.WHILE_USED, patience)
            except BaseException:  # a Ctrl-C too: what is coming up, and what never comes up, goes down again
                _leave(folder, use, FAULT_STOP_SECONDS)
                raise
        yield server
        stop_seconds = STOP_SECONDS
    finally:
        try:
            if server is not None:
                with exclusive(folder.start_lock):
                    _leave(folder, use, stop_seconds)
        finally:
            os.close(use)


def stop(server: Server) -> None:
    """Shut the server down and wait for it: open transactions are rolled back, committed ones are on disk.

    Others who use it lose their connections. One that is down already is left so.

    Raises:
        StopError: it is not this account's to stop, or it did not end in time.
    """
    folder = prepare(server.data_dir)
    with exclusive(folder.start_lock):
        _shut_down(folder, STOP_SECONDS)


def status(data_dir: Path) -> Status:
    """What is in the data folder. Nothing is made, started or changed."""
    path = data_dir.expanduser().resolve()
    cluster = cluster_path(path)
    version = cluster_version(cluster)
    if version is None:
        return Status(State.ABSENT, None, 0, None, None)
    found = answering(cluster)
    return Status(
        state=State.RUNNING if found else State.STOPPED,
        version=str(version),
        size=sum(_size(Path(folder) / name) for folder, _folders, names in os.walk(cluster) for name in names),
        pid=found.pid if found else None,
        serving=_serving(path),
    )


def serving_address(data_dir: Path) -> str | None:
    """Where the `serve` of the data folder is reached; None where none runs, or it isn't ready."""
    return _serve_note(data_dir.expanduser().resolve()).partition(" ")[2] or None


def is_up(data_dir: Path) -> bool:
    """Whether the server of the data folder answers: what `status` says of it, without measuring the data."""
    return answering(cluster_path(data_dir.expanduser().resolve())) is not None


@contextmanager
def serve_lock(data_dir: Path) -> Iterator[Callable[[str], None]]:
    """Be the one `serve` of the data folder for the length of the block.

    Gives what tells commands the address at which it is reached (`serving_address`).

    Raises:
        AlreadyServing: another one is.
    """
    folder = prepare(data_dir)
    descriptor = open_lock(folder.serve_lock)
    try:
        deadline = time.monotonic() + SERVE_SECONDS
        while not (held := try_exclusive(descriptor)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if not held:
            raise AlreadyServing(folder.path, _pid_of(read_note(descriptor)))
        write_note(descriptor, str(os.getpid()))
        yield lambda address: write_note(descriptor, f"{os.getpid()} {address}")
    finally:
        os.close(descriptor)


def _bring_up(folder: DataFolder, start_lock: int, keep: Keep, patience: float = START_SECONDS) -> Server:
    """The ready server; started, with `keep`, when none lives. The caller holds the start lock."""
    binaries = ensure_cluster(folder, start_lock)
    socket_dir = folder.socket_dir()
    since = system_clock()
    deadline = time.monotonic() + patience
    leftovers_deadline = time.monotonic() + LEFTOVER_SECONDS
    started = False
    while True:
        found, ours = _await_settled(folder, deadline, since)
        if found:
            (folder.cluster / SET_ASIDE).unlink(missing_ok=True)
            if not ours and not started:
                _set_keep(folder, Keep.UNTIL_STOPPED)
            return Server(folder.path, found.socket_dir, found.port, binaries.bin_dir, found.pid)
        if started:
            _put_back(folder.cluster)
            if LEFTOVERS not in server_log.read_end(folder.startup_log) or time.monotonic() > leftovers_deadline:
                raise StartError(f"PostgreSQL did not start in {folder.path}. Its log says:\n{server_log.tail(folder)}")
            time.sleep(POLL_SECONDS * 10)
        _set_keep(folder, keep)
        _start(folder, binaries, socket_dir)
        started = True


def _await_settled(folder: DataFolder, deadline: float, since: datetime) -> tuple[PidFile | None, bool]:
    """Wait until the server takes connections, or until no process of it is left (None).

    Meanwhile it may be starting, going down, or dead with backends that end when they notice. The second value says
    whether it holds our lock; one that was started by hand does not.

    Raises:
        StartError: it was neither at the deadline, or has broken down again and again `since` then.
    """
    next_look = time.monotonic() + LOOK_FOR_PANICS_SECONDS
    lock = open_lock(folder.server_lock)
    try:
        while True:
            ours = not try_exclusive(lock)
            found = answering(folder.cluster)
            if found is None and not ours:
                return None, False
            if found and found.ready:
                return found, ours
            if time.monotonic() > deadline:
                raise StartError(
                    f"Processes of PostgreSQL hold {folder.cluster} and neither answer nor end. Look what they do "
                    f"(ps -ef | grep postgres), end them, and try again. The log says:\n{server_log.tail(folder)}"
                )
            if time.monotonic() > next_look:
                if len(server_log.panics(folder, since)) >= PANICS_OF_A_FAILED_START:
                    raise StartError(
                        f"PostgreSQL breaks down again and again while it starts in {folder.path}. Its log says:\n"
                        f"{server_log.tail(folder)}"
                    )
                next_look = time.monotonic() + LOOK_FOR_PANICS_SECONDS
            time.sleep(POLL_SECONDS)
    finally:
        os.close(lock)


def _start(folder: DataFolder, binaries: Binaries, socket_dir: Path) -> None:
    """Start the server without waiting for it. The caller holds the start lock and knows that none lives.

    A leftover pid file is set aside: its number may belong to another process by now (in a container it usually does),
    which PostgreSQL would take for a running server. What it checks besides, shared memory that processes of the same
    cluster are attached to, remains; where that shows a server that was started by hand and that we can't see, its
    file is put back.

    The shell between us ends at once: the server is no child of ours, outlives us, and leaves no zombie to us. In a
    session of its own it is not reached by a Ctrl-C that is meant for us.
    """
    with suppress(FileNotFoundError):
        (folder.cluster / PID_FILE).rename(folder.cluster / SET_ASIDE)
    clear_socket(socket_dir, PORT)
    write_conf(folder.cluster, folder.account)
    server: list[str | Path] = [binaries.bin_dir / "postgres", "-D", folder.cluster, *command_line(socket_dir)]
    lock = open_lock(folder.server_lock)
    deadline = time.monotonic() + LEFTOVER_SECONDS
    try:
        while not try_exclusive(lock):  # of one that was looking, and lets go in a moment
            if time.monotonic() > deadline:
                raise StartError(f"Somebody holds {folder.server_lock}. See what it does, or end it.")
            time.sleep(POLL_SECONDS)
        with os.fdopen(open_own(folder.startup_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as log:
            run_as(folder.account, ["/bin/sh", "-c", '"$@" &', "sh", *server], output=log, keep_open=[lock])
    finally:
        os.close(lock)  # without unlocking: the server holds the same open file


def _leave(folder: DataFolder, use: int, stop_seconds: float) -> None:
    """Stop the server if its last user goes. The caller holds the start lock."""
    if try_exclusive(use) and read_note(use) == Keep.WHILE_USED:
        _shut_down(folder, stop_seconds)


def _put_back(cluster: Path) -> None:
    aside = cluster / SET_ASIDE
    if aside.exists() and not (cluster / PID_FILE).exists():
        aside.rename(cluster / PID_FILE)


def _shut_down(folder: DataFolder, seconds: float) -> None:
    """A fast shutdown; one that does not end in `seconds` is made an immediate one, and then the process is killed.

    A fast shutdown waits for whatever the server is at: replaying its log after a crash can hold it up for ever. The
    harder ways lose nothing that was committed: the next start replays the log. Who is told to stop once more while
    this waits goes on to them at once, and leaves no server behind. The caller holds the start lock.
    """
    lock = open_lock(folder.server_lock)
    try:
        try:
            has_ended = _has_ended(folder, lock, signal.SIGINT, seconds)
        except BaseException as fault:
            if not isinstance(fault, Exception):
                _end_hard(folder, lock)
            raise
        if not has_ended and not _end_hard(folder, lock):
            raise StopError(
                f"The server in {folder.path} was told to shut down, was killed, and processes of it have not ended. "
                f"Look what they do (ps -ef | grep postgres). Its log says:\n{server_log.tail(folder)}"
            )
    finally:
        os.close(lock)


def _end_hard(folder: DataFolder, lock: int) -> bool:
    """An immediate shutdown, and then the kernel's: whether the server has ended."""
    return any(
        _has_ended(folder, lock, way, seconds)
        for way, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, KILL_SECONDS))
    )


def _has_ended(folder: DataFolder, lock: int, way: signal.Signals, seconds: float) -> bool:
    """Signal the server once, as soon as it answers, and wait for its end; False when it took longer than that."""
    deadline = time.monotonic() + seconds
    signalled: int | None = None
    while not try_exclusive(lock) or answering(folder.cluster):
        found = answering(folder.cluster)
        if found is not None and signalled is None:
            signalled = found.pid
            _signal(folder, signalled, way)
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    if signalled is not None:
        with suppress(ChildProcessError):  # where we are a container's first process, it is ours to collect
            os.waitpid(signalled, os.WNOHANG)
    return True


def _signal(folder: DataFolder, pid: int, way: signal.Signals) -> None:
    try:
        os.kill(pid, way)
    except ProcessLookupError:
        pass  # gone in the meantime
    except PermissionError as error:
        raise StopError(f"The server in {folder.path} (process {pid}) is not this account's to stop.") from error


def _set_keep(folder: DataFolder, keep: Keep) -> None:
    descriptor = open_lock(folder.users_lock)
    try:
        write_note(descriptor, keep)
    finally:
        os.close(descriptor)


def _serving(path: Path) -> int | None:
    return _pid_of(_serve_note(path))


def _serve_note(path: Path) -> str:
    """What the `serve` that runs says of itself, its process id and its address; empty where none runs."""
    try:
        descriptor = os.open(path / "locks" / "serve", os.O_RDONLY)
    except OSError:
        return ""
    try:
        note = read_note(descriptor)
        return "" if try_shared(descriptor) else note
    finally:
        os.close(descriptor)


def _pid_of(note: str) -> int | None:
    pid = note.partition(" ")[0]
    return int(pid) if pid.isdecimal() else None


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # the server removes files while we look
        return 0
