"""Lists without pages, as the reference has some: JSON arrays of any length, written a piece at a time.

A company may have a hundred thousand customers. Their JSON takes seconds: between two pieces other requests run. Of a
long list one chunk is in memory, and the transaction that lists the ids is over before the first piece is sent: a slow
client holds no connection of the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from ledgerbee.http.caller import Caller
from ledgerbee.http.json_stream import JsonStream
from ledgerbee.http.step_scheduler import STEPS, run_step
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import CHUNK

T = TypeVar("T")

#: Objects that are written before others get their turn: some milliseconds of work.
_PIECE: Final = 100

#: Bytes that an object counts for where many wait for a turn: some 650 of them do, which take a few milliseconds.
_BYTES: Final = 100

_Read = Callable[[Context, Sequence[UUID]], Awaitable[Sequence[T]]]
_Render = Callable[[T], BaseModel]


async def array(found: Sequence[T], render: _Render[T]) -> Response:
    """The answer with the wire forms of what was found, in order, as a JSON array."""
    parts: list[bytes] = []
    for start in range(0, len(found), _PIECE):
        if start:
            await asyncio.sleep(0)
        parts.append(_written(found[start : start + _PIECE], render))
    return Response(b"[" + b",".join(parts) + b"]", media_type="application/json")


async def in_thread(count: int, make: Callable[[], BaseModel | Sequence[BaseModel]]) -> Response:
    """The answer with what `make` makes of `count` objects: of many it is made and written beside the event loop."""

    def written() -> bytes:
        made = make()
        if isinstance(made, BaseModel):
            return made.model_dump_json(by_alias=True).encode()
        return b"[" + _written(made, lambda one: one) + b"]"

    return Response(await run_step(count * _BYTES, written), media_type="application/json")


async def array_of(
    context: Context, caller: Caller, ids: Sequence[UUID], read: _Read[T], render: _Render[T]
) -> Response:
    """The answer with the wire forms of the objects of these ids, in order, as a JSON array.

    `read` gives those of some ids that are there, in order: of few in this transaction, of many in further ones. Of a
    caller who asked for a part of the list it is that part (`Caller.part`).
    """
    if caller.part is not None:
        ids = caller.part.of(ids)
    if len(ids) <= CHUNK:
        return await array(await read(context, ids), render)
    return JsonStream(_in_chunks(caller, ids, read, render))


async def _in_chunks(caller: Caller, ids: Sequence[UUID], read: _Read[T], render: _Render[T]) -> AsyncGenerator[bytes]:
    yield b"["
    is_first = True
    for at in range(0, len(ids), CHUNK):
        some = ids[at : at + CHUNK]
        found = await caller.read_step(lambda context, some=some: read(context, some))  # type: ignore[misc]
        for start in range(0, len(found), _PIECE):
            await STEPS.wait()
            text = _written(found[start : start + _PIECE], render)
            yield text if is_first else b"," + text
            is_first = False
    yield b"]"


def _written(found: Sequence[T], render: _Render[T]) -> bytes:
    return ",".join([render(one).model_dump_json(by_alias=True) for one in found]).encode()
