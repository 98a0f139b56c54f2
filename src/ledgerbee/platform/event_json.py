"""The JSON of events as the database keeps it. That of an object is long at times (an entry of thousands of lines)."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.context import Context

#: Bytes of an event's JSON up to which it is read with the event: a page has at most 100 of them.
MAX_INLINE: Final = 10_000
#: Bytes of JSON that are read by one statement otherwise, and characters of one that is read in parts.
MAX_AT_ONCE: Final = 1_000_000
MAX_PART: Final = 2_000_000

#: The columns of JSON: the object after and before what happened.
Column = Literal["data", "before"]
#: The JSON of an event by column; None in a column that has none.
Texts = Mapping[Column, str | None]


def size_of(column: str) -> str:
    """SQL: how long a column of JSON is in bytes, or more, without reading one that is long.

    Compressed, it may be a hundred times as long as what is kept of it.
    """
    return (
        f"CASE WHEN {column} IS NULL THEN 0"
        f" WHEN pg_column_compression({column}) IS NULL THEN pg_column_size({column})"
        f" WHEN pg_column_size({column}) <= 32768 THEN octet_length({column}::text)"
        f" ELSE pg_column_size({column})::bigint * 100 END"
    )


async def get_texts(context: Context, event_ids: Sequence[UUID], columns: Sequence[Column]) -> dict[UUID, Texts]:
    """The JSON of some events in some columns; together no longer than `MAX_AT_ONCE`."""
    shown = ", ".join(f"{column}::text" for column in columns)
    statement = f"SELECT id, {shown} FROM events WHERE company_id = $1 AND id = ANY ($2)"
    found = await context.connection.fetch(statement, context.company_id, event_ids)
    return {row["id"]: {column: row[column] for column in columns} for row in found}


async def get_part(context: Context, event_id: UUID, column: Column, start: int, missing: ErrorCode) -> str | None:
    """`MAX_PART` characters of an event's JSON from `start` on, which counts from 0; None where there is no JSON.

    Raises `missing` where there is no such event.
    """
    statement = f"SELECT substr({column}::text, $3, {MAX_PART}) AS part FROM events WHERE company_id = $1 AND id = $2"
    row = missing.unless(await context.connection.fetchrow(statement, context.company_id, event_id, start + 1))
    part: str | None = row["part"]
    return part


def compact(text: str | None) -> bytes:
    """JSON without blanks, UTF-8; the database writes some."""
    return b"null" if text is None else msgspec.json.format(text.encode(), indent=-1)


def with_members(members: bytes, text: str) -> bytes:
    """An object's JSON, compact, with more `members` (`"a":1,"b":2`) ahead of its own."""
    rest = compact(text)[1:]
    return b"{%b%b%b" % (members, b"" if rest == b"}" else b",", rest)
