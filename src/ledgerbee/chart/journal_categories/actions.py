"""Adding journal categories."""

from collections.abc import Sequence

from ledgerbee.chart.journal_categories import store
from ledgerbee.chart.journal_categories.model import JournalCategory, JournalType
from ledgerbee.core.errors import invalid
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials


async def create(
    context: Context, *, name: str, is_default: bool, allowed_journal_types: Sequence[JournalType]
) -> JournalCategory:
    """Add a category; a new default takes the place of the old.

    The default is where entries go that name no category, so it has to take every type. Raises
    `JOURNAL_CATEGORY_NAME_ALREADY_EXISTS` and a validation error.
    """
    allowed = tuple(known for known in JournalType if known in allowed_journal_types)
    if is_default and len(allowed) < len(JournalType):
        raise invalid(("allowedJournalTypes", "isComplete", "allowedJournalTypes must be all of them for the default"))
    category = JournalCategory(new_id(), name, is_default, allowed, context.now)
    await store.insert(context, category)
    if is_default:
        await credentials.refresh_company(context)  # entries take the default from what is known
    return category
