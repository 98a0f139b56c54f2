"""Documents are set by processes beside the one that wants them: the same bytes, by turns, within bounds."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from tests.renderers import renderers
from tests.unit.fonts import write_font
from tests.unit.printed import BUYER, INVOICE, LINE, png

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.sales.rendering.coverage import UnprintableTextError
from ledgerbee.sales.rendering.messages import Answer, Task, receive, send
from ledgerbee.sales.rendering.pool import PrintingFailedError, RendererPool, close
from ledgerbee.sales.rendering.process import KEPT_MEMORY
from ledgerbee.sales.rendering.renderer import render
from ledgerbee.tenancy.company.logo import UnreadableLogo

HEBREW = replace(INVOICE, notes="שָׁלוֹם")  # marks: only setting it shows whether it can be set
LARGE = replace(INVOICE, lines=tuple(replace(LINE, description=f"Unit {n}") for n in range(5_000)))


@pytest.fixture(autouse=True)
def _alone() -> None:
    """Tests of this process that printed before have left a pool: its processes would be counted as well."""
    close()


@contextmanager
def pool(workers: int = 1, extra_fonts: Path | None = None, timeout_s: float = 60.0) -> Iterator[RendererPool]:
    """A pool that leaves nothing behind."""
    before = renderers()
    with closing(RendererPool(workers, extra_fonts, timeout_s)) as made:
        yield made
    assert renderers().keys() <= before.keys()


async def test_processes_give_the_bytes_that_one_renderer_gives() -> None:
    documents = [replace(INVOICE, number=f"{n:04d}", lines=(LINE,) * (1 + n % 7), logo=png()) for n in range(12)]
    with pool(2) as two:
        made = await asyncio.gather(*(two.render(n % 3, document) for n, document in enumerate(documents)))
        assert 1 <= len(renderers()) <= 2
    assert made == [render(document) for document in documents]


async def test_what_is_wrong_with_a_document_is_told_as_in_one_process(tmp_path: Path) -> None:
    chinese = replace(INVOICE, lines=(replace(LINE, description="中文"),), buyer=replace(BUYER, name="文"))
    with pool() as one:
        for act in (one.render, one.check):
            with pytest.raises(UnprintableTextError, match=r"U\+6587 CJK UNIFIED IDEOGRAPH-6587") as caught:
                await act(1, chinese)
            assert [(it.character, it.fields) for it in caught.value.hidden] == [
                ("文", ("buyer.name", "lines.0.description")),
                ("中", ("lines.0.description",)),
            ]
        with pytest.raises(UnreadableLogo, match="the logo"):
            await one.render(1, replace(INVOICE, logo=b"GIF89a"))
        await one.check(1, HEBREW)
        assert await one.render(1, HEBREW) == render(HEBREW)
        assert len(renderers()) == 1  # a refusal costs no process
    write_font(tmp_path, "script.ttf", "中文")
    (tmp_path / "broken.ttf").write_bytes(b"none")
    with pool(extra_fonts=tmp_path) as extended, capture_logs() as logs:
        assert (await extended.render(1, chinese)).startswith(b"%PDF")
    warned = [line for line in logs if line["event"] == "font.left_out"]
    assert [(line["log_level"], Path(line["file"]).name) for line in warned] == [("warning", "broken.ttf")]


async def test_the_memory_of_who_starts_a_process_counts_for_nothing() -> None:
    """A server that has needed a lot of memory keeps its processes from document to document."""
    needed = b"x" * (KEPT_MEMORY + 1)
    with pool() as one:
        await one.render(1, INVOICE)
        (first,) = renderers()
        await one.render(1, INVOICE)
        assert renderers().keys() == {first}
    assert len(needed) > KEPT_MEMORY


async def test_a_document_of_plain_texts_is_checked_without_a_process() -> None:
    with pool() as one:
        await one.check(1, INVOICE)
        assert renderers() == {}


async def test_what_takes_too_long_is_ended_and_replaced() -> None:
    with pool(timeout_s=2.0) as one:
        await one.render(1, INVOICE)
        (stuck,) = renderers()
        os.kill(stuck, signal.SIGSTOP)
        with capture_logs() as logs, pytest.raises(PrintingFailedError, match="more than 2 seconds"):
            await one.render(1, INVOICE)
        assert [line["reason"] for line in logs if line["event"] == "printing.ended"] == ["time"]
        assert stuck not in renderers()
    with pool() as one:
        assert await one.render(1, INVOICE) == render(INVOICE)


async def test_a_new_process_counts_into_the_time_of_its_document() -> None:
    with pool(timeout_s=0.01) as one:
        for _ in range(2):
            with pytest.raises(PrintingFailedError):
                await one.render(1, INVOICE)


async def test_a_process_that_is_killed_is_replaced_and_the_document_set() -> None:
    with pool() as one:
        await one.render(1, INVOICE)
        (first,) = renderers()
        os.kill(first, signal.SIGKILL)
        assert await one.render(1, INVOICE) == render(INVOICE)  # idle when it was killed
        (second,) = renderers()
        os.kill(second, signal.SIGSTOP)
        rendering = asyncio.create_task(one.render(1, INVOICE))
        await asyncio.sleep(0.2)
        assert not rendering.done()
        os.kill(second, signal.SIGKILL)
        assert await rendering == render(INVOICE)  # and with a document in hand
        assert not renderers().keys() & {first, second}


async def test_a_document_that_no_process_survives_is_given_up() -> None:
    with pool() as one:
        rendering = asyncio.create_task(one.render(1, LARGE))
        killed: set[int] = set()
        while not rendering.done():
            for pid in renderers().keys() - killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            await asyncio.sleep(0.01)
        with pytest.raises(PrintingFailedError, match="died"):
            await rendering
        assert len(killed) == 2
        assert await one.render(1, INVOICE) == render(INVOICE)


async def test_memory_of_large_documents_is_given_back() -> None:
    # Long texts that are all different: hundreds of pages.
    lines = tuple(replace(LINE, description="\n".join(f"{n} {row}" for row in range(30))) for n in range(3_000))
    with pool() as one:
        await one.render(1, INVOICE)
        (first,) = renderers()
        assert (await one.render(1, replace(INVOICE, lines=lines))).startswith(b"%PDF")
        assert await one.render(1, INVOICE) == render(INVOICE)
        (second,) = renderers()
        assert second != first
        assert resident(second) < KEPT_MEMORY


def resident(pid: int) -> int:
    """Bytes of memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_the_event_loop_goes_on_while_documents_are_set() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    with pool(2) as two:
        clock = asyncio.create_task(tick())
        await asyncio.gather(two.render(1, LARGE), two.render(2, replace(LARGE, number="2")))
        clock.cancel()
    assert ticks > 30


