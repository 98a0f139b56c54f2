"""Invoices as a kind of document."""

from decimal import Decimal
from typing import Any, Final

from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.kind import EntryOfKind, KindOfDocument
from ledgerbee.sales.documents.model import Computed, DocumentKind, MailText
from ledgerbee.sales.einvoices.attaching import attached
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.model import (
    INVOICE_INVALID_STATE,
    INVOICE_NOT_FOUND,
    INVOICE_RECIPIENT_MISSING,
    DeductionLine,
    Invoice,
    InvoiceFields,
    InvoiceStatus,
)
from ledgerbee.sales.invoices.prepayments import actions as prepayments
from ledgerbee.sales.invoices.wire import event_form
from ledgerbee.sales.sending.rules import entry_lines, vat_in_base
from ledgerbee.sales.templates.model import TemplateType


def _vat_in_base(computed: Computed, conversion: Conversion, facts: BillingFacts) -> Decimal | None:
    return vat_in_base(entry_lines(computed, conversion, facts.group.account_id))


def _emit_delivery_failed(context: Context, invoice: Invoice, form: dict[str, Any]) -> None:
    """The delivery of an invoice failed for good: nobody tries again until it is sent again."""
    context.emit("invoice.delivery_failed", invoice.id, form)


INVOICES: Final[KindOfDocument[InvoiceFields, Invoice]] = KindOfDocument(
    kind=DocumentKind.INVOICE,
    template_type=TemplateType.INVOICE,
    series="invoice",
    table="invoices",
    lines_table="invoice_lines",
    lines_key="invoice_id",
    row=Invoice,
    line=DeductionLine,
    fields=InvoiceFields,
    statuses=InvoiceStatus,
    not_found=INVOICE_NOT_FOUND,
    invalid_state=INVOICE_INVALID_STATE,
    recipient_missing=INVOICE_RECIPIENT_MISSING,
    draft=InvoiceStatus.DRAFT,
    check=rules.check_days,
    decide=rules.decide,
    given_before=rules.given_before,
    given_by_added=rules.given_by_added,
    complete=prepayments.complete,
    own_taxes=prepayments.own_taxes,
    entry=EntryOfKind(entry_type=EntryType.CUSTOMER_INVOICE, text=rules.entry_text),
    terms=rules.terms,
    vat_in_base=_vat_in_base,
    attach=attached,
    when_claimed=rules.WHEN_CLAIMED,
    when_delivered=rules.WHEN_DELIVERED,
    when_failed=rules.WHEN_FAILED,
    mail={
        "da": MailText(
            subject="Faktura {number} fra {seller}",
            greeting="Hej {name}",
            opening="Vedhæftet er faktura {number} af {date} på {amount}.",
            closing="Med venlig hilsen",
        ),
        "en": MailText(
            subject="Invoice {number} from {seller}",
            greeting="Hello {name}",
            opening="Please find attached invoice {number} of {date} for {amount}.",
            closing="Kind regards",
        ),
    },
    event_form=event_form,
    emit_delivery_failed=_emit_delivery_failed,
)
