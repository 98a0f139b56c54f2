"""What can be done with a credit note, split by verb."""

from ledgerbee.sales.credit_notes.actions.create import cancel, create, create_on_invoice
from ledgerbee.sales.credit_notes.actions.preview import print_note
from ledgerbee.sales.credit_notes.actions.send import send

__all__ = ["cancel", "create", "create_on_invoice", "print_note", "send"]
