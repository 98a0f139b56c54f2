"""The buyer's page as HTML: templates beside this file, every text of a document escaped and isolated, no script,
one style sheet.

Its style sheet is in the page, allowed by its hash: nothing is fetched, from here or from elsewhere.
"""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template

from ledgerbee.core.texts import isolated, isolated_value
from ledgerbee.sales.documents.printing import printable
from ledgerbee.sales.quotes.acceptance.model import NO_REPLY, Decision, Notice, Reply, Shown, Standing
from ledgerbee.sales.quotes.acceptance.rules import form_token
from ledgerbee.sales.quotes.acceptance.wording import PAGE_WORDINGS, PageWording
from ledgerbee.sales.rendering.formatting import (
    format_date,
    format_money,
    format_number,
    format_percent,
    format_unit_price,
)
from ledgerbee.sales.rendering.model import Party, PrintableDocument, PrintLine
from ledgerbee.sales.rendering.wording import WORDINGS

_HERE: Final = files("ledgerbee.sales.quotes.acceptance")
_STYLE: Final = _HERE.joinpath("page.css").read_text("utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: What a page of this package is answered with.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

#: Title and text, in Danish and English: who has no link that is good may be anybody.
Message = tuple[tuple[str, str], tuple[str, str]]
NO_SUCH_LINK: Final[Message] = (
    ("Linket virker ikke", "Det findes ikke, eller det er trukket tilbage. Spørg den, der har sendt det."),
    ("The link does not work", "It does not exist, or it was withdrawn. Ask whoever sent it."),
)
TOO_MANY_REQUESTS: Final[Message] = (
    ("For mange forespørgsler", "Prøv igen om et minut."),
    ("Too many requests", "Try again in a minute."),
)
TRY_AGAIN: Final[Message] = (
    ("Det lykkedes ikke", "Intet er registreret. Prøv igen om lidt."),
    ("That did not work", "Nothing was recorded. Try again in a moment."),
)


@cache
def _template(name: str) -> Template:
    environment = Environment(autoescape=True, finalize=isolated_value, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["style"] = _STYLE
    return environment.from_string(_HERE.joinpath(name).read_text("utf-8"))


def message_page(message: Message) -> str:
    """A page that has nothing of anybody's in it."""
    danish, english = message
    return _template("message.html").render(danish=danish, english=english)


def quote_page(shown: Shown, secret: str, reply: Reply = NO_REPLY, notice: Notice | None = None) -> str:
    """The page of a quote by its link's secret; `reply` is what was sent and not taken, and `notice` says why.

    One of thousands of lines takes a while: call it beside the event loop.
    """
    document = printable(shown.snapshot, is_draft=False)
    language = document.language
    words, printed = PAGE_WORDINGS[language], WORDINGS[language]
    seller, total = isolated(document.seller.name), format_money(document.total, document.currency, language)
    title = words.title.format(number=document.number, seller=seller)
    return _template("page.html").render(
        language=language,
        title=title,
        words=words,
        secret=secret,
        token=form_token(secret),
        standing=shown.standing.value,
        standing_text=_standing_text(shown, document, words),
        notice=None if notice is None else words.notices[notice],
        parties=[_party(printed.seller, document.seller), _party(printed.buyer, document.buyer)],
        facts=list(_facts(document)),
        intro=document.intro,
        notes=document.notes,
        columns=printed,
        lines=[_line(line, document) for line in document.lines],
        has_discounts=any(line.discount_percent for line in document.lines),
        sums=list(_sums(document, words)),
        total=(printed.total.format(document.currency), total),
        reasons=list(dict.fromkeys(row.exemption_text for row in document.vat_rows if row.exemption_text)),
        binding=words.binding.format(buyer=isolated(document.buyer.name), total=total, currency=document.currency),
        reply=reply,
        accept_button=words.buttons[Decision.ACCEPT],
        reject_button=words.buttons[Decision.REJECT],
    )


def _standing_text(shown: Shown, document: PrintableDocument, words: PageWording) -> str:
    language, at = document.language, shown.answered_at
    moment = ""
    if at is not None:
        moment = words.moment.format(day=format_date(at.date(), language), time=f"{at:%H:%M}")
    name = isolated(shown.quote.answered_by or words.nameless)
    text = words.standings[shown.standing].format(seller=isolated(document.seller.name), name=name, at=moment)
    if shown.standing is Standing.OPEN and document.valid_until is not None:
        text += " " + words.until.format(day=format_date(document.valid_until, language))
    return text


def _party(label: str, party: Party) -> dict[str, str]:
    place = " ".join(filter(None, (party.postal_code, party.city)))
    lines = (party.attention, *party.address, place, party.vat_number, party.email, party.phone)
    return {"label": label, "name": party.name, "lines": "\n".join(line for line in lines if line)}


def _facts(document: PrintableDocument) -> Iterable[tuple[str, str]]:
    words, language, references = WORDINGS[document.language], document.language, document.references
    yield words.issue_date, format_date(document.issue_date, language)
    if document.valid_until is not None:
        yield words.valid_until, format_date(document.valid_until, language)
    for label, text in (
        (words.our_reference, references.our_reference),
        (words.your_reference, references.your_reference),
        (words.purchase_order, references.purchase_order),
    ):
        if text:
            yield label, text


def _line(line: PrintLine, document: PrintableDocument) -> dict[str, Any]:
    if line.quantity is None or line.unit_price is None or line.total is None:
        return {"description": line.description, "amount": ""}
    language, currency = document.language, document.currency
    return {
        "description": line.description,
        "quantity": " ".join(filter(None, (format_number(line.quantity, language), line.unit))),
        "unit_price": format_unit_price(line.unit_price, currency, language),
        "discount": format_percent(line.discount_percent, language) if line.discount_percent else "",
        "amount": format_money(line.total, currency, language),
    }


def _sums(document: PrintableDocument, words: PageWording) -> Iterable[tuple[str, str]]:
    """Net, and the VAT of each rate that charges any."""
    language, currency = document.language, document.currency
    yield WORDINGS[language].subtotal, format_money(document.subtotal, currency, language)
    for row in document.vat_rows:
        if row.vat:
            taxable = format_money(row.taxable, currency, language)
            label = words.vat_of.format(rate=format_percent(row.rate, language), taxable=taxable)
            yield label, format_money(row.vat, currency, language)
