"""Lines of entries and drafts: read all of an owner's, or portion by portion where they are many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import asyncpg

from ledgerbee.ledger.entries.rules.portions import MAX_AT_ONCE, Portion
from ledgerbee.ledger.entries.store.columns import LINE_COLUMNS, listed
from ledgerbee.platform.context import Context


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

    async def get_all(self, context: Context, owners: Sequence[UUID]) -> dict[UUID, list[asyncpg.Record]]:
        """The lines of each of the owners."""
        rows = await context.connection.fetch(self.whole, context.company_id, owners) if owners else []
        return self._by_owner(owners, rows)

    async def get_few(self, context: Context, owners: Sequence[UUID]) -> dict[UUID, list[asyncpg.Record]] | None:
        """The lines of each of the owners; None where those are too many to be read at once."""
        if not owners:
            return {}
        limited = f"{self.whole} LIMIT {MAX_AT_ONCE + 1}"  # one more than is read at once: then there are too many
        rows = await context.connection.fetch(limited, context.company_id, owners)
        return self._by_owner(owners, rows) if len(rows) <= MAX_AT_ONCE else None

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

    def _by_owner(self, owners: Sequence[UUID], rows: Sequence[asyncpg.Record]) -> dict[UUID, list[asyncpg.Record]]:
        lines: dict[UUID, list[asyncpg.Record]] = {owner: [] for owner in owners}
        for row in rows:
            lines[row[self.owner]].append(row)
        return lines
