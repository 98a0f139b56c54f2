"""Subprocesses that end with the process that started them, even if that was killed. See `tethered.py`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_PROGRAM: Final = Path(__file__).with_name("tethered.py")


def run(
    command: Sequence[str | Path], *, stdin: str | IO[bytes] = "", environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, in a process group of its own. What it said is in the result.

    With all that it started it is ended when this process is killed, and when an exception (a Ctrl-C) leaves this
    function. `stdin` is a text for it or an open file.

    Raises:
        subprocess.CalledProcessError: its status is not 0.
    """
    text = stdin if isinstance(stdin, str) else None
    with (
        _tethered(command) as (argv, lifeline),
        subprocess.Popen(  # noqa: S603 - argv is ours, no shell reads it
            argv,
            stdin=subprocess.PIPE if isinstance(stdin, str) else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            pass_fds=[lifeline.reader],
            process_group=0,
        ) as process,
    ):
        try:
            out, errors = process.communicate(text)
        finally:
            lifeline.cut()
    done = subprocess.CompletedProcess(list(map(str, command)), process.returncode, out, errors)
    done.check_returncode()
    return done


def run_in_foreground(command: Sequence[str | Path], *, environment: Mapping[str, str]) -> int:
    """Run a program for the person at the terminal, in their process group; its status. It ends with this process.

    A Ctrl-C is the program's meanwhile. For the main thread.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with _tethered(command) as (argv, lifeline):
            process = subprocess.Popen(argv, env=environment, pass_fds=[lifeline.reader])  # noqa: S603
            try:
                return process.wait()
            finally:
                lifeline.cut()
                process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


class _Lifeline:
    """A pipe of which this process alone has the one end, until it is cut."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        self._is_cut = False

    def cut(self) -> None:
        """End the program."""
        if not self._is_cut:
            self._is_cut = True
            os.close(self._writer)


@contextmanager
def _tethered(command: Sequence[str | Path]) -> Iterator[tuple[list[str], _Lifeline]]:
    """The command line that runs a program on a lifeline, which is cut at the end of the block."""
    lifeline = _Lifeline()
    try:
        # Isolated and without packages: it starts in a moment, and the environment does not say what it imports.
        yield [sys.executable, "-I", "-S", str(_PROGRAM), str(lifeline.reader), *map(str, command)], lifeline
    finally:
        lifeline.cut()
        os.close(lifeline.reader)
