"""Adding journal categories."""

from dataclasses import replace

from ledgerbee.chart.journal_categories import store
from ledgerbee.chart.journal_categories.model import (
    JournalCategory,
    JournalCategoryFields,
    JournalCategoryId,
)
from ledgerbee.chart.journal_categories.rules import check_category
from ledgerbee.chart.journal_categories.wire import render
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials


async def create(context: Context, given: JournalCategoryFields) -> JournalCategory:
    """Add a category; a new default takes the place of the old. Emits `journal_category.created`.

    A default before it loses the mark: emits `journal_category.updated` of it.
    Raises `JOURNAL_CATEGORY_NAME_ALREADY_EXISTS` and a validation error.
    """
    category = JournalCategory(id=JournalCategoryId(new_id()), created_at=context.now, **fields_of(given))
    check_category(category)
    others = await store.list_all(context) if category.is_default else []
    await store.insert(context, category)
    context.emit("journal_category.created", category.id, render(category).as_event())
    for other in others:
        if other.is_default:
            after = render(replace(other, is_default=False)).as_event()
            context.emit("journal_category.updated", other.id, after, before=render(other).as_event())
    if category.is_default:
        await credentials.refresh_company(context)  # entries take the default from what is known
    return category
