"""A received document as a PDF that can be read: what the XML states, set as our own documents are."""

import re
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.money import is_currency
from ledgerbee.purchases.incoming_documents.model import DocumentType, HowToPay, ReceivedDocument, TradingParty
from ledgerbee.purchases.incoming_documents.rules.checks import TaxKey
from ledgerbee.sales.documents.units import ONE_UNIT
from ledgerbee.sales.rendering.coverage import UnprintableTextError
from ledgerbee.sales.rendering.model import (
    Language,
    Party,
    PaymentDetails,
    PrintableDocument,
    PrintLine,
    PrintVatRow,
    References,
    VatInBase,
)
from ledgerbee.sales.rendering.pool import PrintingFailedError, render_async

#: Categories under which neither rate nor VAT is shown, as on documents of our own.
_WITHOUT_RATE: Final = frozenset({"AE", "K", "G", "O", "E"})
_OTHER_CATEGORY: Final = "O"
#: Codes of one piece, which say nothing.
_PIECES: Final = frozenset({ONE_UNIT, "EA", "H87", "ZZ"})
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")


async def print_pdf(company_id: UUID, document: ReceivedDocument, language: str) -> bytes | None:
    """The document as PDF, None where it can't be set: the XML stays what counts.

    Takes its time: call it outside any transaction. Raises `SERVER_BUSY` where too many of the company's wait.
    """
    if not is_currency(document.currency):
        return None
    try:
        return await render_async(company_id, printable(document, "da" if language == "da" else "en"))
    except (UnprintableTextError, PrintingFailedError):
        return None


def printable(document: ReceivedDocument, language: Language) -> PrintableDocument:
    """What is printed of a document in a currency that is known; amounts have the signs of the document."""
    rows = {(row.category, row.rate): index for index, row in enumerate(document.taxes)}
    totals = document.totals
    return PrintableDocument(
        kind="invoice" if document.type is DocumentType.INVOICE else "credit_note",
        language=language,
        is_draft=False,
        number=document.number,
        issue_date=document.issue_date,
        due_date=document.due_date,
        delivery_date=document.delivery_date,
        currency=document.currency,
        seller=_party(document.sender),
        buyer=_party(document.receiver),
        lines=tuple(_lines(document, rows)),
        vat_rows=tuple(
            PrintVatRow(row.rate, row.category or _OTHER_CATEGORY, row.taxable, row.tax, row.reason)  # type: ignore[arg-type]
            for row in document.taxes
        ),
        subtotal=totals.net,
        vat=totals.vat,
        total=totals.gross,
        vat_in_base=_vat_in_base(document),
        references=References(purchase_order=document.order_reference),
        payment=_payment(document.how_to_pay) if document.type is DocumentType.INVOICE else None,
        amount_paid=totals.prepaid or None,
        credits_invoice_number=document.preceding_invoice,
        notes=document.note,
    )


def _party(party: TradingParty) -> Party:
    return Party(
        name=party.name,
        address=(party.address,) if party.address else (),
        postal_code=party.postal_code,
        city=party.city,
        country_code=party.known_country,
        attention=party.contact_name,
        vat_number=party.vat_number,
        email=party.email,
        phone=party.phone,
    )


def _lines(document: ReceivedDocument, rows: dict[TaxKey, int]) -> list[PrintLine]:
    return [
        PrintLine(
            description="\n".join(filter(None, (line.name, line.description if line.description != line.name else ""))),
            quantity=line.quantity if line.quantity is not None else Decimal(1),
            unit=None if line.unit_code in _PIECES else line.unit_code,
            unit_price=line.unit_price if line.unit_price is not None else line.net,
            total=line.net,
            vat_rate=None if line.category in _WITHOUT_RATE else line.rate,
            vat_row=rows.get((line.category, line.rate)),
        )
        for line in document.lines
    ]


def _vat_in_base(document: ReceivedDocument) -> VatInBase | None:
    """VAT in another currency, at the rate that the document itself makes of it."""
    stated = document.totals.vat_in
    if stated is None or not document.totals.vat:
        return None
    return VatInBase(stated[0], stated[1], (stated[1] / document.totals.vat).quantize(Decimal("0.000001")))


def _payment(how: HowToPay) -> PaymentDetails:
    compact = "".join((how.account or "").split())
    if _IBAN.fullmatch(compact):
        return PaymentDetails(iban=compact, bic=how.branch, payment_id=how.payment_id, terms=how.terms)
    return PaymentDetails(
        registration_number=how.branch, account_number=how.account, payment_id=how.payment_id, terms=how.terms
    )
