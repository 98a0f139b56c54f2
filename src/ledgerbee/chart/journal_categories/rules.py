"""Which journal categories a company may have."""

from collections.abc import Collection

from ledgerbee.chart.journal_categories.model import JournalCategory, JournalType
from ledgerbee.core.errors import invalid


def in_order(types: Collection[str]) -> tuple[JournalType, ...]:
    """The types that are among these, each once, in their fixed order."""
    return tuple(known for known in JournalType if known in types)


def check_category(category: JournalCategory) -> None:
    """Refuse a default that doesn't take every type: it is where entries go that name no category.

    Raises a validation error.
    """
    if category.is_default and len(category.allowed_journal_types) < len(JournalType):
        raise invalid(("allowedJournalTypes", "isComplete", "allowedJournalTypes must be all of them for the default"))
