"""From a document's snapshot to what is printed. Drafts and booked documents take the same way."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ledgerbee.platform.company.logo import UnreadableLogo
from ledgerbee.sales.rendering.model import (
    Language,
    Party,
    PaymentDetails,
    PrintableDocument,
    PrintLine,
    References,
    VatInBase,
    VatRow,
)
from ledgerbee.sales.rendering.renderer import render_async

#: Categories of EN 16931 under which an invoice shows neither rate nor VAT amount.
WITHOUT_RATE: Final = frozenset({"AE", "K", "G", "O", "E"})

_TERMS: Final[Mapping[str, tuple[str, str]]] = {
    "da": ("Netto kontant", "Netto {} dage"),
    "en": ("Due on receipt", "Net {} days"),
}


def printable(snapshot: Mapping[str, Any], *, is_draft: bool, logo: bytes | None = None) -> PrintableDocument:
    """The document a snapshot describes. `is_draft` prints the watermark; the logo is the company's present one."""
    language: Language = "da" if snapshot["language"] == "da" else "en"
    references, in_base = snapshot["references"], snapshot["vatInBase"]
    return PrintableDocument(
        kind=snapshot["kind"],
        language=language,
        is_draft=is_draft,
        number=snapshot["number"],
        issue_date=date.fromisoformat(snapshot["issueDate"]),
        due_date=_day(snapshot["dueDate"]),
        valid_until=_day(snapshot["validUntil"]),
        currency=snapshot["currency"],
        seller=_party(snapshot["seller"]),
        buyer=_party(snapshot["buyer"]),
        references=References(
            our_reference=references["ourReference"],
            your_reference=references["yourReference"],
            purchase_order=references["purchaseOrder"],
            description=references["description"],
        ),
        lines=tuple(_line(line) for line in snapshot["lines"]),
        vat_rows=tuple(_vat_row(row, language) for row in snapshot["vatRows"]),
        subtotal=Decimal(snapshot["subtotal"]),
        vat=Decimal(snapshot["vat"]),
        total=Decimal(snapshot["amount"]),
        vat_in_base=None
        if in_base is None
        else VatInBase(in_base["currency"], Decimal(in_base["amount"]), Decimal(in_base["rate"])),
        payment=_payment(snapshot["payment"], language) if snapshot["kind"] == "invoice" else None,
        credits_invoice_number=snapshot["creditsInvoiceNumber"],
        notes=snapshot["notes"],
        logo=logo,
    )


async def print_pdf(snapshot: Mapping[str, Any], *, is_draft: bool, logo: bytes | None) -> bytes:
    """The document as PDF/A; a logo that can't be drawn is left out rather than keep an invoice from its buyer."""
    try:
        return await render_async(printable(snapshot, is_draft=is_draft, logo=logo))
    except UnreadableLogo:
        return await render_async(printable(snapshot, is_draft=is_draft))


def file_name(snapshot: Mapping[str, Any]) -> str:
    """A file name that every system takes: `invoice-1042.pdf`, `invoice-draft.pdf`."""
    number = "".join(char if char.isascii() and char.isalnum() else "-" for char in snapshot["number"] or "draft")
    return f"{snapshot['kind'].replace('_', '-')}-{number}.pdf"


def _party(party: Mapping[str, Any]) -> Party:
    return Party(
        name=party["name"],
        address=tuple(line.strip() for line in (party["address"] or "").splitlines() if line.strip()),
        postal_code=party["postalCode"],
        city=party["city"],
        country_code=party["countryCode"],
        attention=party.get("attention"),
        vat_number=party["vatNumber"],
        registration_number=party.get("registrationNumber"),
        ean=party.get("ean"),
        email=party["email"],
        phone=party["phone"],
        website=party.get("website"),
    )


def _line(line: Mapping[str, Any]) -> PrintLine:
    if line["kind"] != "product":
        return PrintLine(kind=line["kind"], description=line["description"] or "")
    return PrintLine(
        kind="product",
        description=line["description"] or "",
        quantity=Decimal(line["quantity"]),
        unit=line["unit"],
        unit_price=Decimal(line["unitPrice"]),
        discount_percent=Decimal(line["discountPercent"]) or None,
        total=Decimal(line["total"]),
        vat_rate=None if line["vatCategory"] in WITHOUT_RATE else Decimal(line["vatRate"]),
    )


def _vat_row(row: Mapping[str, Any], language: Language) -> VatRow:
    reasons = row["exemptionReason"]
    return VatRow(
        rate=Decimal(row["rate"]),
        category=row["category"],
        taxable=Decimal(row["taxable"]),
        vat=Decimal(row["vat"]),
        exemption_text=reasons[language] or reasons["en"] or reasons["da"],
    )


def _payment(payment: Mapping[str, Any], language: Language) -> PaymentDetails:
    at_once, within = _TERMS[language]
    days: int | None = payment["termsDays"]
    terms = None if days is None else within.format(days) if days else at_once
    return PaymentDetails(
        bank_name=payment["bankName"],
        registration_number=payment["registrationNumber"],
        account_number=payment["accountNumber"],
        iban=payment["iban"],
        bic=payment["bic"],
        payment_id=payment["paymentId"],
        terms=terms,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
