"""Order confirmations as a kind of document."""

from typing import Any, Final

from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import DocumentKind, MailText
from ledgerbee.sales.order_confirmations import rules
from ledgerbee.sales.order_confirmations.model import (
    ORDER_CONFIRMATION_INVALID_STATE,
    ORDER_CONFIRMATION_NOT_FOUND,
    ORDER_CONFIRMATION_RECIPIENT_MISSING,
    OrderConfirmation,
    OrderConfirmationFields,
    OrderConfirmationStatus,
)
from ledgerbee.sales.order_confirmations.wire import event_form
from ledgerbee.sales.templates.model import TemplateType


def _emit_delivery_failed(context: Context, order_confirmation: OrderConfirmation, form: dict[str, Any]) -> None:
    """The delivery of an order confirmation failed for good: nobody tries again until it is sent again."""
    context.emit("order_confirmation.delivery_failed", order_confirmation.id, form)


ORDER_CONFIRMATIONS: Final[KindOfDocument[OrderConfirmationFields, OrderConfirmation]] = KindOfDocument(
    kind=DocumentKind.ORDER_CONFIRMATION,
    template_type=TemplateType.ORDER_CONFIRMATION,
    series="order_confirmation",
    table="order_confirmations",
    lines_table="order_confirmation_lines",
    lines_key="order_confirmation_id",
    row=OrderConfirmation,
    fields=OrderConfirmationFields,
    statuses=OrderConfirmationStatus,
    not_found=ORDER_CONFIRMATION_NOT_FOUND,
    invalid_state=ORDER_CONFIRMATION_INVALID_STATE,
    recipient_missing=ORDER_CONFIRMATION_RECIPIENT_MISSING,
    draft=OrderConfirmationStatus.DRAFT,
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
            subject="Ordrebekræftelse {number} fra {seller}",
            greeting="Hej {name}",
            opening="Vedhæftet er ordrebekræftelse {number} af {date} på {amount}.",
            closing="Med venlig hilsen",
        ),
        "en": MailText(
            subject="Order confirmation {number} from {seller}",
            greeting="Hello {name}",
            opening="Please find attached order confirmation {number} of {date} for {amount}.",
            closing="Kind regards",
        ),
    },
    event_form=event_form,
    emit_delivery_failed=_emit_delivery_failed,
)
