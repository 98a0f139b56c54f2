"""The processes that set documents, as the process that wants them sees it.

Preparing a large document and setting it takes seconds and hundreds of megabytes: neither the event loop nor the memory
of a process that answers requests is the place for it. A process is started with the first document, and one more
while all are at work, up to the number of processors; it sets one document after the other (`sales.rendering.process`).
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, LifoQueue
from tempfile import TemporaryDirectory
from threading import Timer
from time import monotonic
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter

from ledgerbee.platform.fair_queue import FairQueue
from ledgerbee.sales.rendering.coverage import UnprintableTextError, special_texts
from ledgerbee.sales.rendering.messages import Answer, Task, receive, send
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.tenancy.company.logo import UnreadableLogo

#: Seconds that one document may take, a new process and a second try included. The largest that the API takes is set in
#: a fraction of it.
TIMEOUT_S: Final = 45.0
#: Processes that are tried for a document when they end before they answer.
_TRIES: Final = 2
#: Seconds that a process has to end once its pipe is closed.
_ENDING_S: Final = 5.0

ENDED: Final = Counter(
    "ledgerbee_pdf_processes_ended_total",
    "Processes for PDFs that ended with a document in hand, by reason: time (it took too long), died",
    ["reason"],
)
for _reason in ("time", "died"):  # there from the start: a rate sees the first one
    ENDED.labels(_reason)

log = structlog.get_logger("ledgerbee.printing")


class PrintingFailedError(Exception):
    """A document took too much time or memory, or the processes that were to set it died."""


class PrintingFaultError(Exception):
    """What nobody foresaw went wrong with a document, in the words of the process that was to set it."""


class _Ended(Exception):  # noqa: N818  no error of a caller's
    """The process ended before it answered."""


class _Process:
    """A process that sets documents, with a folder of its own for what it puts into files."""

    def __init__(self, timeout_s: float, extra_fonts: Path | None) -> None:
        self._folder = TemporaryDirectory(prefix="ledgerbee-pdf-")
        # One thread and one arena: its bound is on address space, and the other processors have processes of their own.
        environment = {"TMPDIR": self._folder.name, "RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        passed_on = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        fonts = [str(extra_fonts.absolute())] if extra_fonts else []
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-P", "-m", "ledgerbee.sales.rendering", str(timeout_s), *fonts],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=passed_on | environment,
                process_group=0,
            )
        except OSError:
            self._folder.cleanup()
            raise

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once; whoever waits for its answer has none."""
        self._process.kill()

    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def ask(self, task: bytes, timeout_s: float) -> bytes:
        """Its answer. Raises `_Ended` where it ends before, `TimeoutError` where it was ended for its time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        ran_out: list[bool] = []

        def run_out() -> None:
            ran_out.append(True)
            self._process.kill()

        watch = Timer(timeout_s, run_out)
        watch.start()
        try:
            with suppress(OSError):
                send(self._process.stdin, task)
            reply = receive(self._process.stdout)
        finally:
            watch.cancel()
        if reply is None:
            raise TimeoutError if ran_out else _Ended
        return reply

    def end(self) -> int:
        """Close its pipes and wait for its end; how it ended. What doesn't end by itself is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # what was not written is no matter any more
            self._process.stdin.close()
        try:
            code = self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()
        return code


