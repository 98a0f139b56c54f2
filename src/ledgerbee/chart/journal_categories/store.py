"""Rows of journal categories."""

from uuid import UUID

import asyncpg

from ledgerbee.chart.journal_categories.model import (
    JOURNAL_CATEGORY_NAME_ALREADY_EXISTS,
    JournalCategory,
    JournalType,
)
from ledgerbee.platform.context import Context

_COLUMNS = "id, name, is_default, allowed_journal_types, created_at"


async def list_all(context: Context) -> list[JournalCategory]:
    """All categories: the default first, then in order of creation."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM journal_categories WHERE company_id = $1 ORDER BY is_default DESC, created_at, id",
        context.company_id,
    )
    return [_category(row) for row in rows]


async def for_type(context: Context, journal_type: str) -> UUID | None:
    """Where the system posts entries of a type (`JournalType`): the first category made for some types, this one among
    them; else the default. None for a company without categories.

    What allows every type is for none in particular, so a new default doesn't change where invoices go.
    """
    found: UUID | None = await context.connection.fetchval(
        "SELECT id FROM journal_categories WHERE company_id = $1 AND (is_default OR ($2 = ANY(allowed_journal_types)"
        " AND NOT allowed_journal_types @> $3)) ORDER BY is_default, created_at, id LIMIT 1",
        context.company_id,
        journal_type,
        list(JournalType),
    )
    return found


async def insert(context: Context, category: JournalCategory) -> None:
    """Add a category; a new default takes the place of the old. Raises
    `JOURNAL_CATEGORY_NAME_ALREADY_EXISTS`."""
    if category.is_default:
        # Two new defaults at once: the second waits here, and its next statement sees the first.
        await context.connection.execute(
            "SELECT FROM journal_categories WHERE company_id = $1 ORDER BY id FOR UPDATE", context.company_id
        )
        await context.connection.execute(
            "UPDATE journal_categories SET is_default = false WHERE company_id = $1 AND is_default", context.company_id
        )
    try:
        await context.connection.execute(
            f"INSERT INTO journal_categories (company_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)",
            context.company_id,
            category.id,
            category.name,
            category.is_default,
            category.allowed_journal_types,
            category.created_at,
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "journal_categories_name":
            raise JOURNAL_CATEGORY_NAME_ALREADY_EXISTS.taken("name", category.name) from None
        raise


def _category(row: asyncpg.Record) -> JournalCategory:
    values = dict(row)
    values["allowed_journal_types"] = tuple(values["allowed_journal_types"])
    return JournalCategory(**values)
