"""Using a customer's credit on an invoice, and paying it back.

Each in three parts: lock and load everything; decide what is refused or all there is to write; write once.
"""

from decimal import Decimal
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.fields import fields_of
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.parties.customers import store as customers
from ledgerbee.payments.customer_credit import rules, store
from ledgerbee.payments.customer_credit.model import CreditBooking, CreditFacts, RefundFields
from ledgerbee.payments.customer_credit.wire import CreditUseResponse, render
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.store.books import get_books
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices import store as invoice_store
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import InvoiceId
from ledgerbee.tenancy.rates import store as rates


async def apply(context: Context, invoice_id: InvoiceId, amount: Decimal | None) -> CreditUseResponse:
    """Use credit of the customer's on its invoice. Emits `invoice.credit_applied`, and `invoice.paid` with the last of
    what is due.

    The customer's row is locked, then what its credit comes from: of two that use the same credit, or of a use and the
    reversal of the payment that made it, the second sees what is left. Refused in this order, and then nothing was
    written: `INVOICE_NOT_FOUND`; what `rules.book_application` refuses; where there is something to book what posting
    refuses (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`).
    """
    customer_id = (await documents.get(context, INVOICES, invoice_id)).customer_id
    await customers.get_for_update(context, customer_id)
    before = await documents.get_for_update(context, INVOICES, invoice_id)
    await store.lock_sources(context, customer_id)
    lines = await documents.lines_of(context, INVOICES, invoice_id)
    found = CreditFacts(
        **fields_of(await get_books(context, customer_id, JournalType.CUSTOMER_PAYMENT)),
        sources=await store.list_sources(context, customer_id, before.currency),
        accounts_by_role=await accounts.get_by_role(context),
        settled=await invoice_store.get_settled(context, invoice_id),
    )

    booking = rules.book_application(before, amount, found, context.today, context.now)

    assert booking.invoice is not None
    answer = await _write(context, booking, found)
    await invoices.record_credit_applied(context, FullDocument(before, lines), booking.invoice, answer.as_event())
    return answer


async def refund(context: Context, customer_id: UUID, given: RefundFields) -> CreditUseResponse:
    """Pay credit back to a customer: the receivable against the bank. Emits `customer.credit_refunded`.

    Locked as by `apply`. Refused in this order, and then nothing was written: `CUSTOMER_NOT_FOUND`; what
    `rules.book_refund` refuses; what posting refuses (`PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`).
    """
    await customers.get_for_update(context, customer_id)
    await store.lock_sources(context, customer_id)
    books = await get_books(context, customer_id, JournalType.CUSTOMER_PAYMENT)
    account = rate = None
    if given.account_id is not None:
        account = (await accounts.get_many(context, [given.account_id])).get(given.account_id)
    if given.exchange_rate is None:
        rate = await rates.find(context, given.currency, given.refunded_on, books.base_currency)
    found = CreditFacts(
        **fields_of(books),
        sources=await store.list_sources(context, customer_id, given.currency),
        accounts_by_role=await accounts.get_by_role(context),
        account=account,
        rate=rate,
    )

    booking = rules.book_refund(given, customer_id, found, context.today, context.now)

    answer = await _write(context, booking, found)
    context.emit("customer.credit_refunded", customer_id, answer.as_event())
    return answer


async def _write(context: Context, booking: CreditBooking, found: CreditFacts) -> CreditUseResponse:
    if booking.entry is not None:
        await ledger.post_of_document(context, booking.entry)
    await store.insert(context, booking)
    return render(booking, found.base_currency)
