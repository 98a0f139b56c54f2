"""What is decided of credit notes. Pure, split by subject."""

from ledgerbee.sales.credit_notes.rules.allocation import allocate, computed_of, is_credited, left_of, negated, taken_by
from ledgerbee.sales.credit_notes.rules.booking import Drawn, book, buyer_of, draw_up
from ledgerbee.sales.credit_notes.rules.draft import check_days, check_is_of, of_invoice, terms, with_lines
from ledgerbee.sales.credit_notes.rules.entry import base_amount, entry_lines, entry_text
from ledgerbee.sales.credit_notes.rules.states import (
    BOOKED,
    WHEN_CLAIMED,
    WHEN_DELIVERED,
    WHEN_FAILED,
    cancel,
    require_draft,
)
from ledgerbee.sales.credit_notes.rules.taxes import taxes_of

__all__ = [
    "BOOKED",
    "WHEN_CLAIMED",
    "WHEN_DELIVERED",
    "WHEN_FAILED",
    "Drawn",
    "allocate",
    "base_amount",
    "book",
    "buyer_of",
    "cancel",
    "check_days",
    "check_is_of",
    "computed_of",
    "draw_up",
    "entry_lines",
    "entry_text",
    "is_credited",
    "left_of",
    "negated",
    "of_invoice",
    "require_draft",
    "taken_by",
    "taxes_of",
    "terms",
    "with_lines",
]
