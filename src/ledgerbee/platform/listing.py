"""Pages out of big tables: the SQL that every paginated list shares.

The rows of a page are found by an index-only scan (the skipped ones are never fetched from the table) from
whichever end is nearer, then joined to what the list shows. `total` counts the same index. A list that knows how many
rows lie in which stretches of its order (`Stretch`) counts none and skips whole stretches.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context


@dataclass(slots=True)
class Filter:
    """Conditions on the listed table (alias `t`) with their arguments; `$1` is the company."""

    conditions: list[str] = field(default_factory=lambda: ["t.company_id = $1"])
    arguments: list[Any] = field(default_factory=list)
    searched: tuple[str, ...] = ()
    term: str = ""
    term_place: int = 0

    def add(self, condition: str, argument: Any) -> None:
        """Add a condition in which `{}` stands for the argument's placeholder."""
        self.arguments.append(argument)
        self.conditions.append(condition.replace("{}", f"${len(self.arguments) + 1}"))

    def starts_with(self, term: str | None, *columns: str) -> None:
        """Case-insensitive prefix match on any of the columns, which hold lower(text) under COLLATE "C", indexed."""
        if term and term.strip():
            self.arguments.append(term.strip())
            self.term = term.strip()
            self.term_place = len(self.arguments) + 1
            self.searched = columns

    async def where(self, context: Context, table: str) -> str:
        """The conditions as SQL; of the searched columns, only those in which the term is found at all.

        Most terms are found in one column. Its range alone is read off an index, in order; a choice between
        ranges of several columns is not.
        """
        conditions = list(self.conditions)
        if self.searched:
            tries = (
                f"EXISTS (SELECT FROM {table} t WHERE t.company_id = $1 AND {_range(column, 2)})"
                for column in self.searched
            )
            matches = await context.connection.fetchrow(f"SELECT {', '.join(tries)}", context.company_id, self.term)
            assert matches is not None
            ranges = [
                _range(column, self.term_place) for column, found in zip(self.searched, matches, strict=True) if found
            ]
            # The term stays an argument even when it is found nowhere.
            conditions.append(f"({' OR '.join(ranges)})" if ranges else f"${self.term_place}::text IS NULL")
        return " AND ".join(conditions)


def _range(column: str, place: int) -> str:
    """`column` starts with argument `place`.

    A range instead of LIKE over lower(column): under row-level security an index serves only conditions that
    can't leak what they see, and neither LIKE nor lower() is marked as such.
    """
    # chr(1114111) is the last code point: what starts with the term lies between it and the term itself.
    return f"(t.{column} >= lower(${place}) AND t.{column} < lower(${place}) || chr(1114111))"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`count` rows that follow each other in a list's order: their values of its column are `first` to `last`."""

    first: Any
    last: Any
    count: int


async def fetch_page(
    context: Context,
    *,
    table: str,
    select: str,
    filters: Filter,
    order_by: Mapping[str, str],
    request: PageRequest,
    stretches: Sequence[Stretch] | None = None,
) -> Page[asyncpg.Record]:
    """The requested page of `table`.

    `select` is a SELECT over `page p`, which holds the page's `company_id` and `id` and keeps its order by
    `p.position`; `order_by` maps the wire's sort names to columns of `t`. Ties are broken by id.
    `stretches` are all rows of an unfiltered list, ascending by the column that it is sorted by.
    """
    arguments = [context.company_id, *filters.arguments]
    where = await filters.where(context, table)
    if stretches is None:
        total = int(await context.connection.fetchval(f"SELECT count(*) FROM {table} t WHERE {where}", *arguments))
        stretches = [Stretch(None, None, total)]
    total = sum(stretch.count for stretch in stretches)
    if request.offset >= total:
        return Page([], total)
    column = order_by[request.sort_by]
    descending, skipped, edge = _way(stretches, request, total)
    direction, position = ("DESC" if descending else "ASC"), ("" if descending == request.descending else "-")
    if edge is not None:
        arguments.append(edge)
        where += f" AND {column} {'<=' if descending else '>='} ${len(arguments)}"
    # The names are this code's own; only values come from outside, as arguments.
    rows = await context.connection.fetch(
        f"WITH page AS (SELECT f.company_id, f.id, {position}(row_number() OVER ()) AS position FROM ("
        f" SELECT t.company_id, t.id FROM {table} t WHERE {where}"
        f" ORDER BY {column} {direction}, t.id {direction}"
        f" OFFSET {skipped} LIMIT {min(request.limit, total - request.offset)}) f)"
        f" {select} ORDER BY p.position",
        *arguments,
    )
    return Page(rows, total)


def _way(stretches: Sequence[Stretch], request: PageRequest, total: int) -> tuple[bool, int, Any]:
    """The shorter way to a page: whether it goes down, how many rows it skips, and after which edge (None: the end)."""
    before, behind = request.offset, max(0, total - request.offset - request.limit)
    up, down = (behind, before) if request.descending else (before, behind)
    skipped_up, edge_up = _skip(stretches, up, lambda stretch: stretch.first)
    skipped_down, edge_down = _skip(reversed(stretches), down, lambda stretch: stretch.last)
    if skipped_down < skipped_up or (skipped_down == skipped_up and request.descending):
        return True, skipped_down, edge_down
    return False, skipped_up, edge_up


def _skip(stretches: Iterable[Stretch], rows: int, edge: Callable[[Stretch], Any]) -> tuple[int, Any]:
    """What is left to skip within the stretch where `rows` rows have been passed, and that one's near edge."""
    for stretch in stretches:
        if rows < stretch.count:
            return rows, edge(stretch)
        rows -= stretch.count
    raise AssertionError("unreachable: a page begins and ends within the list")
