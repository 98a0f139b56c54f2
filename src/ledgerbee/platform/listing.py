"""Pages out of big tables: the SQL that every paginated list shares.

The rows of a page are found by an index-only scan (the skipped ones are never fetched from the table) from
whichever end is nearer, then joined to what the list shows. `total` counts the same index. Lists by days, which grow
the longest, skip whole ranges of days: see `key_ranges.py`.

The planner doesn't know how many rows a condition leaves: nothing is noted of values (`forget_values` in
migrations/sql/0024). Left alone it finds nearly all rows of a company by an index of the condition, fetches and sorts
them. So the conditions that many rows may meet are written in several forms (`Condition`), and the one that is used
goes by the list's sort and by how many rows were counted.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context

#: Rows that are fetched and sorted in the time in which the index of a long list is walked.
FEW: Final = 10_000


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that an index of its own serves, in the forms in which a statement can have it.

    `found` lets that index find the rows, in the order of the columns `order`, or in none. `checked` is looked at row
    by row, for rows that something else finds, and `swept` likewise, for many of them. `is_narrow` says that few of a
    long list's rows meet it, whichever its argument. `counted` counts the rows that meet it and nothing else.
    """

    found: str
    order: tuple[str, ...] = ()
    checked: str = ""
    swept: str = ""
    is_narrow: bool = False
    counted: str = ""

    @property
    def beside_few(self) -> str:
        """The form for rows that something else finds."""
        # No index serves what is asked whether it is true: what is needed for it is read where the rows are found.
        return self.checked or f"({self.found}) IS TRUE"

    @property
    def beside_many(self) -> str:
        """The form for rows of which most of the list is looked at."""
        return self.swept or self.beside_few


