"""What is decided alike when a document of any kind is sent. Pure."""

from ledgerbee.sales.sending.rules.decide import numbered, recipient_of
from ledgerbee.sales.sending.rules.entry import entry_lines, entry_text, journal_entry, vat_in_base
from ledgerbee.sales.sending.rules.residues import difference_of, exchange_difference, residues

__all__ = [
    "difference_of",
    "entry_lines",
    "entry_text",
    "exchange_difference",
    "journal_entry",
    "numbered",
    "recipient_of",
    "residues",
    "vat_in_base",
]
