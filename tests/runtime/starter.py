"""Starts commands of the program without loading it anew each time: `python starter.py SOCKET_FD`.

It has loaded what commands load, and each command is a copy of this process (`fork`) from then on: a process of its own
with its own arguments, environment, working directory and streams, which ends as every Python program does. That saves
0.6 seconds of a processor each time. Each command is started as an operator does first (`tests/runtime/processes.py`).

A request is four bytes with its length, four descriptors (the three standard streams, and a pipe for what comes of it)
and JSON: `arguments`, `environment`, `folder`. Two lines come back on the pipe: the process's number, and its status as
`wait` tells it.
"""

import contextlib
import gc
import importlib
import json
import os
import socket
import struct
import sys
from typing import Any, Final

#: What commands load when they run.
LOADED: Final = (
    "ledgerbee.app.cli.commands", "ledgerbee.app.cli.backups", "ledgerbee.app.cli.demonstration",
    "ledgerbee.app.cli.doctor_database", "ledgerbee.app.cli.serving", "ledgerbee.app.companies", "ledgerbee.app.verify",
    "ledgerbee.app.worker_process", "alembic.command", "alembic.runtime.environment",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio", "sqlparse",
)  # fmt: skip
HEADER: Final = struct.Struct("!I")


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Start what is asked for until nobody can ask any more: None. In the new process: the request, to carry it out."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(requests, HEADER.size, 4)
        _collect()
        if not header:
            return None
        content = b""
        while len(content) < HEADER.unpack(header)[0]:
            content += requests.recv(HEADER.unpack(header)[0] - len(content))
        if not os.fork():
            requests.close()
            _watch(descriptors[3])
            return _begin(json.loads(content), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _collect() -> None:
    """Take note of the processes that have ended, and of the time they took."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _watch(told: int) -> None:
    """Go on as a new process, beside one that waits for its end and tells how it was."""
    if pid := os.fork():
        os.write(told, b"%d\n" % pid)
        os.write(told, b"%d\n" % os.waitpid(pid, 0)[1])
        os._exit(0)


def _begin(request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Have the streams, the environment and the folder of the request."""
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    for name, mode, buffering in (("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1)):  # as Python begins
        old = getattr(sys, f"__{name}__")
        new = open(old.fileno(), mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    return request


if __name__ == "__main__":
    sys.path[0] = os.path.dirname(sys.executable)  # noqa: PTH120  as for the program itself
    for module in LOADED:
        importlib.import_module(module)
    gc.freeze()
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is not None:
        from ledgerbee.app.cli.commands import main

        sys.argv = asked["arguments"]
        main()