@dataclass(slots=True)
class Filter:
    """Conditions on the listed table (alias `t`) with their arguments; `$1` is the company.

    `always` are those of every list of the table, without arguments: its partial indexes go by them. `choices` are
    conditions of which at most one finds the rows, those that leave fewer first.
    `planned_by_value` says that there is no one plan: what suits a term that is found twice is slow for one that is
    found everywhere.
    """

    always: list[str] = field(default_factory=lambda: ["t.company_id = $1"])
    conditions: list[str] = field(default_factory=list)
    choices: list[Condition] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)
    searched: tuple[str, ...] = ()
    term: str = ""
    term_place: int = 0
    planned_by_value: bool = False

    def add(self, condition: str, argument: Any) -> None:
        """Add a condition in which `{}` stands for the argument's placeholder."""
        self.arguments.append(argument)
        self.conditions.append(condition.replace("{}", f"${len(self.arguments) + 1}"))

    def choose(self, condition: Condition, *arguments: Any) -> None:
        """Add a condition in whose forms `{0}` stands for the first argument's placeholder, `{1}` for the second's."""
        places = [f"${len(self.arguments) + place}" for place in range(2, len(arguments) + 2)]
        self.arguments += arguments
        forms = {name: getattr(condition, name).format(*places) for name in ("found", "checked", "swept", "counted")}
        self.choices.append(replace(condition, **forms))

    def counting(self, table: str, where: str) -> str:
        """The statement that counts the rows; `where` is what `to_sql` gave."""
        if len(self.choices) == 1 and self.choices[0].counted and not (self.conditions or self.searched):
            return self.choices[0].counted
        finds = None if self.searched else next(iter(self.choices), None)
        return f"SELECT count(*) FROM {table} t WHERE {self._with_choices(where, finds)}"

    def listed(self, table: str, where: str, column: str, total: int) -> str:
        """The table with its conditions, for a page in the order of a column; `where` is what `to_sql` gave."""
        first = None if self.searched else next(iter(self.choices), None)
        if first is not None and column not in first.order:
            # What finds few rows may find them in any order. How many it finds is known if nothing else is asked for.
            is_alone = len(self.choices) == 1 and not self.conditions
            first = first if total <= FEW and (is_alone or first.is_narrow) else None
        return f"{table} t WHERE {self._with_choices(where, first)}"

    def _with_choices(self, where: str, finds: Condition | None) -> str:
        is_few = bool(self.searched) or (finds is not None and finds.is_narrow)
        others = [
            condition.beside_few if is_few else condition.beside_many
            for condition in self.choices
            if condition is not finds
        ]
        return " AND ".join([where, *([finds.found] if finds is not None else []), *others])

    def starts_with(self, term: str | None, *columns: str) -> None:
        """Case-insensitive prefix match on any of the columns, which hold lower(text) under COLLATE "C", indexed."""
        if term and term.strip():
            self.arguments.append(term.strip())
            self.term = term.strip()
            self.term_place = len(self.arguments) + 1
            self.searched = columns
            self.planned_by_value = True

    async def to_sql(self, context: Context, table: str) -> str:
        """The conditions but for `choices` as SQL; of the searched columns, only those in which the term is found.

        Most terms are found in one column. Its range alone is read off an index, in order; a choice between
        ranges of several columns is not.
        """
        if self.planned_by_value:
            await context.connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        conditions = [*self.always, *self.conditions]
        if self.searched:
            tries = (
                f"EXISTS (SELECT FROM {table} t WHERE {' AND '.join([*self.always, _range(column, 2)])})"
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


#: Rows of a list that is answered whole which are read at a time.
CHUNK: Final = 250


def by_ids(ids: Iterable[UUID], rows: Iterable[asyncpg.Record]) -> list[asyncpg.Record]:
    """The rows in the order of `ids`, without those that aren't there."""
    found = {row["id"]: row for row in rows}
    return [found[one] for one in ids if one in found]


async def in_order(rows: Sequence[asyncpg.Record], key: Callable[[str], Any]) -> list[UUID]:
    """The ids of rows of `id` and `number`, in the order of a key of the number; a long list is no one else's wait."""

    def ordered() -> list[UUID]:
        return [row["id"] for row in sorted(rows, key=lambda row: key(row["number"]))]

    return await asyncio.to_thread(ordered) if len(rows) > CHUNK else ordered()


@dataclass(frozen=True, slots=True)
class Scan:
    """How the rows of a page are found: from which end of the order, and how many rows are skipped."""

    descending: bool
    skipped: int


def choose_scan(skipped_ascending: int, skipped_descending: int, request: PageRequest) -> Scan:
    """The scan that skips fewer rows; of two that skip as many, the one in the order of the page."""
    if skipped_ascending == skipped_descending:
        return Scan(request.descending, skipped_ascending)
    descending = skipped_descending < skipped_ascending
    return Scan(descending, min(skipped_ascending, skipped_descending))


def rows_around(request: PageRequest, total: int) -> tuple[int, int]:
    """How many of `total` rows lie before the page and how many behind it, in ascending order."""
    before, behind = request.offset, max(0, total - request.offset - request.limit)
    return (behind, before) if request.descending else (before, behind)


async def fetch_page(
    context: Context,
    *,
    table: str,
    select: str,
    filters: Filter,
    order_by: Mapping[str, str],
    request: PageRequest,
) -> Page[asyncpg.Record]:
    """The requested page of `table`.

    `select` is a SELECT over `page p`, which holds the page's `company_id` and `id` and keeps its order by
    `p.position`; `order_by` maps the wire's sort names to columns of `t`. Ties are broken by id.
    """
    where = await filters.to_sql(context, table)
    arguments = [context.company_id, *filters.arguments]
    total: int = await context.connection.fetchval(filters.counting(table, where), *arguments)
    if request.offset >= total:
        return Page([], total)
    scan = choose_scan(*rows_around(request, total), request)
    column = order_by[request.sort_by]
    listed = filters.listed(table, where, column, total)
    return Page(await fetch_rows(context, listed, arguments, select, column, scan, request, total), total)


async def fetch_rows(
    context: Context,
    listed: str,
    arguments: list[Any],
    select: str,
    column: str,
    scan: Scan,
    request: PageRequest,
    total: int,
) -> list[asyncpg.Record]:
    """The rows of the page: what the scan finds in `listed`, a table `t` with its conditions, joined by `select`."""
    direction, position = ("DESC" if scan.descending else "ASC"), ("" if scan.descending == request.descending else "-")
    # The names are this code's own; only values come from outside, as arguments. What is skipped is one, so that a
    # session prepares one statement for all pages. The limit is none: the planner knows how few rows will be joined.
    rows: list[asyncpg.Record] = await context.connection.fetch(
        f"WITH page AS (SELECT f.company_id, f.id, {position}(row_number() OVER ()) AS position FROM ("
        f" SELECT t.company_id, t.id FROM {listed}"
        f" ORDER BY {column} {direction}, t.id {direction}"
        f" OFFSET ${len(arguments) + 1} LIMIT {min(request.limit, total - request.offset)}) f)"
        f" {select} ORDER BY p.position",
        *arguments,
        scan.skipped,
    )
    return rows