class RendererPool:
    """Up to `workers` processes (default: one for each processor) that set documents. Companies take turns.

    `timeout_s` are the seconds that one document may take; `extra_fonts` is a folder of TrueType or OpenType files for
    what the shipped fonts lack.
    """

    def __init__(
        self, workers: int | None = None, extra_fonts: Path | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        workers = workers or _cores()
        self._extra_fonts = extra_fonts
        self._timeout_s = timeout_s
        self._idle: LifoQueue[_Process] = LifoQueue()
        self._busy: set[_Process] = set()
        self._is_closed = False
        self._turns = FairQueue(workers)
        # They only wait for the processes.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="pdf")

    async def render(self, company: Hashable, document: PrintableDocument) -> bytes:
        """The document as a PDF/A-3b file, in the company's turn.

        Raises `UnprintableTextError` for characters that no font shows, `UnreadableLogo` for a logo that is damaged
        or no picture, `PrintingFailedError` for what takes too long or too much memory, and `SERVER_BUSY` where too
        many of the company's documents wait, or one does for too long.
        """
        return await self._do(company, Task(document, is_check=False))

    async def check(self, company: Hashable, document: PrintableDocument) -> None:
        """Raises what `render` would raise for the characters of a document; one of plain texts takes a look only."""
        if special_texts(document):
            await self._do(company, Task(document, is_check=True))

    async def _do(self, company: Hashable, task: Task) -> bytes:
        async with self._turns.turn(company):
            doing = asyncio.get_running_loop().run_in_executor(self._threads, self._done, task)
            try:
                answer = await asyncio.shield(doing)
            except asyncio.CancelledError:
                await asyncio.wait([doing])  # its place is taken for as long as it runs
                raise
        for warning in answer.warnings:
            log.warning(**warning)
        if answer.unprintable is not None:
            raise UnprintableTextError(answer.unprintable, answer.hidden)
        if answer.unreadable_logo is not None:
            raise UnreadableLogo(answer.unreadable_logo)
        if answer.fault is not None:
            raise PrintingFaultError(answer.fault)
        return answer.pdf

    def _done(self, task: Task) -> Answer:
        """The answer of a process that is there, else of a new one. Blocks. Raises `PrintingFailedError`."""
        message = msgspec.msgpack.encode(task)
        until = monotonic() + self._timeout_s
        tries = 0
        while tries < _TRIES and not self._is_closed:
            try:
                process = self._idle_process() or _Process(self._timeout_s, self._extra_fonts)
            except OSError as fault:
                raise PrintingFailedError(f"no process could be started: {fault}") from fault
            self._busy.add(process)
            try:
                reply = process.ask(message, until - monotonic())
            except TimeoutError:
                process.end()
                ENDED.labels("time").inc()
                log.warning("printing.ended", pid=process.pid, reason="time", seconds=self._timeout_s)
                raise PrintingFailedError(f"it took more than {self._timeout_s:g} seconds") from None
            except _Ended:
                if code := process.end():  # 0: it had its time before the document came
                    tries += 1
                    ENDED.labels("died").inc()
                    log.warning("printing.ended", pid=process.pid, reason="died", code=code)
            else:
                self._idle.put(process)
                return msgspec.msgpack.decode(reply, type=Answer)
            finally:
                self._busy.discard(process)
        raise PrintingFailedError("the processes that were to set it died")

    def _idle_process(self) -> _Process | None:
        """One that has nothing to do; those that have ended meanwhile are put away."""
        while True:
            try:
                process = self._idle.get_nowait()
            except Empty:
                return None
            if not process.has_ended():
                return process
            process.end()

    def close(self) -> None:
        """End the processes; documents in hand are given up. Blocks until they are gone."""
        self._is_closed = True
        for process in list(self._busy):
            process.kill()
        self._threads.shutdown()
        while (idle := self._idle_process()) is not None:
            idle.end()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Own:
    """The pool of this process: made with the first document."""

    pool: RendererPool | None = None
    extra_fonts: Path | None = None
    timeout_s: float = TIMEOUT_S


def _pool() -> RendererPool:
    if _Own.pool is None:
        _Own.pool = RendererPool(extra_fonts=_Own.extra_fonts, timeout_s=_Own.timeout_s)
    return _Own.pool


def use_fonts(folder: Path | None, timeout_s: float = TIMEOUT_S) -> None:
    """Set up the process's own pool: fonts of `folder` for what the shipped ones lack, seconds for a document."""
    if (folder, timeout_s) != (_Own.extra_fonts, _Own.timeout_s):
        close()
        _Own.extra_fonts, _Own.timeout_s = folder, timeout_s


def close() -> None:
    """End the processes of the process's own pool, see `RendererPool.close`. The next document starts another one."""
    pool, _Own.pool = _Own.pool, None
    if pool is not None:
        pool.close()


async def render_async(company: Hashable, document: PrintableDocument) -> bytes:
    """The document as a PDF/A-3b file, by the process's own pool. See `RendererPool.render`."""
    return await _pool().render(company, document)


async def check_async(company: Hashable, document: PrintableDocument) -> None:
    """Raises what `render_async` would raise for the characters of a document. See `RendererPool.check`."""
    await _pool().check(company, document)
