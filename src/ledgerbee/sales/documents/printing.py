"""From a document's snapshot to what is printed. Drafts and booked documents take the same way."""

import asyncio
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import to_json
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.sales.documents import fik
from ledgerbee.sales.documents.model import DOCUMENT_CHARACTERS_UNPRINTABLE, DOCUMENT_PRINTING_FAILED
from ledgerbee.sales.documents.terms import terms_in_words
from ledgerbee.sales.rendering.coverage import UnprintableTextError, special_texts
from ledgerbee.sales.rendering.formatting import format_short_date
from ledgerbee.sales.rendering.model import (
    Attachment,
    Language,
    Party,
    PaymentDetails,
    PrintableDocument,
    PrintLine,
    PrintVatRow,
    References,
    VatInBase,
)
from ledgerbee.sales.rendering.pool import PrintingFailedError, check_async, render_async
from ledgerbee.sales.rendering.text import is_plain
from ledgerbee.sales.rendering.wording import WORDINGS
from ledgerbee.tenancy.company.logo import UnreadableLogo

T = TypeVar("T")

#: What goes into the PDF of a sent document, of its snapshot: the document as an e-invoice. None where it can't be one.
Attach = Callable[[Mapping[str, Any]], Attachment | None]

#: Categories of EN 16931 under which an invoice shows neither rate nor VAT amount.
WITHOUT_RATE: Final = frozenset({"AE", "K", "G", "O", "E"})

#: What JSON escapes besides line ends and quotes.
_ESCAPED: Final = re.compile(r'\\[^n"]')
#: Attempts of one transaction: a document is another one only where it is changed while it is tried.
_MOST_TRIALS: Final = 5

#: Characters of a number in a file's name; file systems take 255 bytes in all.
_LONGEST_NUMBER: Final = 50

#: A template that adds nothing.
PLAIN_TEMPLATE: Final[Mapping[str, Any]] = {
    "accentColor": None, "showsLogo": True, "introText": None, "paymentText": None, "footerText": None,
}  # fmt: skip


def printable(
    snapshot: Mapping[str, Any], *, is_draft: bool, logo: bytes | None = None, attachment: Attachment | None = None
) -> PrintableDocument:
    """The document a snapshot describes. `is_draft` prints the watermark; the logo is the company's present one."""
    language = _language(snapshot)
    references, in_base = snapshot["references"], snapshot["vatInBase"]
    settled = snapshot.get("settled") or {}
    template = snapshot.get("template") or PLAIN_TEMPLATE  # documents booked before templates said how they look
    return PrintableDocument(
        kind=snapshot["kind"],
        language=language,
        is_draft=is_draft,
        number=snapshot["number"],
        issue_date=date.fromisoformat(snapshot["issueDate"]),
        due_date=_day(snapshot["dueDate"]),
        delivery_date=_day(snapshot.get("deliveryDate")),
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
        lines=_lines(snapshot),
        vat_rows=tuple(_vat_row(row, language) for row in snapshot["vatRows"]),
        subtotal=Decimal(snapshot["subtotal"]),
        vat=Decimal(snapshot["vat"]),
        total=Decimal(snapshot["amount"]),
        vat_in_base=None
        if in_base is None
        else VatInBase(in_base["currency"], Decimal(in_base["amount"]), Decimal(in_base["rate"])),
        payment=_payment(snapshot["payment"], language, template["paymentText"])
        if snapshot["kind"] == "invoice"
        else None,
        amount_paid=_amount(settled.get("paid")),
        amount_credited=_amount(settled.get("credited")),
        credits_invoice_number=snapshot["creditsInvoiceNumber"],
        is_prepayment=snapshot.get("isPrepayment", False),
        notes=snapshot["notes"],
        logo=logo if template["showsLogo"] else None,
        accent_color=template["accentColor"],
        intro=template["introText"],
        footer=template["footerText"],
        attachment=attachment,
    )


async def print_pdf(
    company_id: UUID,
    snapshot: Mapping[str, Any],
    *,
    is_draft: bool,
    logo: bytes | None,
    attach: Attach | None = None,
) -> bytes:
    """The document as PDF/A, with what `attach` makes of its snapshot inside, unless it is a draft.

    A logo that can't be drawn is left out rather than keep an invoice from its buyer.
    Takes its time: call it outside any transaction. Raises `DOCUMENT_CHARACTERS_UNPRINTABLE`,
    `DOCUMENT_PRINTING_FAILED` and, where too many of the company's wait, `SERVER_BUSY`.
    """
    # Thousands of lines take a tenth of a second and more: beside the event loop.
    attachment = None if is_draft or attach is None else await asyncio.to_thread(attach, snapshot)
    try:
        return await render_async(company_id, printable(snapshot, is_draft=is_draft, logo=logo, attachment=attachment))
    except UnreadableLogo:
        return await print_pdf(company_id, snapshot, is_draft=is_draft, logo=None, attach=attach)
    except UnprintableTextError as fault:
        raise _unprintable(fault) from fault
    except PrintingFailedError as fault:
        raise DOCUMENT_PRINTING_FAILED.error() from fault


#: What came of documents that were tried: why one can't be printed, None where it can. Documents are known by what is
#: printed of them, since a transaction that runs once more may give them other ids.
Trials = Mapping[PrintableDocument, LedgerBeeError | None]


class UntriedDocumentsError(Exception):
    """Documents whose texts have to be set to see whether they can be printed: see `with_trials`."""

    def __init__(self, documents: Sequence[PrintableDocument]) -> None:
        super().__init__("documents have to be tried")
        self.documents = documents


