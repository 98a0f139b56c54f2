"""What is decided alike when a document of any kind is sent. Pure."""

from ledgerbee.sales.sending.rules.decide import numbered, recipient_of
from ledgerbee.sales.sending.rules.entry import entry_lines, entry_text, journal_entry, vat_in_base

__all__ = ["entry_lines", "entry_text", "journal_entry", "numbered", "recipient_of", "vat_in_base"]
