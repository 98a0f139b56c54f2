"""A document as the template takes it: finished strings in their places.

The template sets pages and knows no language, no number format and no rule; everything it shows is decided here.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale

from ledgerbee.platform.company.logo import read_logo
from ledgerbee.sales.rendering.formatting import format_date, format_money, format_number, format_percent
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import Party, PaymentDetails, PrintableDocument, VatRow
from ledgerbee.sales.rendering.table import BODY, PAGE_ROOM, lay_out_table
from ledgerbee.sales.rendering.text import clipped, fitted, one_line, printable, split
from ledgerbee.sales.rendering.wording import WORDINGS, Wording

#: Font sizes in thousandths of a point; the template sets the same ones.
_SMALL: Final = 7500
_HEADLINE: Final = 11_000
#: Semi-bold and larger than it is set, so that the regular widths are enough.
_NAME: Final = 11_000
_SIGN: Final = 15_000
#: What a logo must fit into (70 mm x 16 mm).
_LOGO_WIDTH: Final = 198_400
_LOGO_HEIGHT: Final = 45_300
#: How wide a text may be where it stands, in thousandths of a point.
_PARTY_ROOM: Final = 150_000
_FACT_ROOM: Final = 150_000
_PAYMENT_ROOM: Final = 205_000
_PAYMENT_NAME_ROOM: Final = 92_000
_REASON_ROOM: Final = 225_000
_FOOTER_ROOM: Final = 400_000

#: Longest texts, in characters, where a page must keep its form. Descriptions, terms and notes run on instead.
_NAME_LIMIT: Final = 160
_LINE_LIMIT: Final = 100
_DOT: Final = " · "

View = dict[str, Any]


@lru_cache(maxsize=512)
def _country(language: str, code: str) -> str:
    return str(Locale(language).territories.get(code.upper(), code))


@dataclass(frozen=True, slots=True)
class _Writer:
    """One document, its words and its fonts."""

    document: PrintableDocument
    words: Wording
    metrics: FontMetrics

    def line(self, text: str, room: int, limit: int = _LINE_LIMIT, size: int = BODY) -> str:
        """One line of at most `limit` characters that may wrap within `room`."""
        return fitted(one_line(printable(text, self.metrics, limit)).strip(), self.metrics, size, room)

    def short(self, text: str, room: int, size: int = BODY) -> str:
        """One line that is cut to fit `room`."""
        return clipped(one_line(printable(text, self.metrics, 4 * _LINE_LIMIT)).strip(), self.metrics, size, room)

    def complete(self, text: str, room: int) -> list[str]:
        """The lines of a text that must neither be cut nor get invisible characters: people copy and scan it."""
        return split(one_line(printable(text, self.metrics, _LINE_LIMIT)).strip(), self.metrics, BODY, room)

    def running(self, text: str, room: int, size: int = BODY) -> str:
        """Text of any length."""
        return fitted(printable(text, self.metrics).strip(), self.metrics, size, room) if text else ""

    def money(self, amount: Decimal) -> str:
        return format_money(amount, self.document.currency, self.document.language)


def template_input(document: PrintableDocument, metrics: FontMetrics) -> str:
    """The JSON text that the template makes pages of. Raises `UnreadableLogo` for a logo that can't be printed."""
    return json.dumps(build_view(document, metrics), ensure_ascii=False, separators=(",", ":"))


