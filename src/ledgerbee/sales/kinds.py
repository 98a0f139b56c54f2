"""The kinds of document there are, for whatever works on documents of any kind."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.quotes.kind import QUOTES

KINDS: Final[Mapping[DocumentKind, AnyKind]] = {
    kind.kind: kind for kind in (INVOICES, CREDIT_NOTES, QUOTES, ORDER_CONFIRMATIONS)
}