def find_untried(snapshot: Mapping[str, Any], trials: Trials) -> PrintableDocument | None:
    """The document, if it has to be tried before it is booked. Raises why it can't be printed if it was tried."""
    # Nearly all documents are plain, which their JSON shows at once: it holds all texts, and escapes line ends (`\\n`),
    # quotes (`\\"`) and what no text of a plain document has.
    written = to_json(snapshot)
    if is_plain(written) and not _ESCAPED.search(written):
        return None
    document = printable(snapshot, is_draft=True)
    if not special_texts(document):
        return None
    if document not in trials:
        return document
    fault = trials[document]
    if fault is not None:
        raise fault
    return None


async def with_trials(company_id: UUID, run: Callable[[Trials], Awaitable[T]]) -> T:
    """What `run` gives: a transaction that books documents, of which each can be printed.

    A trial takes its time, and nothing may be held meanwhile. So `run` ends with `UntriedDocumentsError` where some are
    needed (few documents do), and runs once more with what came of them. Raises what `run` raises, and
    `TOO_MUCH_CONTENTION` where the documents are others each time.
    """
    trials: dict[PrintableDocument, LedgerBeeError | None] = {}
    for _ in range(_MOST_TRIALS):
        try:
            return await run(trials)
        except UntriedDocumentsError as untried:
            documents = untried.documents
        for document in documents:
            trials[document] = await _fault_of(company_id, document)
    raise TOO_MUCH_CONTENTION.error()


async def _fault_of(company_id: UUID, document: PrintableDocument) -> LedgerBeeError | None:
    """Why a document can't be printed; None where it can."""
    try:
        await check_async(company_id, document)
    except UnprintableTextError as fault:
        return _unprintable(fault)
    except PrintingFailedError:
        return DOCUMENT_PRINTING_FAILED.error()
    return None


def _unprintable(fault: UnprintableTextError) -> LedgerBeeError:
    characters = [
        {"character": it.character, "codePoint": it.code_point, "name": it.name, "fields": list(it.fields)}
        for it in fault.hidden
    ]
    return DOCUMENT_CHARACTERS_UNPRINTABLE.error(
        f"{DOCUMENT_CHARACTERS_UNPRINTABLE.meaning}. {fault}", characters=characters
    )


def file_name(snapshot: Mapping[str, Any]) -> str:
    """A file name that every system takes, in the document's language: `Faktura 1042.pdf`, `Invoice draft.pdf`."""
    words = WORDINGS[_language(snapshot)]
    kept = plain_name(snapshot["number"] or words.draft.lower(), "-_.")[:_LONGEST_NUMBER]
    return f"{words.titles[snapshot['kind']]} {kept}.pdf"


def plain_name(text: str, others: str = "-_. ") -> str:
    """A text with letters, digits and `others` only, as every system takes in a file's name."""
    return "".join(char if char.isalnum() or char in others else "-" for char in unicodedata.normalize("NFC", text))


def _language(snapshot: Mapping[str, Any]) -> Language:
    return "da" if snapshot["language"] == "da" else "en"


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


def _lines(snapshot: Mapping[str, Any]) -> tuple[PrintLine, ...]:
    # Documents booked before lines named their VAT row had one row per category and rate.
    rows = {(row["category"], row["rate"]): index for index, row in enumerate(snapshot["vatRows"])}
    return tuple(_line(line, rows, _language(snapshot)) for line in snapshot["lines"])


def _line(line: Mapping[str, Any], rows: Mapping[tuple[str, str], int], language: Language) -> PrintLine:
    if line["kind"] != "product":
        return PrintLine(kind=line["kind"], description=line["description"] or "")
    return PrintLine(
        kind="product",
        description="\n".join(filter(None, (line["description"], _period(line, language)))),
        quantity=Decimal(line["quantity"]),
        unit=line["unit"],
        unit_price=Decimal(line["unitPrice"]),
        discount_percent=Decimal(line["discountPercent"]) or None,
        total=Decimal(line["total"]),
        vat_rate=None if line["vatCategory"] in WITHOUT_RATE else Decimal(line["vatRate"]),
        vat_row=line["vatRow"] if "vatRow" in line else rows[line["vatCategory"], line["vatRate"]],
    )


def _period(line: Mapping[str, Any], language: Language) -> str | None:
    """The days that a line is for, in words."""
    if "servicePeriod" not in line:
        return None
    first, last = (format_short_date(date.fromisoformat(day), language) for day in line["servicePeriod"])
    return f"{first} - {last}"


def _vat_row(row: Mapping[str, Any], language: Language) -> PrintVatRow:
    reasons = row["exemptionReason"]
    return PrintVatRow(
        rate=Decimal(row["rate"]),
        category=row["category"],
        taxable=Decimal(row["taxable"]),
        vat=Decimal(row["vat"]),
        exemption_text=reasons[language] or reasons["en"] or reasons["da"],
    )


def _payment(payment: Mapping[str, Any], language: Language, text: str | None) -> PaymentDetails:
    return PaymentDetails(
        bank_name=payment["bankName"],
        registration_number=payment["registrationNumber"],
        account_number=payment["accountNumber"],
        iban=payment["iban"],
        bic=payment["bic"],
        payment_id=fik.line_of(payment) or payment["paymentId"],
        terms=terms_in_words(payment["termsDays"], language),
        text=text,
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
