"""What can be done with a document of any kind, split by verb."""

from ledgerbee.sales.documents.actions.draft import Forms, create, delete, draw_up, update
from ledgerbee.sales.documents.actions.preview import PrintedDocument, print_document, print_sample, print_sent
from ledgerbee.sales.documents.actions.price import get_drafted_sales, price_lines, tax_lines

__all__ = [
    "Forms",
    "PrintedDocument",
    "create",
    "delete",
    "draw_up",
    "get_drafted_sales",
    "price_lines",
    "print_document",
    "print_sample",
    "print_sent",
    "tax_lines",
    "update",
]
