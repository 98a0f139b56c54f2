"""Recording a customer's payment and taking it back: bank, receivable and the invoice move in one transaction."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, Account
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import multiply, round_money
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.parties.customers import store as customers
from ledgerbee.payments.customer_payments import rules, store
from ledgerbee.payments.customer_payments.model import BANK, Payment, PaymentFields
from ledgerbee.payments.customer_payments.wire import snapshot
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices import store as invoice_store
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payment and the currency its base amounts are in."""

    payment: Payment
    base_currency: str


async def record(context: Context, invoice_id: UUID, given: PaymentFields) -> Recorded:
    """Record a payment on a booked invoice. Emits `payment.recorded`, with the last one also `invoice.paid`.

    The invoice's row is held, so payments that race never pay too much. Raises validation errors,
    `INVOICE_NOT_FOUND`, `INVOICE_INVALID_STATE`, `PAYMENT_CURRENCY_MISMATCH`, `PAYMENT_EXCEEDS_INVOICE`,
    `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`, `PAYMENT_ACCOUNT_MISSING`,
    `EXCHANGE_RATE_MISSING`, `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`.
    """
    invoice = await invoice_store.get(context, invoice_id, for_update=True)
    invoice_rules.require_status(invoice, invoice_rules.PAYABLE)
    company = await companies.get(context)
    rules.check_payment(given, invoice, company.base_currency, context.today)
    by_role = await accounts.get_by_role(context)
    account = await _account(context, given, by_role)
    rules.check_account(account)
    settled = await store.settled_of(context, invoice.id)
    rate = given.exchange_rate or (await rates.rate_for(context, invoice.currency, given.paid_on)).value
    payment = Payment(
        id=new_id(),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        paid_on=given.paid_on,
        amount=given.amount,
        currency=invoice.currency,
        exchange_rate=rate,
        base_amount=round_money(multiply(given.amount, rate), company.base_currency),
        base_settled=rules.base_settled(invoice, given.amount, settled, company.base_currency),
        account_id=account.id,
        reference=given.reference,
        journal_entry_id=new_id(),
        created_at=context.now,
    )
    customer = await customers.get(context, invoice.customer_id)
    text = rules.entry_text(invoice, customer.name, company.preferred_language)
    entry = rules.journal_entry(payment, invoice, text=text, accounts=by_role)
    await store.insert(context, payment)
    context.emit("payment.recorded", payment.id, snapshot(payment, company.base_currency))
    await invoices.settle(context, invoice, payment.amount)
    await ledger.post_of_document(context, entry)
    return Recorded(payment, company.base_currency)


async def reverse(context: Context, payment_id: UUID, on: date | None, description: str | None) -> Recorded:
    """Take a payment back: reverse its entry and open its invoice again. Emits `payment.reversed`.

    Both on the day `on` (None: today, or the payment's if later); what is due again is what the payment took off, in
    either currency. The invoice's row is held: of two at once, one wins. Raises `PAYMENT_NOT_FOUND`,
    `PAYMENT_ALREADY_REVERSED`, `INVOICE_INVALID_STATE`, `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, and a validation error
    for a day before the payment's or more than a year ahead.
    """
    if on is not None:
        check_date(on, context.today)
    found = await store.get(context, payment_id)
    invoice = await invoice_store.get(context, found.invoice_id, for_update=True)
    payment = await store.get(context, payment_id)  # once more, for whoever was faster
    rules.check_reversible(payment)
    company = await companies.get(context)
    reversal_id = new_id()
    was = snapshot(payment, company.base_currency)
    payment = replace(payment, reversed_at=context.now, reversal_entry_id=reversal_id)
    await store.mark_reversed(context, payment)
    await invoices.reopen(context, invoice, payment.amount)
    context.emit("payment.reversed", payment.id, snapshot(payment, company.base_currency), before=was)
    await ledger.reverse_of_document(context, payment.journal_entry_id, reversal_id, on, description)
    return Recorded(payment, company.base_currency)


async def _account(context: Context, given: PaymentFields, by_role: dict[str, Account]) -> Account:
    if given.account_id is None:
        rules.role_account(by_role, BANK)
        return by_role[BANK]
    account = (await accounts.get_many(context, [given.account_id])).get(given.account_id)
    if account is None:
        raise ACCOUNT_NOT_FOUND.missing("accountId", "accountId", given.account_id)
    return account
