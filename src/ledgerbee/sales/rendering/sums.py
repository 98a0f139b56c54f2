"""What a document comes to: the VAT table, the totals and how to pay, as the template takes them."""

from typing import Any, Final

from ledgerbee.sales.rendering.formatting import format_date, format_iban, format_money, format_number, format_percent
from ledgerbee.sales.rendering.model import PaymentDetails, PrintableDocument, PrintVatRow
from ledgerbee.sales.rendering.table import BODY, PAGE_ROOM, SAFETY
from ledgerbee.sales.rendering.text import directed
from ledgerbee.sales.rendering.transfer_code import transfer_code
from ledgerbee.sales.rendering.writer import Writer

#: How wide a text may be where it stands, in thousandths of a point.
_PAYMENT_ROOM: Final = 205_000
_PAYMENT_NAME_ROOM: Final = 92_000
_TERMS_ROOM: Final = PAGE_ROOM - SAFETY - 24_000
_TO_PAY_ROOM: Final = 150_000
_TOTAL_ROOM: Final = 200_000
_VAT_ROOM: Final = 249_000
_REASON_ROOM: Final = 225_000
#: Between a label and its value, and between columns.
_GAP: Final = 10_000
_SMALL: Final = 7500
#: Sizes of what is to be paid and of the figures of the VAT table, the largest that fits.
_LARGE: Final = (13_000, 12_000, 11_000, 10_000, 9000, 8000, 7000)
_FIGURES: Final = (BODY, 8000, 7000, 6000)
#: Lines that a block may have and still be kept on one page.
_MOST_KEPT_LINES: Final = 30

View = dict[str, Any]


def vat_marks(document: PrintableDocument) -> list[str]:
    """A mark for each VAT row, empty unless there are several without VAT: then a line leads to its own by it."""
    free = [index for index, row in enumerate(document.vat_rows) if row.rate == 0]
    if len(free) < 2:
        return [""] * len(document.vat_rows)
    return [f"{_letters(free.index(index))})" if row.rate == 0 else "" for index, row in enumerate(document.vat_rows)]


def _letters(number: int) -> str:
    """a to z, then aa, ab and so on."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)


def vat_table(write: Writer) -> View:
    """Base and VAT of each category and rate, and why no VAT is charged where none is."""
    document, words, measure = write.document, write.words, write.metrics.tabular_width
    marks = vat_marks(document)
    titles = [words.vat_heading, words.taxable, words.vat_amount]
    rows = [
        [f"{mark} {_vat_label(write, row)}".strip(), write.money(row.taxable), _vat_amount(write, row)]
        for mark, row in zip(marks, document.vat_rows, strict=True)
    ]
    words_room = max((measure(word, BODY) for label, *_ in rows for word in label.split(" ")), default=0)
    for size in _FIGURES:
        widths = [
            max(measure(titles[index], BODY), *(measure(row[index], size) for row in rows), 0) for index in (1, 2)
        ]
        if _VAT_ROOM - sum(widths) - 2 * _GAP >= words_room:
            break
    texts = [
        f"{mark} {row.exemption_text}".strip() if row.exemption_text else ""
        for mark, row in zip(marks, document.vat_rows, strict=True)
    ]
    reasons = [text for text in dict.fromkeys(texts) if text]
    lines = len(rows) + sum(len(write.lines(reason, _REASON_ROOM, _SMALL)) for reason in reasons)
    return {
        "titles": titles,
        "widths": widths,
        "size": size,
        "rows": rows,
        "reasons": [write.running(reason, _REASON_ROOM) for reason in reasons],
        "kept": lines <= _MOST_KEPT_LINES,
    }


def _vat_label(write: Writer, row: PrintVatRow) -> str:
    return write.words.vat_categories[row.category] or format_percent(row.rate, write.document.language)


def _vat_amount(write: Writer, row: PrintVatRow) -> str:
    """Supplies without VAT show neither rate nor amount; the zero rate is a rate."""
    return write.money(row.vat) if row.category in {"S", "Z"} or row.vat else "–"


def totals(write: Writer) -> list[View]:
    """The sums from top to bottom; a value that doesn't fit beside its label stands below it (`stacked`)."""
    document, words = write.document, write.words
    rows = [
        ("plain", words.subtotal, write.money(document.subtotal)),
        ("plain", words.vat, write.money(document.vat)),
        ("total", words.total.format(document.currency), write.money(document.total)),
    ]
    if document.amount_paid is not None:
        rows.append(("plain", words.paid, write.money(-document.amount_paid)))
    if document.amount_credited is not None:
        rows.append(("plain", words.credited, write.money(-document.amount_credited)))
    if document.is_settled_in_part:
        rows.append(("strong", words.balance.format(document.currency), write.money(document.balance)))
    if base := document.vat_in_base:
        price = format_number(base.rate, document.language, 2, 12)
        label = words.vat_in_base.format(base.currency, document.currency, price, base.currency)
        rows.append(("plain", label, format_money(base.amount, base.currency, document.language)))
    return [
        {
            "kind": kind,
            "label": label,
            "value": value,
            "size": write.size_for(label + value, _TOTAL_ROOM - _GAP, _LARGE if kind == "total" else (BODY,)),
            "stacked": not write.side_by_side(_TOTAL_ROOM - _GAP, label, value),
        }
        for kind, label, value in rows
    ]


def account_of(payment: PaymentDetails) -> str:
    """Registration and account number of a Danish bank."""
    return " ".join(filter(None, (payment.registration_number, payment.account_number)))


def how_to_pay(write: Writer) -> View | None:
    """What is to be paid, by when and where; nothing for what was paid or credited in full, or nobody would see that
    it was."""
    document, words, payment = write.document, write.words, write.document.payment
    if payment is None or (document.is_settled_in_part and not document.balance):
        return None
    details = (
        (words.bank, payment.bank_name),
        (words.account, account_of(payment)),
        ("IBAN", format_iban(payment.iban) if payment.iban else None),
        ("BIC/SWIFT", payment.bic),
        (words.payment_id, payment.payment_id),
    )
    amount = f"{document.currency}\u00a0{write.money(document.balance)}"
    terms = "\n".join(filter(None, (payment.terms, payment.text)))
    shown = [
        (label if index == 0 else "", part)
        for label, text in details
        if text
        for index, part in enumerate(write.complete(text, _PAYMENT_ROOM))
    ]
    code = transfer_code(write)
    return {
        "label": words.to_pay,
        "amount": amount,
        "size": write.size_for(amount, _TO_PAY_ROOM, _LARGE),
        "due": words.pay_by.format(format_date(document.due_date, document.language)) if document.due_date else "",
        "details": [
            [name, _PAYMENT_NAME_ROOM - write.metrics.width(name, BODY), directed(value)] for name, value in shown
        ],
        "code": [] if code is None else list(code),
        "scan": words.scan,
        "terms": write.running(terms, _TERMS_ROOM),
        "kept": len(shown) + len(write.lines(terms, _TERMS_ROOM, _SMALL)) <= _MOST_KEPT_LINES,
    }
