"""Lists that are answered whole, as plain arrays (the reference has no pages there): written a piece at a time.

A company may have a hundred thousand customers. Their JSON takes seconds, in which others want their answers: between
two pieces it is their turn. The JSON is held in memory, but neither the rows nor the objects that it is made of, and it
leaves when the transaction is over: a slow reader holds no connection of the database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from fastapi import Response
from pydantic import BaseModel

T = TypeVar("T")

#: Objects that are written before others get their turn: some milliseconds of work.
_PIECE: Final = 100


async def array(found: AsyncIterator[Sequence[T]] | Sequence[T], render: Callable[[T], BaseModel]) -> Response:
    """The answer with the wire forms of what was found, in order, as a JSON array."""
    parts: list[bytes] = []
    if isinstance(found, Sequence):
        await _write(parts, found, render)
    else:
        async for chunk in found:
            await _write(parts, chunk, render)
    return Response(b"[" + b",".join(parts) + b"]", media_type="application/json")


async def _write(parts: list[bytes], found: Sequence[T], render: Callable[[T], BaseModel]) -> None:
    for start in range(0, len(found), _PIECE):
        if start:
            await asyncio.sleep(0)
        piece = found[start : start + _PIECE]
        parts.append(",".join([render(one).model_dump_json(by_alias=True) for one in piece]).encode())
