"""Adding journal categories."""

from collections.abc import Sequence

from ledgerbee.chart.journal_categories import store
from ledgerbee.chart.journal_categories.model import JournalCategory, JournalType
from ledgerbee.core.errors import invalid
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials


async def create(
    context: Context, *, name: str, is_default: bool, allowed_journal_types: Sequence[JournalType]
) -> JournalCategory:
    """Add a category; a new default takes the place of the old. Emits `journal_category.created`.

    A default before it loses the mark: emits `journal_category.updated` of it.
    The default is where entries go that name no category, so it has to take every type. Raises
    `JOURNAL_CATEGORY_NAME_ALREADY_EXISTS` and a validation error.
    """
    allowed = tuple(known for known in JournalType if known in allowed_journal_types)
    if is_default and len(allowed) < len(JournalType):
        raise invalid(("allowedJournalTypes", "isComplete", "allowedJournalTypes must be all of them for the default"))
    category = JournalCategory(new_id(), name, is_default, allowed, context.now)
    others = await store.list_all(context) if is_default else []
    await store.insert(context, category)
    context.emit("journal_category.created", category.id, told(JournalCategory, category))
    for other in others:
        if other.is_default:
            was = told(JournalCategory, other)
            context.emit("journal_category.updated", other.id, was | {"isDefault": False}, before=was)
    if is_default:
        await credentials.refresh_company(context)  # entries take the default from what is known
    return category
