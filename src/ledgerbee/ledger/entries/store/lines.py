"""Lines of entries and drafts: read all of an owner's, or portion by portion where they are many."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.ledger.entries.rules.portions import MAX_AT_ONCE, Portion
from ledgerbee.ledger.entries.store.columns import LINE_COLUMNS, listed
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way, in_steps

#: An entry or a draft.
T = TypeVar("T")
#: What makes one of its own row and those of its lines.
Make = Callable[[asyncpg.Record, Sequence[asyncpg.Record]], T]


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Entries or drafts that are asked for, in order, and how many there are in all.

    With their lines, or, where those are too many to be read at once (`MAX_AT_ONCE`), without: then `whole` is None,
    `rows` are their own rows by id, and `counts` says how many lines each has.
    """

    whole: list[T] | None
    rows: Mapping[UUID, asyncpg.Record]
    counts: Sequence[tuple[UUID, int]]
    total: int


@dataclass(frozen=True, slots=True)
class LineStatements:
    """The statements over one table of lines, whose column `owner` is the id of an entry or a draft.

    Lines are numbered from 1 in each owner. `whole` reads all lines of some owners, `portions` those of portions,
    `counts` how many lines each owner has.
    """

    owner: str
    whole: str
    portions: str
    counts: str

    @classmethod
    def of(cls, table: str, owner: str, columns: Iterable[str]) -> Self:
        """The statements over a table that has `columns` beside those of all lines."""
        selected = (
            f"SELECT l.{owner}, l.id, {listed((*LINE_COLUMNS, *columns), 'l')},"
            " a.number AS account_number, a.name AS account_name"
        )
        accounts = "JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id"
        return cls(
            owner,
            f"{selected} FROM {table} l {accounts}"
            f" WHERE l.company_id = $1 AND l.{owner} = ANY ($2) ORDER BY l.{owner}, l.line_number",
            f"{selected}, p.number AS portion"
            " FROM unnest($2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY AS p (owner, first, last, number)"
            f" JOIN {table} l ON l.company_id = $1 AND l.{owner} = p.owner AND l.line_number BETWEEN p.first AND p.last"
            f" {accounts} ORDER BY p.number, l.line_number",
            f"SELECT (SELECT max(l.line_number) FROM {table} l WHERE l.company_id = $1 AND l.{owner} = o.id) AS lines"
            " FROM unnest($2::uuid[]) WITH ORDINALITY AS o (id, number) ORDER BY o.number",
        )

    async def find(
        self,
        context: Context,
        rows: Sequence[asyncpg.Record],
        total: int,
        make: Make[T],
    ) -> Found[T]:
        """What was found, of `total` in all; `rows` are the owners'."""
        ids = [row["id"] for row in rows]
        limited = f"{self.whole} LIMIT {MAX_AT_ONCE + 1}"  # one more than is read at once: then there are too many
        lines = await context.connection.fetch(limited, context.company_id, ids) if ids else []
        if len(lines) <= MAX_AT_ONCE:
            return Found(await self._with_lines(rows, lines, make), {}, (), total)
        counts = await self.count(context, ids)
        return Found(None, dict(zip(ids, rows, strict=True)), list(zip(ids, counts, strict=True)), total)

    async def get_all(
        self,
        context: Context,
        rows: Sequence[asyncpg.Record],
        make: Make[T],
    ) -> list[T]:
        """The owners of these `rows`, each with all of its lines."""
        ids = [row["id"] for row in rows]
        lines = await context.connection.fetch(self.whole, context.company_id, ids) if ids else []
        return await self._with_lines(rows, lines, make)

    async def get_portions(self, context: Context, portions: Sequence[Portion]) -> list[list[asyncpg.Record]]:
        """The lines of each of the portions."""
        lines: list[list[asyncpg.Record]] = [[] for _ in portions]
        for line in await context.connection.fetch(
            self.portions,
            context.company_id,
            [portion.owner for portion in portions],
            [portion.first for portion in portions],
            [portion.last for portion in portions],
        ):
            lines[line["portion"] - 1].append(line)
        return lines

    async def count(self, context: Context, owners: Sequence[UUID]) -> list[int]:
        """How many lines each of the owners has, in their order."""
        rows = await context.connection.fetch(self.counts, context.company_id, owners)
        return [row["lines"] or 0 for row in rows]

    async def _with_lines(
        self,
        rows: Sequence[asyncpg.Record],
        lines: Sequence[asyncpg.Record],
        make: Make[T],
    ) -> list[T]:
        await give_way()
        of_owner: dict[UUID, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
        for line in lines:
            of_owner[line[self.owner]].append(line)
        return [make(row, of_owner[row["id"]]) async for row in in_steps(rows, lambda row: len(of_owner[row["id"]]))]
