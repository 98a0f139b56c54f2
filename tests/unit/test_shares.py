"""ConnectionShares in a pool of connections: whoever comes and goes, nobody is shut out and no place is lost."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform import shares
from ledgerbee.platform.shares import CONNECTIONS_EXHAUSTED, ConnectionShares

FOREVER = 3600.0


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def taking(pool: ConnectionShares, holder: str, *, read_only: bool = False) -> "asyncio.Task[None]":
    return asyncio.create_task(pool.acquire(holder, FOREVER, read_only=read_only))


@pytest.mark.parametrize(("size", "writes", "reads"), [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, 2), (10, 4, 5)])
async def test_one_company_comes_to_half_of_the_pool(size: int, writes: int, reads: int) -> None:
    pool = ConnectionShares(size)
    waiting = [taking(pool, "a") for _ in range(40)]
    await settle()
    assert sum(task.done() for task in waiting) == writes
    asked = [taking(pool, "a", read_only=True) for _ in range(40)]
    await settle()
    assert sum(task.done() for task in asked) == reads - writes
    if size > 1:
        await asyncio.wait_for(taking(pool, "b"), FOREVER)
    for task in waiting + asked:
        task.cancel()


class _Model:
    """What a run of takings and givings back comes to."""

    def __init__(self, size: int) -> None:
        self.pool = ConnectionShares(size)
        self.size = size
        self.tasks: list[tuple[str, asyncio.Task[None]]] = []
        self.held: Counter[str] = Counter()

    async def do(self, kind: str, holder: str) -> None:
        mine = [one for one in self.tasks if one[0] == holder]
        if kind in {"read", "write"}:
            self.tasks.append((holder, taking(self.pool, holder, read_only=kind == "read")))
        elif kind == "leave" and mine:
            self.tasks.remove(mine[-1])
            has_it = mine[-1][1].done()
            mine[-1][1].cancel()
            if has_it:
                self.held[holder] -= 1
                self.pool.release(holder)
        elif kind == "end" and self.held[holder]:
            self.tasks.remove(next(one for one in mine if one[1].done()))
            self.held[holder] -= 1
            self.pool.release(holder)
        await settle()
        self.held = Counter(holder for holder, task in self.tasks if task.done())

    def check(self) -> None:
        free = self.size - self.held.total()
        assert free >= 0
        for holder, task in self.tasks:
            assert task.done() or self.held[holder] or not free, "one that holds none waits for what is free"


STEPS = st.lists(
    st.tuples(st.sampled_from(["read", "write", "write", "end", "leave"]), st.sampled_from("abcd")), max_size=60
)


@given(size=st.integers(1, 8), steps=STEPS)
def test_nobody_is_shut_out_and_no_place_is_lost(size: int, steps: list[tuple[str, str]]) -> None:
    async def run() -> None:
        model = _Model(size)
        for kind, holder in steps:
            await model.do(kind, holder)
            model.check()
        for _ in range(len(steps)):  # all who hold one end, until nobody waits
            for holder in "abcd":
                await model.do("end", holder)
        assert not model.tasks
        for number in range(size):
            await model.pool.acquire(f"other {number}", 5)

    asyncio.run(run())


async def test_whoever_waits_in_vain_is_told_whose_connections_it_waited_for() -> None:
    pool = ConnectionShares(4)
    await pool.acquire("a", FOREVER)
    with pytest.raises(LedgerBeeError) as told:
        await pool.acquire("a", 0.01)
    assert told.value.error_code is CONNECTIONS_EXHAUSTED
    for other in "bcd":
        await pool.acquire(other, FOREVER)
    with pytest.raises(TimeoutError):
        await pool.acquire("e", 0.01)
    pool.release("a")
    await pool.acquire("e", FOREVER)


async def test_no_more_wait_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MAX_WAITING", 3)
    pool = ConnectionShares(4)
    waiting = [taking(pool, "a") for _ in range(5)]
    await settle()
    assert [task.done() for task in waiting] == [True, False, False, False, True]
    assert isinstance(waiting[-1].exception(), LedgerBeeError)
    for _ in range(4):  # they are served in order, and nobody has been forgotten
        pool.release("a")
        await settle()
    assert all(task.done() for task in waiting)
