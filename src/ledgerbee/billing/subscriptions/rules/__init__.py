"""Rules of subscriptions. Pure."""

from ledgerbee.billing.subscriptions.rules.advancing import MAX_PERIODS, advance
from ledgerbee.billing.subscriptions.rules.applying import chosen_items, first_terms
from ledgerbee.billing.subscriptions.rules.groups import count_due_periods, next_group, next_run_on
from ledgerbee.billing.subscriptions.rules.reading import read_of, version_on
from ledgerbee.billing.subscriptions.rules.status import status_on
from ledgerbee.billing.subscriptions.rules.work import new_version

__all__ = [
    "MAX_PERIODS",
    "advance",
    "chosen_items",
    "count_due_periods",
    "first_terms",
    "new_version",
    "next_group",
    "next_run_on",
    "read_of",
    "status_on",
    "version_on",
]
