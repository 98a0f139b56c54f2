"""What requests for invoices bring (contract 2.22, 3.3)."""

from collections.abc import Iterable, Iterator
from datetime import date

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableEmail, NullableLine
from ledgerbee.http.wire import CurrencyCode, Day, Id, RequestModel, omitted
from ledgerbee.ledger.entries.rules import check_delivery_date
from ledgerbee.parties.wire import Flag, NullableEan, NullablePaymentTerms
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.rules import check_date, check_due_date
from ledgerbee.sales.documents.wire import Lines, NullableText, line_checks


class CreateInvoiceRequest(RequestModel):
    """What a draft needs, and what it may bring."""

    customer_id: Id
    date: Day = Field(description="Day of issue, at most a year ahead: the invoice is booked on it")
    lines: Lines
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    delivery_date: Day | None = omitted(
        description="Day of delivery, where it isn't `date`: its VAT rates count (extension)"
    )
    due_date: Day | None = omitted(description="Follows from the payment terms unless given")
    currency: CurrencyCode | None = omitted(description="The company's unless given")
    payment_terms: NullablePaymentTerms = omitted(
        description="Days from `date` to the due date; the customer's, else the company's, unless given"
    )
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="A headline; the text of the journal entry starts with it")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="The customer's, else one in its language, else the company's default, unless given"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class UpdateInvoiceRequest(RequestModel):
    """The fields to change; the others stay as they are. Null takes back what may be left out of a new draft."""

    keeps_what_is_left_out = True

    customer_id: Id = omitted(description="A new customer's contact, department and terms take the place of the old")
    date: Day = omitted(description="Day of issue, at most a year ahead: the invoice is booked on it")
    lines: Lines = omitted(description="Replace all lines")
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    delivery_date: Day | None = omitted(description="Null: `date`")
    due_date: Day | None = omitted(description="Null: follows from the payment terms")
    currency: CurrencyCode | None = omitted(description="Null: the company's. Prices are looked up anew.")
    payment_terms: NullablePaymentTerms = omitted(description="Null: the customer's, else the company's")
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="A headline; the text of the journal entry starts with it")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="Null: the customer's, else one in its language, else the company's default"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class SendInvoiceRequest(RequestModel):
    """How to send it."""

    delivery_type: DeliveryType = Field(
        DeliveryType.MANUAL, description="`Email` needs an address; `Sproom` needs a connected e-invoicing network"
    )
    override_email: NullableEmail = omitted(description="Send here instead of to the contact or customer")
    override_ean_number: NullableEan = omitted(description="EAN (GLN) to put on the invoice instead of the customer's")
    update_customer_record: Flag = Field(False, description="Keep the overrides on the customer")
    document_template_id: Id | None = omitted(description="Template to use instead of the draft's")


def _checks(body: CreateInvoiceRequest | UpdateInvoiceRequest, facts: Facts) -> Iterator[Check]:
    yield from day_checks(body, facts.today)
    yield from line_checks(body.lines)


def day_checks(body: CreateInvoiceRequest | UpdateInvoiceRequest, today: date) -> Iterator[Check]:
    """What can be said of the days that a body names, one by one."""
    yield lambda: None if body.date is None else check_date(body.date, today)
    yield lambda: None if body.date is None else check_delivery_date(body.delivery_date, body.date)
    yield lambda: None if body.date is None or body.due_date is None else check_due_date(body.date, body.due_date)
