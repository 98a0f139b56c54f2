"""What makes an entry one that can be posted. Pure, split by subject."""

from ledgerbee.ledger.entries.rules.balance import (
    RATE_PLACES,
    Conversion,
    balance_in_base,
    check_balanced,
    check_entry,
)
from ledgerbee.ledger.entries.rules.chain import canonical, chain_hash, digest, genesis
from ledgerbee.ledger.entries.rules.entering import (
    Books,
    check_delivery_date,
    checks_without_books,
    entry_to_post,
    validated,
    with_control_line,
)
from ledgerbee.ledger.entries.rules.portions import MAX_AT_ONCE, Portion, groups_of, portions_of, text_of
from ledgerbee.ledger.entries.rules.reversal import check_reversal_day, check_reversible, reversal
from ledgerbee.ledger.entries.rules.vat import other, split, untaxed
from ledgerbee.ledger.entries.rules.warnings import control_warnings, with_warnings

__all__ = [
    "MAX_AT_ONCE",
    "RATE_PLACES",
    "Books",
    "Conversion",
    "Portion",
    "balance_in_base",
    "canonical",
    "chain_hash",
    "check_balanced",
    "check_delivery_date",
    "check_entry",
    "check_reversal_day",
    "check_reversible",
    "checks_without_books",
    "control_warnings",
    "digest",
    "entry_to_post",
    "genesis",
    "groups_of",
    "other",
    "portions_of",
    "reversal",
    "split",
    "text_of",
    "untaxed",
    "validated",
    "with_control_line",
    "with_warnings",
]
