"""What makes an entry one that can be posted. Pure, split by subject."""

from ledgerbee.ledger.entries.rules.balance import (
    RATE_PLACES,
    Conversion,
    balance_in_base,
    below,
    check,
    check_balanced,
)
from ledgerbee.ledger.entries.rules.chain import canonical, chain_hash, digest, genesis
from ledgerbee.ledger.entries.rules.entering import (
    Books,
    check_delivery_date,
    checked,
    checks_without_books,
    complete,
    with_control_line,
)
from ledgerbee.ledger.entries.rules.portions import MAX_AT_ONCE, Portion, groups_of, portions_of, text_of
from ledgerbee.ledger.entries.rules.reversal import check_reversal_day, check_reversible, reversal
from ledgerbee.ledger.entries.rules.text import json_of
from ledgerbee.ledger.entries.rules.vat import other, split, untaxed
from ledgerbee.ledger.entries.rules.warnings import EntryWarning, control_warnings, with_warnings

__all__ = [
    "MAX_AT_ONCE",
    "RATE_PLACES",
    "Books",
    "Conversion",
    "EntryWarning",
    "Portion",
    "balance_in_base",
    "below",
    "canonical",
    "chain_hash",
    "check",
    "check_balanced",
    "check_delivery_date",
    "check_reversal_day",
    "check_reversible",
    "checked",
    "checks_without_books",
    "complete",
    "control_warnings",
    "digest",
    "genesis",
    "groups_of",
    "json_of",
    "other",
    "portions_of",
    "reversal",
    "split",
    "text_of",
    "untaxed",
    "with_control_line",
    "with_warnings",
]
