"""A document as the template takes it: finished strings in their places.

The template sets pages and knows no language, no number format and no rule; everything it shows is decided here.
A text is a string, or its lines with their direction (`text.Directed`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from babel import Locale

from ledgerbee.sales.rendering.formatting import format_date, format_iban
from ledgerbee.sales.rendering.metrics import FontMetrics
from ledgerbee.sales.rendering.model import Attachment, Party, PrintableDocument
from ledgerbee.sales.rendering.sums import account_of, how_to_pay, totals, vat_marks, vat_table
from ledgerbee.sales.rendering.table import KEPT_LINES, PAGE_ROOM, SAFETY, lay_out_table
from ledgerbee.sales.rendering.text import Directed, directed, fits, wrapped
from ledgerbee.sales.rendering.wording import WORDINGS, Wording
from ledgerbee.sales.rendering.writer import BOLD, Writer
from ledgerbee.tenancy.company.logo import read_logo

#: Font sizes in thousandths of a point; the template sets the same ones.
_SMALL: Final = 7500
_HEADLINE: Final = 11_000
#: Semi-bold and larger than it is set, so that the regular widths are enough.
_NAME: Final = 11_000
#: The seller's name in the place of a logo: its size in one, two and three lines.
_SIGNS: Final = (14_000, 12_000, 10_000)
#: What a logo must fit into (70 mm x 16 mm).
_LOGO_WIDTH: Final = 198_400
_LOGO_HEIGHT: Final = 45_300
#: How wide a text may be where it stands, in thousandths of a point.
_PARTY_ROOM: Final = 150_000
_FACT_ROOM: Final = 150_000
_FOOTER_ROOM: Final = 400_000
#: The title's color, where the template names none.
_ACCENT: Final = "#1d4e5f"
#: Between a label and its value on the same line.
_GAP: Final = 4_000
#: Lines of a footer that the bottom margin has room for, and what each one more takes.
_FOOTER_LINES: Final = 4
_FOOTER_LINE: Final = 10_000
#: Lines that a part of the footer may take; a longer one stands with the seller at the top only.
_MOST_FOOTER_LINES: Final = 2
#: A note of more lines may break between pages.
_SHORT_NOTE: Final = 6
_DOT: Final = " · "

View = dict[str, Any]


@lru_cache(maxsize=512)
def _country(language: str, code: str) -> str:
    return str(Locale(language).territories.get(code.upper(), code))


def template_input(document: PrintableDocument, metrics: FontMetrics, families: Sequence[str] = ()) -> str:
    """The JSON text that the template makes pages of; `families` are the fonts it needs besides the shipped ones.

    Raises `UnreadableLogo` for a logo that can't be printed.
    """
    view = build_view(document, metrics) | {"fonts": families}
    return msgspec.json.encode(view).decode()


def build_view(document: PrintableDocument, metrics: FontMetrics) -> View:
    """What the template shows, as JSON values. Raises `UnreadableLogo` for a logo that can't be printed."""
    words = WORDINGS[document.language]
    write = Writer(document, words, metrics)
    heading = words.prepayment if document.is_prepayment else words.titles[document.kind]
    number, author = write.bare(document.number or ""), write.bare(document.seller.name)
    title = f"{heading} {number}".strip()
    kept, more = _remarks(write)
    footer = _footer(write)
    return {
        "language": document.language,
        "title": title,
        "author": author,
        "keywords": [heading, number] if number else [heading],
        "watermark": words.draft if document.is_draft else "",
        "heading": heading,
        "accent": document.accent_color or _ACCENT,
        "head": [directed(author if fits(author + title, metrics, _SMALL, PAGE_ROOM - _GAP) else ""), directed(title)],
        "page": words.page.split("{}")[:2],
        "logo": _logo(document.logo),
        "sign": _sign(write, author),
        "parties": [
            _party(write, document.buyer, words.buyer, other=document.seller),
            _party(write, document.seller, words.seller, other=document.buyer),
        ],
        "facts": _facts(write),
        "headline": write.running(document.references.description or "", PAGE_ROOM, _HEADLINE),
        "intro": write.running(document.intro or "", PAGE_ROOM),
        "table": lay_out_table(document, words, metrics, vat_marks(document)),
        "vat": vat_table(write),
        "totals": totals(write),
        "payment": how_to_pay(write),
        "remarks": kept,
        "more": more,
        "footer": footer,
        "attachment": _attachment(document.attachment),
        "deeper": max(0, len(footer) - _FOOTER_LINES) * _FOOTER_LINE,
    }


