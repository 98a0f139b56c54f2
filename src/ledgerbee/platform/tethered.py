"""Runs a program that ends with whoever wants it: `tether.run` starts this file, by its path, with nothing imported.

    python -I -S tethered.py LIFELINE_FD PROGRAM [ARGUMENT]...

The lifeline is a pipe whose other end only that process has open: the kernel closes it, however the process ended. Then
the program is asked to end (those of PostgreSQL cancel what the server does for them), and killed soon after. What it
started itself goes with it where this process leads a group of its own. It is the same on every Unix; the death
signal of Linux reaches no grandchildren, and comes with the end of the thread that started the program.
"""

import os
import signal
import subprocess
import sys
import threading
import time

#: Seconds that the program has to end when it was asked to; and those it started, once it has ended.
_GRACE_S = 5.0
_REST_S = 0.5
#: Status of a program that can't be started, as shells have it.
_NOT_STARTED = 126


def main(lifeline: int, command: list[str]) -> int:
    """Run the program to its end; its exit status."""
    # A handler, not SIG_IGN, which the program would inherit: signals to the group are for the program.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        program = subprocess.Popen(command)  # noqa: S603  the caller's own
    except OSError as fault:
        sys.stderr.write(f"error: {command[0]}: {fault.strerror}\n")
        return _NOT_STARTED
    ended, is_alone = threading.Event(), threading.Event()
    leads = os.getpgrp() == os.getpid()

    def send(number: int) -> None:
        if leads:
            os.killpg(0, number)
        else:
            program.send_signal(number)

    def watch() -> None:
        os.read(lifeline, 1)
        is_alone.set()
        send(signal.SIGTERM)
        if ended.wait(_GRACE_S):
            time.sleep(_REST_S)
        send(signal.SIGKILL)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    status = program.wait()
    ended.set()
    if is_alone.is_set():
        watcher.join()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
