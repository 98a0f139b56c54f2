"""What can be done with journal entries, split by verb."""

from ledgerbee.ledger.entries.actions.days import check_day
from ledgerbee.ledger.entries.actions.enter import (
    enter,
    enter_together,
    enter_together_with_warnings,
    warned,
    with_faults_of_others,
)
from ledgerbee.ledger.entries.actions.post import (
    HashedEntry,
    PostingBatch,
    hash_entry,
    post_of_document,
    post_of_documents,
    post_with_events,
    posting_batch,
)
from ledgerbee.ledger.entries.actions.reverse import reverse, reverse_batch, reverse_of_document
from ledgerbee.ledger.entries.actions.update import update

__all__ = [
    "HashedEntry",
    "PostingBatch",
    "check_day",
    "enter",
    "enter_together",
    "enter_together_with_warnings",
    "hash_entry",
    "post_of_document",
    "post_of_documents",
    "post_with_events",
    "posting_batch",
    "reverse",
    "reverse_batch",
    "reverse_of_document",
    "update",
    "warned",
    "with_faults_of_others",
]
