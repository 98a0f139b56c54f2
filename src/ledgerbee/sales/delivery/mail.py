"""The mail that carries a document: subject and text in the document's language, the PDF attached.

Every text is put on a single line first, without characters that change what stands beside them, cut to a length
that is read at a glance, and isolated from ours where it is written from right to left; how it becomes bytes is
`platform.mail_message`'s.
"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledgerbee.core.texts import isolated
from ledgerbee.platform.mail import message_id, one_line, sender_address, wire_address
from ledgerbee.platform.mail_message import AttachedFile, Mailbox, MailMessage
from ledgerbee.sales.documents import fik
from ledgerbee.sales.documents.child_details import zip_name
from ledgerbee.sales.documents.model import MailText
from ledgerbee.sales.documents.printing import file_name
from ledgerbee.sales.rendering.formatting import format_date, format_iban, format_money
from ledgerbee.sales.rendering.model import Language
from ledgerbee.sales.rendering.wording import WORDINGS


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who gets a mail and from whom. `sender` is the platform's own address, `reply_to` the company's (or None).

    `mail_id` names the message: sent twice, the receiving server sees one `Message-ID`. It is the recipient's. `page`
    is the address of the document's page, where it has one. A sandbox's mail `is_test`.
    """

    mail_id: UUID
    sender: str
    recipient: str
    reply_to: str | None
    page: str | None = None
    is_test: bool = False


def compose(
    texts: Mapping[str, MailText],
    document: Mapping[str, Any],
    envelope: Envelope,
    pdf: bytes,
    at: datetime,
    details: bytes | None = None,
) -> MailMessage:
    """The mail that carries a document. `texts` are its kind's by language, `document` is its snapshot
    (`documents.snapshot`), `at` the moment of sending, `details` the zip with those of children.

    Raises `MailRefusedError` for an address that no mail can go to.
    """
    language: Language = "da" if document["language"] == "da" else "en"
    text = texts[language]
    seller = one_line(document["seller"]["name"])
    number = _shown(document["number"])
    return MailMessage(
        message_id=message_id(envelope.mail_id, envelope.sender),
        at=at,
        sender=Mailbox(sender_address(envelope.sender), seller),
        recipient=Mailbox(wire_address(envelope.recipient)),
        reply_to=Mailbox(wire_address(envelope.reply_to), seller) if envelope.reply_to else None,
        subject=text.subject.format(number=number, seller=isolated(seller)).strip(),
        plain=_plain(text, document, language, envelope.page),
        html=_html(text, document, language, envelope.page),
        language=language,
        files=tuple(_files(document, pdf, details)),
        is_test=envelope.is_test,
    )


def _files(document: Mapping[str, Any], pdf: bytes, details: bytes | None) -> Iterator[AttachedFile]:
    yield AttachedFile(file_name(document), "pdf", pdf)
    if details is not None:
        yield AttachedFile(zip_name(document), "zip", details)


def _shown(text: str) -> str:
    return isolated(one_line(text))


def _greeting(text: MailText, document: Mapping[str, Any]) -> str:
    name = document["references"]["yourReference"] or document["buyer"]["name"]
    return f"{text.greeting.format(name=_shown(name))},"


def _opening(text: MailText, document: Mapping[str, Any], language: Language) -> str:
    return text.opening.format(
        number=_shown(document["number"]),
        date=format_date(date.fromisoformat(document["issueDate"]), language),
        amount=_amount(document, language),
    )


def _amount(document: Mapping[str, Any], language: Language) -> str:
    currency = document["currency"]
    return f"{format_money(Decimal(document['amount']), currency, language)} {currency}"


def _facts(document: Mapping[str, Any], language: Language) -> list[tuple[str, str]]:
    """What the buyer needs at hand, as label and value; what the document doesn't say is left out."""
    of_kind = _to_pay if document["kind"] == "invoice" else _total
    rows = [*of_kind(document, language), (WORDINGS[language].purchase_order, document["references"]["purchaseOrder"])]
    return [(label, _shown(value)) for label, value in rows if value]


def _total(document: Mapping[str, Any], language: Language) -> list[tuple[str, str | None]]:
    """What a document comes to of which nothing is to be paid; until when it is offered, which invoice it credits."""
    words, until = WORDINGS[language], document["validUntil"]
    return [
        (words.total.format("").strip(), _amount(document, language)),
        (words.valid_until, format_date(date.fromisoformat(until), language) if until else None),
        (words.credits_invoice, document["creditsInvoiceNumber"]),
    ]


def _to_pay(document: Mapping[str, Any], language: Language) -> list[tuple[str, str | None]]:
    """What a payer needs at hand."""
    words, payment = WORDINGS[language], document["payment"]
    due = document["dueDate"]
    account = " ".join(part for part in (payment["registrationNumber"], payment["accountNumber"]) if part)
    return [
        (words.to_pay, _amount(document, language)),
        (words.due_date, format_date(date.fromisoformat(due), language) if due else None),
        (words.bank, payment["bankName"]),
        (words.account, account),
        ("IBAN", format_iban(payment["iban"]) if payment["iban"] else None),
        ("BIC", payment["bic"]),
        (words.payment_id, fik.line_of(payment) or payment["paymentId"]),
    ]


def _plain(text: MailText, document: Mapping[str, Any], language: Language, page: str | None) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in _facts(document, language))
    link = f"{text.link}:\n{page}\n\n" if page else ""
    return (
        f"{_greeting(text, document)}\n\n{_opening(text, document, language)}\n\n{facts}\n\n{link}"
        f"{text.closing}\n{_shown(document['seller']['name'])}\n"
    )


def _html(text: MailText, document: Mapping[str, Any], language: Language, page: str | None) -> str:
    link = f'<p><a href="{html.escape(page)}">{html.escape(text.link)}</a></p>' if page else ""
    rows = "".join(
        f'<tr><td style="padding:2px 24px 2px 0;color:#555">{html.escape(label)}</td>'
        f'<td style="padding:2px 0">{html.escape(value)}</td></tr>'
        for label, value in _facts(document, language)
    )
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"></head>'
        '<body style="font-family:sans-serif;font-size:15px;line-height:1.5;color:#222">'
        f"<p>{html.escape(_greeting(text, document))}</p>"
        f"<p>{html.escape(_opening(text, document, language))}</p>"
        f'<table role="presentation" style="border-collapse:collapse">{rows}</table>'
        f"{link}<p>{text.closing}<br>{html.escape(_shown(document['seller']['name']))}</p>"
        "</body></html>\n"
    )
