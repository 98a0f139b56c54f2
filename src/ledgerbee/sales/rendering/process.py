"""The program that sets documents: a process of its own, one document at a time. See `sales.rendering.pool`.

    python -m ledgerbee.sales.rendering TIMEOUT_S [FONTS]

Reads `Task`s from standard input and writes an `Answer` for each to standard output. What documents say is anybody's:
Typst works where memory and time are bounded, and nothing else is in the process. It ends with the pipe, whatever ended
who holds the other side; after so many documents, so much memory or so long without a document.
"""

import resource
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import structlog

from ledgerbee.sales.rendering.coverage import UnprintableTextError
from ledgerbee.sales.rendering.messages import Answer, Task, receive, send
from ledgerbee.sales.rendering.renderer import Renderer
from ledgerbee.tenancy.company.logo import UnreadableLogo

#: Bytes of address space: some 160 MB at the start, and the largest document several times over.
MEMORY: Final = 2 * 1024 * 1024 * 1024
#: A process whose memory has been larger, in bytes, ends after the document; one has some 100 MB at the start.
KEPT_MEMORY: Final = 256 * 1024 * 1024
#: Documents after which a process ends.
MOST_DOCUMENTS: Final = 1_000
#: Seconds without a document after which a process ends.
IDLE_S: Final = 600.0
#: Bytes of a file: enough for the template, and to see that a temporary folder can be written to.
_FILE: Final = 64 * 1024


def bound() -> None:
    """Give up what isn't needed. Where the system has no such limit the others still hold."""
    sys.dont_write_bytecode = True  # of a module that is loaded from here on, the file would end at its bound
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, _FILE), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
    # Who stops the service stops all of its processes at once; documents in hand are finished first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def answer(renderer: Renderer, task: Task, warnings: list[dict[str, str]]) -> Answer:
    """Do a task. Whatever goes wrong is in the answer."""
    try:
        if task.is_check:
            renderer.check(task.document)
            return Answer(warnings=warnings)
        return Answer(pdf=renderer.render(task.document), warnings=warnings)
    except UnprintableTextError as fault:
        return Answer(unprintable=str(fault), hidden=fault.hidden, warnings=warnings)
    except UnreadableLogo as fault:
        return Answer(unreadable_logo=str(fault), warnings=warnings)
    except MemoryError:  # the process is over: another one has a try
        raise
    except BaseException as fault:  # noqa: BLE001  a panic of the library is no Exception
        return Answer(fault=f"{type(fault).__name__}: {fault}", warnings=warnings)


def serve(tasks: IO[bytes], answers: IO[bytes], renderer: Renderer, timeout_s: float) -> None:
    """Answer tasks until there are no more, or the process has had its time.

    The one who waits for an answer ends the process when it takes longer than `timeout_s` seconds. If it is gone, the
    alarm does.
    """
    warnings = _collected_warnings()
    for _ in range(MOST_DOCUMENTS):
        # Nothing is left in the stream's own buffer: the next task comes after the answer to this one.
        ready, _, _ = select.select([tasks], [], [], IDLE_S)
        message = receive(tasks) if ready else None
        if message is None:
            return
        signal.setitimer(signal.ITIMER_REAL, timeout_s + 1)
        task = msgspec.msgpack.decode(message, type=Task)
        encoded = msgspec.msgpack.encode(answer(renderer, task, warnings))
        warnings.clear()
        send(answers, encoded)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if _peak() > KEPT_MEMORY:
            return


def _collected_warnings() -> list[dict[str, str]]:
    """A list of what is logged in this process: who gets the answers logs it."""
    collected: list[dict[str, str]] = []

    def collect(_: Any, __: str, event: Any) -> Any:
        collected.append({name: str(value) for name, value in event.items()})
        raise structlog.DropEvent

    structlog.configure(processors=[collect])
    return collected


def _peak() -> int:
    """Bytes of memory that the process has had at most."""
    status = Path("/proc/self/status")
    if status.exists():  # On Linux `ru_maxrss` begins with that of the process that started this one.
        return int(status.read_text().partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


def main(arguments: list[str]) -> None:
    """Serve the pipes that the process was started with."""
    bound()
    timeout_s, *fonts = arguments
    renderer = Renderer(Path(fonts[0]) if fonts else None)
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, renderer, float(timeout_s))
    renderer.close()
