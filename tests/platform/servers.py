"""Ends the tests of the embedded PostgreSQL hold their servers and processes by."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ledgerbee import embedded as postgres
from ledgerbee.embedded import Server, State


def end(folder: Path) -> None:
    with suppress(postgres.DataFolderError):
        pid = postgres.status(folder).pid
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
            wait_for(lambda: not is_up(folder))


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def psql(server: Server, *statements: str, **options: int) -> "subprocess.Popen[str]":
    command, environment = postgres.psql_command(server)
    arguments = [part for statement in statements for part in ("-c", statement)]
    return subprocess.Popen(
        [*command, "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments],
        env=environment,
        stdin=options.get("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def value(server: Server, *statements: str) -> str:
    """What the last statement says, as psql prints it."""
    said = psql(server, *statements).communicate(timeout=60)[0].splitlines()
    return said[-1] if said else ""


def python(body: str, data_dir: Path) -> "subprocess.Popen[str]":
    """Another process that runs `body`; it has `postgres` and `data_dir`, and says things with `print`."""
    head = (
        "import os, sys, time\nfrom pathlib import Path\nfrom ledgerbee import embedded as postgres\n"
        "data_dir = Path(sys.argv[1])\n"
    )
    command = [sys.executable, "-u", "-c", head + body, str(data_dir)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def is_up(data_dir: Path) -> bool:
    return postgres.status(data_dir).state is State.RUNNING
