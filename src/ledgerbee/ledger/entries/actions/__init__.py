"""What can be done with journal entries, split by verb."""

from ledgerbee.ledger.entries.actions.correct import correct
from ledgerbee.ledger.entries.actions.enter import enter, enter_together, with_faults_of_others
from ledgerbee.ledger.entries.actions.post import (
    Batch,
    Prepared,
    batch_of,
    post,
    post_for,
    post_of_document,
    prepare,
    record,
)
from ledgerbee.ledger.entries.actions.reverse import reverse, reverse_batch, reverse_of_document
from ledgerbee.ledger.entries.actions.warn import enter_together_with_warnings, warned

__all__ = [
    "Batch",
    "Prepared",
    "batch_of",
    "correct",
    "enter",
    "enter_together",
    "enter_together_with_warnings",
    "post",
    "post_for",
    "post_of_document",
    "prepare",
    "record",
    "reverse",
    "reverse_batch",
    "reverse_of_document",
    "warned",
    "with_faults_of_others",
]
