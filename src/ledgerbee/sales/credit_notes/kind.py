"""Credit notes as a kind of document."""

from decimal import Decimal
from typing import Any, Final

from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_INVALID_STATE,
    CREDIT_NOTE_NOT_FOUND,
    CREDIT_NOTE_RECIPIENT_MISSING,
    CreditNote,
    CreditNoteFields,
    CreditNoteLine,
    CreditNoteStatus,
)
from ledgerbee.sales.credit_notes.wire import event_form
from ledgerbee.sales.documents.kind import EntryOfKind, KindOfDocument
from ledgerbee.sales.documents.model import Computed, DocumentKind, MailText
from ledgerbee.sales.einvoices.attaching import attached
from ledgerbee.sales.sending.rules import entry_lines, vat_in_base
from ledgerbee.sales.templates.model import TemplateType


def _vat_in_base(computed: Computed, conversion: Conversion, facts: BillingFacts) -> Decimal | None:
    return vat_in_base(entry_lines(computed, conversion, facts.group.account_id))


def _emit_delivery_failed(context: Context, note: CreditNote, form: dict[str, Any]) -> None:
    """The delivery of a credit note failed for good: nobody tries again until it is sent again."""
    context.emit("credit_note.delivery_failed", note.id, form)


CREDIT_NOTES: Final[KindOfDocument[CreditNoteFields, CreditNote]] = KindOfDocument(
    kind=DocumentKind.CREDIT_NOTE,
    template_type=TemplateType.CREDIT_NOTE,
    series="credit_note",
    table="credit_notes",
    lines_table="credit_note_lines",
    lines_key="credit_note_id",
    row=CreditNote,
    line=CreditNoteLine,
    fields=CreditNoteFields,
    statuses=CreditNoteStatus,
    not_found=CREDIT_NOTE_NOT_FOUND,
    invalid_state=CREDIT_NOTE_INVALID_STATE,
    recipient_missing=CREDIT_NOTE_RECIPIENT_MISSING,
    draft=CreditNoteStatus.DRAFT,
    check=rules.check_days,
    decide=lambda _given, _company, _facts: {},
    given_before=lambda _before, _changes: {},
    entry=EntryOfKind(entry_type=EntryType.CUSTOMER_INVOICE, text=rules.entry_text),
    terms=rules.terms,
    vat_in_base=_vat_in_base,
    attach=attached,
    when_claimed=rules.WHEN_CLAIMED,
    when_delivered=rules.WHEN_DELIVERED,
    when_failed=rules.WHEN_FAILED,
    mail={
        "da": MailText(
            subject="Kreditnota {number} fra {seller}",
            greeting="Hej {name}",
            opening="Vedhæftet er kreditnota {number} af {date} på {amount}.",
            closing="Med venlig hilsen",
        ),
        "en": MailText(
            subject="Credit note {number} from {seller}",
            greeting="Hello {name}",
            opening="Please find attached credit note {number} of {date} for {amount}.",
            closing="Kind regards",
        ),
    },
    event_form=event_form,
    emit_delivery_failed=_emit_delivery_failed,
)
