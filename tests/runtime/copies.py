"""Has commands started by a process that has them loaded (`tests/runtime/starter.py`)."""

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.runtime.starter import HEADER

_FILE = Path(__file__).with_name("starter.py")


class Starter:
    """A process that starts commands; it ends with this one."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, _FILE, str(theirs.fileno())],
                env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            )  # fmt: skip
        self._lock = threading.Lock()
        atexit.register(self._end)

    def run(
        self, command: list[str], environment: dict[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of the program to its end, as `subprocess.run` does."""
        read = self._start(command, environment)
        try:
            (out, err, told), is_all = _read(read, time.monotonic() + timeout)
        finally:
            for descriptor in read:
                os.close(descriptor)
        pid, *status = map(int, told.split())
        if not is_all:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, timeout, out, err)
        texts = [part.decode().replace("\r\n", "\n") for part in (out, err)]
        return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status[0]), *texts)

    def _start(self, command: list[str], environment: dict[str, str]) -> list[int]:
        """Where its standard output, its standard error and what comes of it are read."""
        content = json.dumps({"arguments": command, "environment": environment, "folder": str(Path.cwd())}).encode()
        pipes = [os.pipe() for _ in range(3)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            with self._lock:
                given = [nothing, *(write for _, write in pipes)]
                socket.send_fds(self._requests, [HEADER.pack(len(content))], given)
                self._requests.sendall(content)
        finally:
            for descriptor in (nothing, *(write for _, write in pipes)):
                os.close(descriptor)
        return [read for read, _ in pipes]

    def _end(self) -> None:
        self._requests.close()
        self._process.wait()


def _read(descriptors: list[int], deadline: float) -> tuple[list[bytes], bool]:
    """What comes on each until the deadline, and whether that is all."""
    found = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if piece := os.read(key.fd, 65_536):
                    found[key.fd] += piece
                else:
                    selector.unregister(key.fd)
        return list(found.values()), not selector.get_map()
