"""Recording a customer's payment and taking it back: bank, receivable and the invoice move in one transaction.

Each in three parts: load everything; decide what is refused or all there is to write; write once, posting first.
"""

from collections.abc import Sequence
from datetime import date

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.ledger.entries.model import LineToPost
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.payments.customer_payments import rules, store
from ledgerbee.payments.customer_payments.model import Payment, PaymentFields, PaymentId, PaymentSources, ReopenSources
from ledgerbee.payments.customer_payments.wire import render
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId, InvoiceStatus
from ledgerbee.sales.write_offs import actions as write_offs
from ledgerbee.sales.write_offs.model import WriteOffFields
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.model import Rate

#: A payment and the currency its base amounts are in.
PaymentAndCurrency = tuple[Payment, str]


async def record(context: Context, invoice_id: InvoiceId, given: PaymentFields) -> PaymentAndCurrency:
    """Record a payment on a booked invoice. Emits `payment.recorded`, with the last one also `invoice.paid`.

    The invoice's row is locked, so payments that race never pay too much. One that comes in on an invoice that was
    given up takes the write-off back on its day, and what is left is written off anew (`sales.write_offs`).

    Refused in this order, and then nothing was written: `INVOICE_NOT_FOUND`; what `rules.book` refuses; what posting
    refuses (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`).
    """
    before = await documents.get_for_update(context, INVOICES, invoice_id)
    given_up = None
    if before.status is InvoiceStatus.UNCOLLECTIBLE:
        given_up, before = await write_offs.take_up_again(context, before, given.paid_on)
    found = await _load(context, before, given)
    lines = await documents.lines_of(context, INVOICES, invoice_id)

    booking = rules.book(given, before, found, context.today, context.now)

    payment = booking.payment
    await ledger.post_of_document(context, booking.entry)
    await store.insert(context, payment)
    context.emit("payment.recorded", payment.id, render(payment, found.base_currency).as_event())
    await invoices.record_settled(context, FullDocument(before, lines), booking.invoice)
    if given_up is not None and booking.invoice.amount_due:
        day = max(given.paid_on, given_up.written_off_on)
        await write_offs.write_off(context, invoice_id, WriteOffFields(day, given_up.description))
    return payment, found.base_currency


async def record_together(context: Context, given: Sequence[tuple[Invoice, PaymentFields]]) -> list[Payment]:
    """As `record`, of payments on invoices of their own, all or none: each statement is one for all of them.

    The invoices are locked, and none is one that was given up. The fields name an account, and no rate.
    """
    before = [invoice for invoice, _ in given]
    facts = await store.get_many_facts(context, before)
    by_role = await accounts.get_by_role(context)
    named = await accounts.get_many(context, {one.account_id for _, one in given if one.account_id is not None})
    lines = await documents.lines_of_many(context, INVOICES, [one.id for one in before])
    rates_by_day: dict[tuple[str, date], Rate | None] = {}
    bookings = []
    for invoice, one in given:
        found = facts[invoice.id]
        if (day := (invoice.currency, one.paid_on)) not in rates_by_day:
            rates_by_day[day] = await rates.find(context, *day, found.base_currency)
        assert one.account_id is not None, "whoever records many says where they come in"
        sources = PaymentSources(
            **fields_of(found),
            accounts_by_role=by_role,
            account=named.get(one.account_id),
            rate=rates_by_day[day],
        )
        bookings.append(rules.book(one, invoice, sources, context.today, context.now))

    await ledger.post_of_documents([context] * len(bookings), [booking.entry for booking in bookings])
    made = [booking.payment for booking in bookings]
    await store.insert_many(context, made)
    for payment in made:
        context.emit(
            "payment.recorded", payment.id, render(payment, facts[payment.invoice_id].base_currency).as_event()
        )
    settled = [
        (FullDocument(invoice, lines[invoice.id]), booking.invoice)
        for invoice, booking in zip(before, bookings, strict=True)
    ]
    await invoices.record_settled_together(context, settled)
    return made


async def _load(context: Context, invoice: Invoice, given: PaymentFields) -> PaymentSources:
    facts = await store.get_facts(context, invoice)
    account = rate = None
    if given.account_id is not None:
        account = (await accounts.get_many(context, [given.account_id])).get(given.account_id)
    if given.exchange_rate is None:
        rate = await rates.find(context, invoice.currency, given.paid_on, facts.base_currency)
    return PaymentSources(
        **fields_of(facts), accounts_by_role=await accounts.get_by_role(context), account=account, rate=rate
    )


async def reverse(
    context: Context, payment_id: PaymentId, on: date | None, description: str | None
) -> PaymentAndCurrency:
    """Take a payment back: reverse its entry and open its invoice again. Emits `payment.reversed`.

    Both on the day `on` (None: today, or the payment's if later); what is due again is what the payment took off, in
    either currency; where others settle the invoice all the same, nothing of its receivable is left. Payment and
    invoice are locked: of two at once, one wins. Refused in this order, and then nothing was written: a validation
    error for a day more than a year ahead; `PAYMENT_NOT_FOUND`; `PAYMENT_ALREADY_REVERSED`; `PAYMENT_IS_CHARGE`;
    `INVOICE_INVALID_STATE`; `PAYMENT_CREDIT_USED`; `PAYMENT_ACCOUNT_MISSING`, where an exchange difference is left that
    has no account to stand on; a validation error for a day before the payment's; what posting refuses
    (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`).
    """
    if on is not None:
        check_date(on, context.today)
    payment = await store.get_for_update(context, payment_id)
    invoice = await documents.get_for_update(context, INVOICES, payment.invoice_id)
    lines = await documents.lines_of(context, INVOICES, invoice.id)
    delivery = await deliveries.latest_of(context, INVOICES.kind, invoice.id)

    found = await store.get_to_reopen(context, payment)
    rules.check_reversible(payment, found.charge_id)
    opened = invoice_rules.reopen(invoice, payment.amount, delivery.status if delivery else None, context.now)
    rules.check_excess_unused(invoice, opened, found.used, found.to_refund)
    added = await _difference(context, payment, opened, found)
    reversal_id = new_id()
    taken_back = replace(payment, reversed_at=context.now, reversal_entry_id=reversal_id)

    posted = await ledger.reverse_of_document(context, payment.journal_entry_id, reversal_id, on, description, added)
    base_currency = posted.entry.base_currency
    await store.set_reversed(context, taken_back)
    await invoices.record_settled(context, FullDocument(invoice, lines), opened)
    now, was = render(taken_back, base_currency).as_event(), render(payment, base_currency).as_event()
    context.emit("payment.reversed", payment.id, now, before=was)
    return taken_back, base_currency


async def _difference(context: Context, payment: Payment, opened: Invoice, found: ReopenSources) -> list[LineToPost]:
    """What the reversal of a payment settles beside: an exchange difference, in a foreign currency only."""
    assert opened.exchange_rate is not None
    conversion = Conversion(opened.currency, found.base_currency, opened.exchange_rate)
    if conversion.is_base:
        return []
    settled = EXACT.subtract(found.settled, payment.base_settled)
    difference = rules.difference_when_reopened(opened, settled, found.used, conversion)
    return rules.lines_of_difference(difference, opened, await accounts.get_by_role(context))
