"""Rows of journal categories."""

from collections.abc import Iterable
from typing import Any, Final

from ledgerbee.chart.journal_categories.model import (
    JOURNAL_CATEGORY_NAME_ALREADY_EXISTS,
    JournalCategory,
)
from ledgerbee.core.fields import names_of
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context


def columns(alias: str) -> str:
    """What a SELECT names to read a category from `journal_categories` under an alias, for `category`."""
    return rows.columns(JournalCategory, alias)


_NAMES: Final = names_of(JournalCategory)
_LIST: Final = (
    f"SELECT {columns('j')} FROM journal_categories j WHERE j.company_id = $1"
    " ORDER BY j.is_default DESC, j.created_at, j.id"
)
#: Where the system posts entries of a type ($2, a `JournalType`), as a part of other statements; $3 are all types.
#: It is the first category made for some types, this one among them; else the default. None for a company without any.
#: What allows every type is for none in particular, so a new default doesn't change where invoices go.
FOR_TYPE: Final = (
    "SELECT id FROM journal_categories WHERE company_id = $1 AND (is_default OR ($2 = ANY(allowed_journal_types)"
    " AND NOT allowed_journal_types @> $3)) ORDER BY is_default, created_at, id LIMIT 1"
)
_LOCK_ALL: Final = "SELECT FROM journal_categories WHERE company_id = $1 ORDER BY id FOR UPDATE"
_CLEAR_DEFAULT: Final = "UPDATE journal_categories SET is_default = false WHERE company_id = $1 AND is_default"
_INSERT: Final = rows.insert("journal_categories", JournalCategory)


async def list_all(context: Context) -> list[JournalCategory]:
    """All categories: the default first, then in order of creation."""
    return [category(row) for row in await context.connection.fetch(_LIST, context.company_id)]


async def insert(context: Context, category: JournalCategory) -> None:
    """Add a category; a new default takes the place of the old. Raises `JOURNAL_CATEGORY_NAME_ALREADY_EXISTS`."""
    if category.is_default:
        # Two new defaults at once: the second waits here, and its next statement sees the first.
        await context.connection.execute(_LOCK_ALL, context.company_id)
        await context.connection.execute(_CLEAR_DEFAULT, context.company_id)
    taken = JOURNAL_CATEGORY_NAME_ALREADY_EXISTS.taken("name", category.name)
    with rows.refusing({"journal_categories_name": taken}):
        await context.connection.execute(_INSERT, context.company_id, *rows.values(category))


def category(row: Iterable[Any]) -> JournalCategory:
    """A category from a row of `columns`, whose values are in their order."""
    values = dict(zip(_NAMES, row, strict=True))
    values["allowed_journal_types"] = tuple(values["allowed_journal_types"])
    return JournalCategory(**values)
