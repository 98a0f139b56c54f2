"""Quotes as a kind of document."""

from typing import Any, Final

from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import DocumentKind, MailText
from ledgerbee.sales.quotes import rules
from ledgerbee.sales.quotes.links.actions import find_address
from ledgerbee.sales.quotes.model import (
    QUOTE_INVALID_STATE,
    QUOTE_NOT_FOUND,
    QUOTE_RECIPIENT_MISSING,
    Quote,
    QuoteFields,
    QuoteStatus,
)
from ledgerbee.sales.quotes.wire import event_form
from ledgerbee.sales.templates.model import TemplateType


def _emit_delivery_failed(context: Context, quote: Quote, form: dict[str, Any]) -> None:
    """The delivery of a quote failed for good: nobody tries again until it is sent again."""
    context.emit("quote.delivery_failed", quote.id, form)


QUOTES: Final[KindOfDocument[QuoteFields, Quote]] = KindOfDocument(
    kind=DocumentKind.QUOTE,
    template_type=TemplateType.QUOTE,
    series="quote",
    table="quotes",
    lines_table="quote_lines",
    lines_key="quote_id",
    row=Quote,
    fields=QuoteFields,
    statuses=QuoteStatus,
    not_found=QUOTE_NOT_FOUND,
    invalid_state=QUOTE_INVALID_STATE,
    recipient_missing=QUOTE_RECIPIENT_MISSING,
    draft=QuoteStatus.DRAFT,
    check=rules.check_days,
    decide=rules.decide,
    given_before=rules.given_before,
    entry=None,
    terms=rules.terms,
    vat_in_base=lambda _computed, _conversion, _facts: None,
    when_claimed={},
    when_delivered={},
    when_failed={},
    mail={
        "da": MailText(
            subject="Tilbud {number} fra {seller}",
            greeting="Hej {name}",
            opening="Vedhæftet er tilbud {number} af {date} på {amount}.",
            link="Se og besvar tilbuddet",
            closing="Med venlig hilsen",
        ),
        "en": MailText(
            subject="Quote {number} from {seller}",
            greeting="Hello {name}",
            opening="Please find attached quote {number} of {date} for {amount}.",
            link="See and answer the quote",
            closing="Kind regards",
        ),
    },
    page=find_address,
    event_form=event_form,
    emit_delivery_failed=_emit_delivery_failed,
)