def _logo(content: bytes | None) -> View | None:
    if not content:
        return None
    logo = read_logo(content)
    wide, high = logo.shape
    width = min(_LOGO_WIDTH, _LOGO_HEIGHT * wide // high)
    height = min(_LOGO_HEIGHT, width * high // wide)
    # An array of numbers is the fastest way for bytes: Typst turns it into bytes without running code.
    return {"form": logo.form, "data": list(logo.content), "width": width, "height": height}


def _attachment(file: Attachment | None) -> View | None:
    if file is None:
        return None
    return {"name": file.name, "content": file.content.decode(), "description": file.description}


def _place(party: Party) -> str:
    return " ".join(filter(None, (party.postal_code, party.city)))


def _sign(write: Writer, name: str) -> View:
    """The seller's name where a logo would be; one that takes more lines stands in the seller's block only."""
    for count, size in enumerate(_SIGNS, 1):
        lines = wrapped(name, write.metrics, size * BOLD // 100, PAGE_ROOM // 2)
        if len(lines) <= count:
            return {"size": size, "text": directed("\n".join(lines))}
    return {"size": _SIGNS[0], "text": ""}


def _party(write: Writer, party: Party, label: str, other: Party) -> View:
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
        *(_reach(write, party, in_footer=False) if party is write.document.seller else ()),
    )
    return {
        "label": label,
        "name": directed(write.line(party.name, _PARTY_ROOM, _NAME)),
        "lines": directed("\n".join(write.line(line, _PARTY_ROOM) for line in lines if line)),
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


def _reach(write: Writer, seller: Party, *, in_footer: bool) -> list[str]:
    """How to reach the seller: in the footer, but for what is too long for it."""
    phone = write.words.phone.format(seller.phone) if seller.phone else None
    return [text for text in (phone, seller.email, seller.website) if text and _fits_footer(write, text) == in_footer]


def _fits_footer(write: Writer, text: str) -> bool:
    return len(write.lines(text, _FOOTER_ROOM, _SMALL)) <= _MOST_FOOTER_LINES


def _facts(write: Writer) -> list[View]:
    """Number, dates and references; a value that doesn't fit beside its label stands below it (`stacked`)."""
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
    facts = [
        (words.titles["invoice"] if document.kind == "child_details" else words.number, document.number),
        *((label, format_date(day, document.language)) for label, day in dates if day),
        *texts,
    ]
    return [
        {
            "label": label,
            "value": directed(write.line(text, _FACT_ROOM)),
            "stacked": not write.side_by_side(_FACT_ROOM - _GAP, label, write.bare(text)),
        }
        for label, text in facts
        if text
    ]


def _remarks(write: Writer) -> tuple[list[View], list[View]]:
    """Legal wording first, then the notes under their own heading: what stays with the totals, and what follows.

    The first lines of a long text stay, so that it is never alone on a page that it doesn't fill.
    """
    texts = [("", text) for text in write.document.legal_texts]
    texts.append((write.words.notes, write.document.notes or ""))
    kept: list[View] = []
    more: list[View] = []
    for label, text in texts:
        if not text.strip():
            continue
        lines = write.lines(text, PAGE_ROOM)
        if more or len(lines) <= _SHORT_NOTE:
            part = more or kept
            part.append({"label": label, "text": write.running(text, PAGE_ROOM), "continues": False})
        else:
            kept.append({"label": label, "text": directed("\n".join(lines[:KEPT_LINES])), "continues": False})
            more.append({"label": "", "text": directed("\n".join(lines[KEPT_LINES:])), "continues": True})
    return kept, more


def _footer(write: Writer) -> list[Directed]:
    """The seller's legal details in lines: who and where, how to reach, where to pay; then the template's text.

    A part that is too long stands at the top only, whole.
    """
    words, seller, payment = write.words, write.document.seller, write.document.payment
    groups: list[list[str | None]] = [
        [
            seller.name,
            ", ".join(filter(None, (*seller.address, _place(seller)))),
            _country(write.document.language, seller.country_code) if seller.country_code else "",
        ],
        [*_identifiers(words, seller), *_reach(write, seller, in_footer=True)],
    ]
    if payment is not None:
        account = account_of(payment)
        groups.append(
            [
                payment.bank_name,
                f"{words.account} {account}" if account else "",
                f"IBAN {format_iban(payment.iban)}" if payment.iban else "",
            ]
        )
    lines: list[str] = []
    for group in groups:
        parts = [write.bare(text) for text in group if text and _fits_footer(write, text)]
        lines += _joined(write, [part for part in parts if part])
    if write.document.footer:
        # On one line, however it was written: each line of the footer takes one from the page.
        lines += write.lines(write.bare(write.document.footer), _FOOTER_ROOM, _SMALL)
    return [directed(line) for line in lines]


def _joined(write: Writer, parts: list[str]) -> list[str]:
    """Parts in as few lines as they take; one from right to left stands on lines of its own."""
    lines: list[str] = []
    may_join = False
    for part in parts:
        is_ours = isinstance(directed(part), str)
        longer = f"{lines[-1]}{_DOT}{part}" if lines else part
        if may_join and is_ours and fits(longer, write.metrics, _SMALL, _FOOTER_ROOM - SAFETY):
            lines[-1] = longer
        else:
            lines += write.lines(part, _FOOTER_ROOM, _SMALL)
        may_join = is_ours
    return lines
