"""Costly work is done by turns: what one company asks for doesn't keep another one's waiting."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.fair_queue import FairQueue


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class _Work:
    """Work whose end the test decides, and the order in which it began."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.begun: list[str] = []
        self.ends: list[asyncio.Event] = []

    async def run(self, company: str) -> None:
        async with self.queue.turn(company):
            self.begun.append(company)
            self.ends.append(asyncio.Event())
            await self.ends[-1].wait()


async def test_who_is_alone_has_all_and_then_companies_take_turns() -> None:
    work = _Work(FairQueue(2))
    tasks = [asyncio.create_task(work.run(company)) for company in ("a", "a", "a", "a", "b", "b", "c")]
    for number in range(len(tasks)):
        await settled()
        assert len(work.begun) == min(number + 2, len(tasks))
        work.ends[number].set()
    await asyncio.gather(*tasks)
    assert work.begun == ["a", "a", "b", "a", "c", "b", "a"]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 3))
def test_no_company_waits_for_more_than_a_round(companies: list[str], at_once: int) -> None:
    """A company's first work begins before any other company has had two more turns after it came."""

    async def run() -> None:
        work = _Work(FairQueue(at_once))
        tasks = [asyncio.create_task(work.run("flood")) for _ in range(30)]
        await settled()
        tasks += [asyncio.create_task(work.run(company)) for company in companies]
        for number in range(len(tasks)):
            await settled()
            assert work.queue.held.total() == min(at_once, len(tasks) - number)
            work.ends[number].set()
        await asyncio.gather(*tasks)
        for company in set(companies):
            before = work.begun[at_once : work.begun.index(company)]
            assert all(before.count(other) <= 1 for other in {*companies, "flood"})
        assert not work.queue.held
        assert not work.queue.waiting

    asyncio.run(run())


async def test_who_asks_for_too_much_or_waits_for_too_long_is_told() -> None:
    work = _Work(FairQueue(1, max_waiting=1, timeout_s=0.05))
    first, second = (asyncio.create_task(work.run("a")) for _ in range(2))
    await settled()
    with pytest.raises(LedgerBeeError) as caught:
        await work.run("a")
    assert (caught.value.code, caught.value.status) == ("SERVER_BUSY", 503)
    with pytest.raises(LedgerBeeError, match="try again"):
        await second
    work.ends[0].set()
    await first
    assert not work.queue.waiting


@pytest.mark.parametrize("moment", ["while it waits", "as it ends", "as it is let in"])
async def test_who_is_cancelled_leaves_no_trace(moment: str) -> None:
    work = _Work(FairQueue(1))
    held = asyncio.create_task(work.run("a"))
    await settled()
    waiting = [asyncio.create_task(work.run(company)) for company in "bc"]
    await settled()
    if moment == "as it is let in":
        work.ends[0].set()
        await asyncio.sleep(0)
    waiting[0].cancel()
    if moment == "as it ends":
        work.ends[0].set()
    await settled()
    work.ends[0].set()
    await settled()
    for end in work.ends:
        end.set()
    await asyncio.gather(held, *waiting, return_exceptions=True)
    assert work.begun[-1] == "c"
    async with work.queue.turn("d"):
        pass
    assert not work.queue.held
    assert not work.queue.waiting
