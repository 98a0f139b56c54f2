"""Giving back of a charge: clearing, receivable and invoice move in the transaction that ends a refund or dispute."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.money import EXACT
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.payments.charge_returns import rules, store
from ledgerbee.payments.charge_returns.model import ChargeReturn, GivenBack, ReturnFacts
from ledgerbee.payments.charges import actions as charges
from ledgerbee.payments.charges import store as charge_store
from ledgerbee.payments.charges.model import Charge
from ledgerbee.payments.customer_payments import store as payment_store
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.write_offs import actions as write_offs
from ledgerbee.sales.write_offs.model import WriteOffFields
from ledgerbee.tenancy.rates import store as rates


async def give_back(context: Context, charge: Charge, invoice: Invoice, given: GivenBack) -> ChargeReturn:
    """Book what went back of a charge at the provider. The invoice and the charge are locked.

    What is not covered by credit of the invoice, or by what the charge was more than was due, opens the invoice again
    (`invoice.reopened`). One that was given up is taken up for that, and all that is due then given up anew: what was
    lost stays lost, and who doesn't pay the rest doesn't pay this either. Its charges don't come again by themselves.
    Raises what posting refuses (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`), `EXCHANGE_RATE_MISSING`, and those of
    accounts; then nothing was written.
    """
    sources = await store.get_sources(context, charge)
    parts = rules.parts_of(given.amount, invoice, sources)
    given_up = None
    if parts.opened and invoice.status is InvoiceStatus.UNCOLLECTIBLE:
        given_up, invoice = await write_offs.take_up_again(context, invoice, context.today)
    by_role = await accounts.get_by_role(context)
    clearing, unidentified = await charges.accounts_of(
        context, await charge_store.get_card(context, charge.payment_method_id)
    )
    found = ReturnFacts(
        books=await payment_store.get_facts(context, invoice),
        rate=(await rates.rate_for(context, charge.currency, context.today)).value,
        clearing=clearing,
        unidentified=unidentified,
        fees=await _fee_account(context, charge, given.fee, by_role),
        accounts_by_role=by_role,
    )

    booking = rules.book(given, parts, charge, invoice, sources, found, context.today, context.now)

    await ledger.post_of_document(context, booking.entry)
    await store.insert(context, booking.gone)
    await charge_store.stop_retries(context, charge.invoice_id, context.now)
    if booking.gone.settled_amount:
        await _open(context, invoice, booking.gone.settled_amount)
    if given_up is not None:
        day = max(context.today, given_up.written_off_on)
        await write_offs.write_off(context, invoice.id, WriteOffFields(day, given_up.description))
    return booking.gone


async def is_covered(context: Context, charge: Charge, invoice: Invoice, amount: Decimal) -> bool:
    """Whether what is to go back, with refunds that are under way, can be taken off something. Both are locked."""
    return rules.is_covered(amount, invoice, await store.get_sources(context, charge))


async def check_covered(context: Context, charge: Charge, invoice: Invoice, amount: Decimal) -> None:
    """Refuse to refund what cannot be taken off anything. The invoice and the charge are locked; `amount` is the new
    refund and those under way. Raises `CHARGE_CREDIT_USED`.
    """
    rules.check_covered(amount, invoice, await store.get_sources(context, charge))


async def check_bookable(context: Context, charge: Charge) -> None:
    """Refuse to give back of a charge what couldn't be booked today, as `charges.check_bookable` does."""
    card = await charge_store.get_card(context, charge.payment_method_id)
    await charges.check_bookable(context, card, charge.currency)


async def _fee_account(
    context: Context, charge: Charge, fee: Decimal, by_role: Mapping[str, Account]
) -> Account | None:
    if not fee:
        return None
    account_id: UUID | None = (await settings_store.get(context, charge.provider)).fee_account_id
    named = await accounts.get_many(context, [account_id] if account_id is not None else [])
    return rules.fee_account(account_id, named, by_role)


async def _open(context: Context, invoice: Invoice, amount: Decimal) -> None:
    """Write the invoice on which `amount` less is paid; where credit covers it, nothing is due all the same."""
    lines = await documents.lines_of(context, INVOICES, invoice.id)
    delivery = await deliveries.latest_of(context, INVOICES.kind, invoice.id)
    opened = invoice_rules.reopen(invoice, amount, delivery.status if delivery else None, context.now)
    if EXACT.subtract(opened.amount_due, invoice.amount_due):
        await invoices.record_settled(context, FullDocument(invoice, lines), opened)
    else:
        await invoices.record_given_back(context, FullDocument(invoice, lines), opened)
