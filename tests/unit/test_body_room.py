"""Large bodies take turns: in order, within the room, within each company's share."""

import asyncio

import pytest

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_room import BodyRoom, Place


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_there_is_room_up_to_the_limit_and_then_in_turn() -> None:
    room = BodyRoom(room=10, share=10)
    first = await room.enter("a", 6)
    waiting = [asyncio.create_task(room.enter(owner, size)) for owner, size in (("b", 6), ("c", 4))]
    await settled()
    assert [task.done() for task in waiting] == [False, False]  # nobody overtakes, though the last would fit
    first.leave()
    await settled()
    assert [task.done() for task in waiting] == [True, True]


async def test_who_has_its_share_is_overtaken() -> None:
    room = BodyRoom(room=10, share=5)
    first = await room.enter("a", 5)
    second = asyncio.create_task(room.enter("a", 1))
    other = await room.enter("b", 5)
    assert not second.done()
    other.leave()
    await settled()
    assert not second.done()
    first.leave()
    await settled()
    assert second.done()


async def test_who_waits_in_vain_is_told_and_leaves_no_trace() -> None:
    room = BodyRoom(room=10, share=10, timeout_s=0.01)
    held = await room.enter("a", 10)
    with pytest.raises(LedgerBeeError) as caught:
        await room.enter("b", 1)
    assert (caught.value.code, caught.value.status) == ("SERVER_BUSY", 503)
    held.leave()
    (await room.enter("b", 10)).leave()


@pytest.mark.parametrize("moment", ["while it waits", "as it is let in"])
async def test_who_is_cancelled_leaves_no_trace(moment: str) -> None:
    room = BodyRoom(room=10, share=10)
    held = await room.enter("a", 10)
    waiting: asyncio.Task[Place] = asyncio.create_task(room.enter("b", 10))
    await settled()
    if moment == "as it is let in":
        held.leave()
        waiting.cancel()
    else:
        waiting.cancel()
        await settled()
        held.leave()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (await room.enter("c", 10)).leave()