async def test_one_company_s_documents_leave_room_for_another_s() -> None:
    with pool() as one:
        flood = [asyncio.create_task(one.render(1, INVOICE)) for _ in range(60)]
        await asyncio.sleep(0)
        await one.render(2, INVOICE)
        assert sum(not task.done() for task in flood) >= 40  # those that were refused are done, and very few others
        told = await asyncio.gather(*flood, return_exceptions=True)
        busy = [it for it in told if isinstance(it, LedgerBeeError)]
        assert [it.code for it in busy] == ["SERVER_BUSY"] * 9


async def test_closing_gives_up_what_is_in_hand() -> None:
    with pool() as one:
        rendering = asyncio.create_task(one.render(1, LARGE))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(one.close)
        with pytest.raises(PrintingFailedError):
            await rendering


PARENT = """
import asyncio, os
from ledgerbee.sales.rendering.pool import RendererPool
from tests.unit.test_rendering_pool import LARGE, INVOICE, renderers
async def main():
    pool = RendererPool(2)
    await pool.render(1, INVOICE)
    asyncio.create_task(pool.render(1, LARGE))
    await asyncio.sleep(0.1)
    print(*renderers(), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_processes_end_with_a_parent_that_is_killed() -> None:
    folder = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=folder) as parent:
        assert parent.stdout is not None
        pids = parent.stdout.readline().split()
        parent.kill()
    assert pids
    while any(is_there(pid) for pid in pids):  # else the test's own time is over
        time.sleep(0.05)


def is_there(pid: str) -> bool:
    """Whether a process runs."""
    try:
        return (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_without_anybody_ends_by_its_alarm() -> None:
    # Whoever waits for the answer keeps the pipes open and does nothing.
    command = [sys.executable, "-m", "ledgerbee.sales.rendering", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        long = replace(INVOICE, lines=LARGE.lines * 20)
        send(process.stdin, msgspec.msgpack.encode(Task(long, is_check=False)))
        assert receive(process.stdout) is None
    assert process.returncode == -signal.SIGALRM


def test_a_process_finishes_its_document_when_the_service_is_stopped() -> None:
    command = [sys.executable, "-m", "ledgerbee.sales.rendering", "60"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for document in (INVOICE, LARGE):
            send(process.stdin, msgspec.msgpack.encode(Task(document, is_check=False)))
            if document is LARGE:
                process.send_signal(signal.SIGTERM)
            told = receive(process.stdout)
            assert told is not None
            assert msgspec.msgpack.decode(told, type=Answer).pdf.startswith(b"%PDF")
        process.stdin.close()
    assert process.returncode == 0
