"""What the journal says of an invoice. Pure."""

from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.sending import rules


def entry_text(invoice: Invoice, customer_name: str, language: str) -> str:
    """The text of an invoice's entry: its own description, if any, then what it is and for whom."""
    title = f"{'Faktura' if language == 'da' else 'Invoice'} {invoice.number}, {customer_name}"
    return rules.entry_text(title, invoice.description)
