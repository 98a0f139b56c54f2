"""Receiving answers to e-invoices."""

from ledgerbee.core.ids import new_id
from ledgerbee.network.identifiers import endpoint_of, vat_number_of
from ledgerbee.network.transport.model import digest_of
from ledgerbee.platform.context import Context
from ledgerbee.sales.einvoices.answers import rules, store
from ledgerbee.sales.einvoices.answers.model import Answer, Answered, PartyNumber, ReadAnswer, Received
from ledgerbee.sales.einvoices.answers.wire import event_form
from ledgerbee.tenancy.company import store as companies


async def receive(context: Context, content: bytes, read: ReadAnswer) -> Received:
    """Keep an answer with the delivery that it is to. Emits `e_invoice.answered`, once for the same bytes.

    Raises `E_INVOICE_REFERENCE_UNKNOWN`.
    """
    answered = rules.match(read, await store.candidates(context, read.reference))
    rules.check_receiver(read, await _own_numbers(context, answered))
    answer, is_new = await store.keep(
        context,
        Answer(
            id=new_id(),
            delivery_id=answered.delivery_id,
            kind=read.kind,
            code=read.code,
            text=read.text,
            issue_date=read.issue_date,
            received_at=context.now,
            sha256=digest_of(content),
            content=content,
        ),
    )
    received = Received(answer, answered, is_new)
    if is_new:
        context.emit("e_invoice.answered", answer.id, event_form(received))
    return received


async def _own_numbers(context: Context, answered: Answered) -> list[PartyNumber]:
    """By what the company is known in the network: as the document's message said it, and by its number today."""
    company = await companies.get(context)
    found = endpoint_of(company.country_code, vat_number_of(company.country_code, company.vat_number))
    own = [] if found is None else [PartyNumber(found.scheme, found.number)]
    if answered.sender is not None:
        scheme, _, number = answered.sender.partition(":")
        own.append(PartyNumber(scheme, number))
    return own
