"""The kinds of document there are, for whatever works on documents of any kind."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.quotes.kind import QUOTES

KINDS: Final[Mapping[DocumentKind, AnyKind]] = {
    INVOICES.kind: INVOICES,
    QUOTES.kind: QUOTES,
    ORDER_CONFIRMATIONS.kind: ORDER_CONFIRMATIONS,
}
