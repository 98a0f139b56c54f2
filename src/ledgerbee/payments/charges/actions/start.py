"""Beginning charges: a charge is a row before its provider is asked."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import rules, store
from ledgerbee.payments.charges.actions.bookable import check_bookable, fault_in_booking
from ledgerbee.payments.charges.model import (
    CHARGE_JOB,
    CHARGE_OF_ANOTHER_CARD,
    CHARGES_JOB,
    PAYMENT_METHOD_MISSING,
    TOGETHER,
    CardToCharge,
    Charge,
    ChargeFields,
)
from ledgerbee.payments.charges.wire import render
from ledgerbee.payments.providers.references import new_reference
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId


async def start(context: Context, invoice_id: InvoiceId, asked: ChargeFields) -> Charge:
    """Begin to charge all that is due on an invoice; where a charge of it is under way, that one, unless another card
    is named.

    The invoice's row is locked: of two at once the second finds the first's. The provider is asked by a job after the
    commit. Raises `INVOICE_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `CHARGE_OF_ANOTHER_CARD` where that is under way,
    what `rules.new_charge` refuses, and what `check_bookable` does.
    """
    invoice = await documents.get_for_update(context, INVOICES, invoice_id)
    under_way = await store.find_under_way(context, invoice_id)
    if under_way is not None:
        if asked.payment_method_id not in {None, under_way.payment_method_id}:
            raise CHARGE_OF_ANOTHER_CARD.error(
                chargeId=str(under_way.id),
                status=under_way.status.value,
                paymentMethodId=str(under_way.payment_method_id),
            )
        return under_way
    last = await store.find_last(context, invoice_id)
    attempt = last.attempt + 1 if last is not None and last.retry_on is not None else 1
    card = await _card(context, invoice, asked)
    charge = _new_charge(context, invoice, card, asked, attempt=attempt)
    assert card is not None, "no charge is made without a card"
    await check_bookable(context, card, charge.currency)
    await _insert(context, [charge])
    context.enqueue(CHARGE_JOB, chargeId=str(charge.id))
    if last is not None and last.retry_on is not None:
        await store.update(context, replace(last, retry_on=None, updated_at=context.now))
    return charge


async def start_issued(context: Context, issued: Sequence[tuple[Invoice, UUID]]) -> dict[UUID, LedgerBeeError]:
    """Begin to charge new invoices, each to a saved card; those for which that is refused, with why.

    For many at once: nobody knows of these invoices before the transaction ends. One on which nothing is due is left
    out. A card that isn't of who pays, as somebody else does by now, is as none: `PAYMENT_METHOD_MISSING`.
    """
    due = [(invoice, method_id) for invoice, method_id in issued if invoice.amount_due]
    if not due:
        return {}
    cards = await store.get_cards(context, {method_id for _, method_id in due})
    charges: list[Charge] = []
    refused: dict[UUID, LedgerBeeError] = {}
    checked: dict[tuple[UUID, str], LedgerBeeError | None] = {}
    for invoice, method_id in due:
        card = cards[method_id]
        if card.customer_id != invoice.customer_id:
            refused[invoice.id] = PAYMENT_METHOD_MISSING.error(customerId=str(invoice.customer_id))
            continue
        if (asked := (method_id, invoice.currency)) not in checked:
            checked[asked] = await fault_in_booking(context, card, invoice.currency)
        try:
            if (fault := checked[asked]) is not None:
                raise fault
            charges.append(_new_charge(context, invoice, card, ChargeFields(), attempt=1))
        except LedgerBeeError as fault:
            refused[invoice.id] = fault
    await _insert(context, charges)
    for first in range(0, len(charges), TOGETHER):
        context.enqueue(CHARGES_JOB, chargeIds=[str(charge.id) for charge in charges[first : first + TOGETHER]])
    return refused


async def _card(context: Context, invoice: Invoice, asked: ChargeFields) -> CardToCharge | None:
    if asked.payment_method_id is None:
        return await store.find_default_card(context, invoice.customer_id)
    return await store.get_card(context, asked.payment_method_id)


def _new_charge(
    context: Context, invoice: Invoice, card: CardToCharge | None, asked: ChargeFields, *, attempt: int
) -> Charge:
    return rules.new_charge(invoice, card, asked, reference=new_reference(), attempt=attempt, now=context.now)


async def _insert(context: Context, charges: Sequence[Charge]) -> None:
    """Write charges. Emits `charge.created` of each."""
    await store.insert(context, charges)
    for charge in charges:
        context.emit("charge.created", charge.id, render(charge).as_event())
