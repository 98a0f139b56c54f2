"""A document's snapshot as an e-invoice."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.sales.einvoices import oioubl, peppol, rules
from ledgerbee.sales.einvoices.model import Route, TradeDocument
from ledgerbee.sales.einvoices.reading import document_of

_WRITERS: Final[Mapping[EInvoiceFormat, Callable[[TradeDocument], bytes]]] = {
    EInvoiceFormat.PEPPOL: peppol.write,
    EInvoiceFormat.OIOUBL: oioubl.write,
}


def write(snapshot: Mapping[str, Any], form: EInvoiceFormat) -> bytes:
    """The XML of a booked invoice or credit note, with the figures of its PDF. Raises `E_INVOICE_INCOMPLETE`."""
    document = document_of(snapshot)
    rules.check_complete(document, form)
    return _WRITERS[form](document)


def missing(snapshot: Mapping[str, Any], form: EInvoiceFormat) -> tuple[str, ...]:
    """What a document, booked or about to be, lacks to be an e-invoice (`rules.missing`)."""
    return rules.missing(document_of(snapshot), form)


def route(snapshot: Mapping[str, Any]) -> Route:
    """In which format a document, booked or about to be, is sent, and between whom (`rules.route`).

    Its lines are not looked at. Raises `E_INVOICE_INCOMPLETE`.
    """
    return rules.route(document_of({**snapshot, "lines": ()}))
