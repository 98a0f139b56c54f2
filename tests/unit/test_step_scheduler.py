"""The steps of large bodies: one after the other, companies in turn, and small requests in between."""

import asyncio
import time

from ledgerbee.http.step_scheduler import OWNER, StepScheduler


async def body(scheduler: StepScheduler, owner: str, steps: int, taken: list[str], seconds: float = 0.002) -> None:
    """Work that holds the loop in each of its steps."""
    OWNER.set(owner)
    for _ in range(steps):
        await scheduler.wait()
        taken.append(owner)
        time.sleep(seconds)  # noqa: ASYNC251  as decoding does


async def test_a_small_request_waits_for_a_step_a_round_and_no_more() -> None:
    scheduler = StepScheduler()
    taken: list[str] = []
    bodies = [asyncio.create_task(body(scheduler, "busy", 50, taken)) for _ in range(10)]
    while len(taken) < 20:  # noqa: ASYNC110  a few rounds of the loop
        await asyncio.sleep(0)
    before = len(taken)
    for _ in range(10):  # a request takes a few rounds of the loop
        await asyncio.sleep(0)
    assert len(taken) - before <= 10
    await asyncio.gather(*bodies)
    assert len(taken) == 500


async def test_companies_take_their_steps_in_turn() -> None:
    scheduler = StepScheduler()
    taken: list[str] = []
    bodies = [asyncio.create_task(body(scheduler, "busy", 5, taken)) for _ in range(10)]
    while len(taken) < 5:  # noqa: ASYNC110
        await asyncio.sleep(0)
    before = len(taken)
    await asyncio.create_task(body(scheduler, "other", 5, taken))
    assert taken[before:].count("busy") <= 6
    await asyncio.gather(*bodies)
    assert taken.count("busy") == 50


async def test_who_leaves_is_passed_over() -> None:
    scheduler = StepScheduler()
    taken: list[str] = []
    bodies = [asyncio.create_task(body(scheduler, "busy", 3, taken)) for _ in range(5)]
    await asyncio.sleep(0)
    for one in bodies[:4]:
        one.cancel()
    await asyncio.gather(*bodies, return_exceptions=True)
    assert taken == ["busy"] * 3
    await body(scheduler, "busy", 2, taken)
    assert len(taken) == 5


async def test_steps_beside_the_loop_are_one_at_a_time_and_in_turn() -> None:
    scheduler = StepScheduler()
    began: list[bytes] = []

    def work(raw: bytes) -> bytes:
        began.append(raw)
        time.sleep(0.005)
        if raw == b"wrong":
            raise ValueError(raw)
        return raw * 2

    async def request(owner: str, raw: bytes) -> bytes:
        OWNER.set(owner)
        return await scheduler.run(lambda: work(raw))

    busy = [asyncio.create_task(request("busy", raw)) for raw in [b"wrong", *[b"b"] * 9]]
    await asyncio.sleep(0)
    other = asyncio.create_task(request("other", b"o"))
    await asyncio.sleep(0)
    busy[3].cancel()
    assert await other == b"oo"
    assert len(began) <= 3
    answers = await asyncio.gather(*busy, return_exceptions=True)
    assert [type(answer) for answer in answers] == [
        ValueError, bytes, bytes, asyncio.CancelledError, *[bytes] * 6
    ]  # fmt: skip
    assert len(began) == 10


async def test_one_that_leaves_as_it_is_granted_keeps_nobody() -> None:
    scheduler = StepScheduler()
    for rounds in range(5):
        leaving = asyncio.create_task(scheduler.run(lambda: 1))
        for _ in range(rounds):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        assert await scheduler.run(lambda: 2) == 2


def test_another_loop_has_steps_of_its_own() -> None:
    """A loop that ended in the middle leaves nobody waiting."""
    scheduler = StepScheduler()
    taken: list[str] = []

    async def leave() -> None:
        task = asyncio.create_task(body(scheduler, "busy", 3, taken))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    asyncio.run(body(scheduler, "busy", 3, taken))
    assert taken == ["busy"] * 3
