"""The fixed words of a document, in Danish and English."""

from dataclasses import dataclass
from typing import Final

from ledgerbee.sales.rendering.model import Language, PrintKind, VatCategory


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. `{}` stands for what is filled in."""

    titles: dict[PrintKind, str]
    prepayment: str
    draft: str
    page: str
    number: str
    issue_date: str
    due_date: str
    delivery_date: str
    valid_until: str
    our_reference: str
    your_reference: str
    purchase_order: str
    credits_invoice: str
    buyer: str
    seller: str
    attention: str
    phone: str
    vat_number: str
    danish_number: str
    danish_vat_number: str
    foreign_number: str
    ean: str
    description: str
    quantity: str
    unit: str
    unit_price: str
    discount: str
    vat_short: str
    amount: str
    vat_heading: str
    taxable: str
    vat_amount: str
    vat_categories: dict[VatCategory, str]
    subtotal: str
    vat: str
    vat_in_base: str
    total: str
    paid: str
    credited: str
    balance: str
    brought: str
    carried: str
    payment: str
    to_pay: str
    pay_by: str
    terms: str
    bank: str
    account: str
    payment_id: str
    scan: str
    notes: str
    no_invoice: str


_DANISH: Final = Wording(
    titles={
        "invoice": "Faktura",
        "credit_note": "Kreditnota",
        "quote": "Tilbud",
        "order_confirmation": "Ordrebekræftelse",
        "child_details": "Specifikation af faktura",
    },
    prepayment="Forudbetalingsfaktura",
    draft="KLADDE",
    page="Side {} af {}",
    number="Nummer",
    issue_date="Dato",
    due_date="Forfaldsdato",
    delivery_date="Leveringsdato",
    valid_until="Gyldigt til",
    our_reference="Vores ref.",
    your_reference="Deres ref.",
    purchase_order="PO-nr.",
    credits_invoice="Krediterer faktura",
    buyer="Til",
    seller="Fra",
    attention="Att. {}",
    phone="Tlf. {}",
    vat_number="Momsnr. {}",
    danish_number="CVR-nr. {}",
    danish_vat_number="CVR-/momsnr. {}",
    foreign_number="Virksomhedsnr. {}",
    ean="EAN-nr. {}",
    description="Beskrivelse",
    quantity="Antal",
    unit="Enhed",
    unit_price="Stykpris",
    discount="Rabat",
    vat_short="Moms",
    amount="Beløb",
    vat_heading="Moms",
    taxable="Grundlag",
    vat_amount="Momsbeløb",
    vat_categories={
        "S": "",
        "Z": "",
        "E": "Momsfrit",
        "AE": "Omvendt betalingspligt",
        "K": "EU-salg uden moms",
        "G": "Eksport uden moms",
        "O": "Ikke momspligtigt",
    },
    subtotal="Subtotal",
    vat="Moms",
    vat_in_base="Moms i {} (1 {} = {} {})",
    total="Total {}",
    paid="Betalt",
    credited="Krediteret",
    balance="Restbeløb {}",
    brought="Overført",
    carried="Overføres",
    payment="Betaling",
    to_pay="Til betaling",
    pay_by="Senest {}",
    terms="Betalingsbetingelser",
    bank="Bank",
    account="Reg.- og kontonr.",
    payment_id="Betalings-id",
    scan="Scan koden i bankens app",
    notes="Bemærkninger",
    no_invoice="Dette er ikke en faktura, men en del af, hvad faktura {} omfatter.",
)

_ENGLISH: Final = Wording(
    titles={
        "invoice": "Invoice",
        "credit_note": "Credit note",
        "quote": "Quote",
        "order_confirmation": "Order confirmation",
        "child_details": "Details of invoice",
    },
    prepayment="Prepayment invoice",
    draft="DRAFT",
    page="Page {} of {}",
    number="Number",
    issue_date="Date",
    due_date="Due date",
    delivery_date="Delivery date",
    valid_until="Valid until",
    our_reference="Our reference",
    your_reference="Your reference",
    purchase_order="PO number",
    credits_invoice="Credits invoice",
    buyer="To",
    seller="From",
    attention="Attn. {}",
    phone="Tel. {}",
    vat_number="VAT no. {}",
    danish_number="CVR no. {}",
    danish_vat_number="CVR/VAT no. {}",
    foreign_number="Company no. {}",
    ean="EAN no. {}",
    description="Description",
    quantity="Quantity",
    unit="Unit",
    unit_price="Unit price",
    discount="Discount",
    vat_short="VAT",
    amount="Amount",
    vat_heading="VAT",
    taxable="Taxable amount",
    vat_amount="VAT amount",
    vat_categories={
        "S": "",
        "Z": "",
        "E": "Exempt from VAT",
        "AE": "Reverse charge",
        "K": "Intra-EU supply",
        "G": "Export",
        "O": "Not subject to VAT",
    },
    subtotal="Subtotal",
    vat="VAT",
    vat_in_base="VAT in {} (1 {} = {} {})",
    total="Total {}",
    paid="Paid",
    credited="Credited",
    balance="Balance due {}",
    brought="Brought forward",
    carried="Carried forward",
    payment="Payment",
    to_pay="Amount due",
    pay_by="By {}",
    terms="Terms of payment",
    bank="Bank",
    account="Reg./account no.",
    payment_id="Payment ID",
    scan="Scan with your banking app",
    notes="Notes",
    no_invoice="This is not an invoice: it shows a part of what invoice {} charges.",
)

WORDINGS: Final[dict[Language, Wording]] = {"da": _DANISH, "en": _ENGLISH}
