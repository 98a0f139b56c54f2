"""Pages of lists that are sorted by days: ranges of days that a page doesn't touch are counted, never walked.

A page far behind in a long list would skip as many rows of an index. Here the rows are counted by month (or the caller
knows how many lie in which range), so that only the ranges which the page lies in are read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, choose_scan, fetch_rows, rows_around

#: Days are counted first: they are in the order of an index, months would have to be computed.
_MONTHS: Final = """
SELECT min(d.day), max(d.day), sum(d.count)::bigint
FROM (SELECT {column} AS day, count(*) AS count FROM {listed} GROUP BY {column}) d
GROUP BY date_trunc('month', d.day) ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """`count` rows that follow each other in a list's order: their values of its column are `first` to `last`."""

    first: Any
    last: Any
    count: int


async def fetch_page_by_range(
    context: Context,
    *,
    table: str,
    select: str,
    filters: Filter,
    order_by: Mapping[str, str],
    request: PageRequest,
    key_ranges: Sequence[KeyRange] | None = None,
) -> Page[asyncpg.Record]:
    """As `listing.fetch_page`, of a list that is sorted by days.

    `key_ranges` are all rows of an unfiltered list, ascending by the column that it is sorted by; None: they are
    counted by month.
    """
    assert not filters.choices, "a list of ranges has no conditions of several forms"
    listed = f"{table} t WHERE {await filters.to_sql(context, table)}"
    arguments = [context.company_id, *filters.arguments]
    column = order_by[request.sort_by]
    if key_ranges is None:
        rows = await context.connection.fetch(_MONTHS.format(column=column, listed=listed), *arguments)
        key_ranges = [KeyRange(*row) for row in rows]
    total = sum(key_range.count for key_range in key_ranges)
    if request.offset >= total:
        return Page([], total)
    ascending, descending = rows_around(request, total)
    skipped_ascending, first = _seek(key_ranges, ascending, lambda key_range: key_range.first)
    skipped_descending, last = _seek(reversed(key_ranges), descending, lambda key_range: key_range.last)
    scan = choose_scan(skipped_ascending, skipped_descending, request)
    listed += f" AND {column} BETWEEN ${len(arguments) + 1} AND ${len(arguments) + 2}"
    arguments += [first, last]
    return Page(await fetch_rows(context, listed, arguments, select, column, scan, request, total), total)


def _seek(key_ranges: Iterable[KeyRange], rows: int, edge: Callable[[KeyRange], Any]) -> tuple[int, Any]:
    """What is left to skip within the range where `rows` rows have been passed, and that one's near edge."""
    for key_range in key_ranges:
        if rows < key_range.count:
            return rows, edge(key_range)
        rows -= key_range.count
    raise AssertionError("unreachable: a page begins and ends within the list")
