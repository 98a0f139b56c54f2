"""A document's e-invoice as a file inside its PDF."""

from collections.abc import Mapping
from typing import Any, Final

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.sales.documents.printing import file_name
from ledgerbee.sales.einvoices.writing import missing, write
from ledgerbee.sales.rendering.model import Attachment

#: The format that every receiver of e-invoices in Europe reads.
_FORMAT: Final = EInvoiceFormat.PEPPOL
_DESCRIPTION: Final = "Peppol BIS Billing 3 (EN 16931)"


def xml_name(snapshot: Mapping[str, Any], form: EInvoiceFormat) -> str:
    """The name of an e-invoice's file: that of the PDF, and the format: `Faktura 1042 peppol.xml`."""
    return f"{file_name(snapshot).removesuffix('.pdf')} {form.value}.xml"


def attached(snapshot: Mapping[str, Any]) -> Attachment | None:
    """The e-invoice of a booked invoice or credit note; None where something is missing that one needs."""
    if missing(snapshot, _FORMAT):
        return None
    return Attachment(xml_name(snapshot, _FORMAT), write(snapshot, _FORMAT), _DESCRIPTION)
