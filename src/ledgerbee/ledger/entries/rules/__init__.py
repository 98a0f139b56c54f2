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
    entry_to_post,
    validated,
    with_control_line,
)
from ledgerbee.ledger.entries.rules.reversal import check_reversal_day, check_reversible, reversal
from ledgerbee.ledger.entries.rules.vat import other, split, untaxed
from ledgerbee.ledger.entries.rules.warnings import control_warnings, with_warnings

__all__ = [
    "RATE_PLACES",
    "Books",
    "Conversion",
    "balance_in_base",
    "canonical",
    "chain_hash",
    "check_balanced",
    "check_delivery_date",
    "check_entry",
    "check_reversal_day",
    "check_reversible",
    "control_warnings",
    "digest",
    "entry_to_post",
    "genesis",
    "other",
    "reversal",
    "split",
    "untaxed",
    "validated",
    "with_control_line",
    "with_warnings",
]