def build_view(document: PrintableDocument, metrics: FontMetrics) -> View:
    """What the template shows, as JSON values. Raises `UnreadableLogo` for a logo that can't be printed."""
    words = WORDINGS[document.language]
    write = _Writer(document, words, metrics)
    title = words.titles[document.kind]
    number = write.line(document.number or "", _FACT_ROOM)
    return {
        "language": document.language,
        "title": f"{title} {number}".strip(),
        "author": write.line(document.seller.name, PAGE_ROOM, _NAME_LIMIT),
        "keywords": [title, number] if number else [title],
        "watermark": words.draft if document.is_draft else "",
        "heading": title,
        "page": words.page.split("{}")[:2],
        "logo": _logo(document.logo),
        "sign": write.short(document.seller.name, PAGE_ROOM // 2, _SIGN),
        "parties": [
            _party(write, document.buyer, words.buyer, other=document.seller),
            _party(write, document.seller, words.seller, other=document.buyer),
        ],
        "facts": _facts(write, number),
        "headline": write.running(document.references.description or "", PAGE_ROOM, _HEADLINE),
        "table": lay_out_table(document, words, metrics),
        "vat": _vat(write),
        "totals": _totals(write),
        "payment": _payment(write),
        "remarks": _remarks(write),
        "footer": _footer(write),
    }


def _logo(content: bytes | None) -> View | None:
    if not content:
        return None
    logo = read_logo(content)
    width, height = _LOGO_WIDTH, _LOGO_HEIGHT
    if logo.shape:
        wide, high = logo.shape
        width = min(width, height * wide // high)
        height = min(height, width * high // wide)
    # An array of numbers is the fastest way for bytes: Typst turns it into bytes without running code.
    data = logo.content.decode() if logo.form == "svg" else list(logo.content)
    return {"form": logo.form, "data": data, "width": width, "height": height}


def _place(party: Party) -> str:
    return " ".join(filter(None, (party.postal_code, party.city)))


def _account(payment: PaymentDetails) -> str:
    return " ".join(filter(None, (payment.registration_number, payment.account_number)))


def _party(write: _Writer, party: Party, label: str, other: Party) -> View:
    """Name and address; the country only where seller and buyer differ."""
    country = ""
    if party.country_code and party.country_code != other.country_code:
        country = _country(write.document.language, party.country_code)
    lines = (
        write.words.attention.format(party.attention) if party.attention else "",
        *party.address,
        _place(party),
        country,
        *_identifiers(write.words, party),
    )
    return {
        "label": label,
        "name": write.line(party.name, _PARTY_ROOM, _NAME_LIMIT, _NAME),
        "lines": "\n".join(write.line(line, _PARTY_ROOM) for line in lines if line),
    }


def _identifiers(words: Wording, party: Party) -> list[str]:
    """Registration number, VAT number and EAN; a Danish company's first two are one number, told once."""
    vat, registration, danish = party.vat_number, party.registration_number, party.country_code == "DK"
    if danish and vat and registration == vat.removeprefix("DK"):
        lines = [words.danish_vat_number.format(vat)]
    else:
        number = words.danish_number if danish else words.foreign_number
        lines = [number.format(registration)] if registration else []
        lines += [words.vat_number.format(vat)] if vat else []
    return [*lines, words.ean.format(party.ean)] if party.ean else lines


def _facts(write: _Writer, number: str) -> list[list[str]]:
    document, words, references = write.document, write.words, write.document.references
    dates = (
        (words.issue_date, document.issue_date),
        (words.due_date, document.due_date),
        (words.delivery_date, document.delivery_date),
        (words.valid_until, document.valid_until),
    )
    texts = (
        (words.credits_invoice, document.credits_invoice_number),
        (words.our_reference, references.our_reference),
        (words.your_reference, references.your_reference),
        (words.purchase_order, references.purchase_order),
    )
    return [
        *([[words.number, number]] if number else []),
        *([label, format_date(day, document.language)] for label, day in dates if day),
        *([label, write.line(text, _FACT_ROOM)] for label, text in texts if text),
    ]


def _vat(write: _Writer) -> View:
    """Base and VAT of each category and rate, and why no VAT is charged where none is."""
    document, words = write.document, write.words
    reasons = dict.fromkeys(write.running(row.exemption_text or "", _REASON_ROOM) for row in document.vat_rows)
    titles = [words.vat_heading, words.taxable, words.vat_amount]
    rows = [[_vat_label(write, row), write.money(row.taxable), _vat_amount(write, row)] for row in document.vat_rows]
    return {
        "titles": titles,
        "widths": [max(write.metrics.tabular_width(row[index], BODY) for row in (titles, *rows)) for index in (1, 2)],
        "rows": rows,
        "reasons": [reason for reason in reasons if reason],
    }


def _vat_label(write: _Writer, row: VatRow) -> str:
    return write.words.vat_categories[row.category] or format_percent(row.rate, write.document.language)


def _vat_amount(write: _Writer, row: VatRow) -> str:
    """Supplies without VAT show neither rate nor amount; the zero rate is a rate."""
    return write.money(row.vat) if row.category in {"S", "Z"} or row.vat else "–"


def _totals(write: _Writer) -> list[View]:
    document, words = write.document, write.words
    rows = [
        ("plain", words.subtotal, write.money(document.subtotal)),
        ("plain", words.vat, write.money(document.vat)),
        ("total", words.total.format(document.currency), write.money(document.total)),
    ]
    if document.amount_paid is not None:
        rows.append(("plain", words.paid, write.money(-document.amount_paid)))
        rows.append(("strong", words.balance.format(document.currency), write.money(document.balance)))
    if base := document.vat_in_base:
        price = format_number(base.rate, document.language, 2, 12)
        label = words.vat_in_base.format(base.currency, document.currency, price, base.currency)
        rows.append(("plain", label, format_money(base.amount, base.currency, document.language)))
    return [{"kind": kind, "label": label, "value": value} for kind, label, value in rows]


def _payment(write: _Writer) -> View | None:
    document, words, payment = write.document, write.words, write.document.payment
    if payment is None:
        return None
    details = (
        (words.bank, payment.bank_name),
        (words.account, _account(payment)),
        ("IBAN", payment.iban),
        ("BIC/SWIFT", payment.bic),
        (words.payment_id, payment.payment_id),
    )
    due = words.pay_by.format(format_date(document.due_date, document.language)) if document.due_date else ""
    shown = [
        (label if index == 0 else "", part)
        for label, text in details
        if text
        for index, part in enumerate(write.complete(text, _PAYMENT_ROOM))
    ]
    return {
        "label": words.to_pay,
        "amount": f"{document.currency}\u00a0{write.money(document.balance)}",
        "due": due,
        "details": [[name, _PAYMENT_NAME_ROOM - write.metrics.width(name, BODY), value] for name, value in shown],
        "terms": write.running(payment.terms or "", PAGE_ROOM),
    }


def _remarks(write: _Writer) -> list[View]:
    """Legal wording first, then the notes under their own heading."""
    legal = [write.running(text, PAGE_ROOM) for text in write.document.legal_texts]
    notes = write.running(write.document.notes or "", PAGE_ROOM)
    return [
        *({"label": "", "text": text} for text in legal if text),
        *([{"label": write.words.notes, "text": notes}] if notes else []),
    ]


def _footer(write: _Writer) -> str:
    """The seller's legal details in lines: who and where, how to reach, where to pay."""
    words, seller, payment = write.words, write.document.seller, write.document.payment
    country = _country(write.document.language, seller.country_code) if seller.country_code else ""
    lines = [
        (seller.name, ", ".join(filter(None, (*seller.address, _place(seller)))), country),
        (
            *_identifiers(words, seller),
            words.phone.format(seller.phone) if seller.phone else "",
            seller.email,
            seller.website,
        ),
    ]
    if payment is not None:
        account = _account(payment)
        lines.append(
            (
                payment.bank_name,
                f"{words.account} {account}" if account else "",
                f"IBAN {payment.iban}" if payment.iban else "",
            )
        )
    texts = (_DOT.join(filter(None, line)) for line in lines)
    return "\n".join(write.short(text, _FOOTER_ROOM, _SMALL) for text in texts if text)
