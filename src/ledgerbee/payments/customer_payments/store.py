"""Rows of payments, and what booking one asks of the books."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.fields import names_of
from ledgerbee.payments.customer_payments.model import (
    PAYMENT_NOT_FOUND,
    InvoiceFacts,
    Payment,
    PaymentId,
    ReopenSources,
    UsedExcess,
)
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.sales.invoices.store import SETTLED_IN_BASE

_SELECT: Final = f"SELECT {rows.columns(Payment)} FROM payments WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_INVOICE: Final = f"{_SELECT} AND invoice_id = $2 ORDER BY paid_on, id"
_INSERT: Final = rows.insert("payments", Payment)
_INSERT_MANY: Final = rows.insert_many("payments", Payment)
_SET_REVERSED: Final = "UPDATE payments SET reversed_at = $3, reversal_entry_id = $4 WHERE company_id = $1 AND id = $2"
_FACTS: Final = f"""
SELECT co.base_currency, co.preferred_language AS language, c.name AS customer_name,
       ({SETTLED_IN_BASE.format(invoice="$5")}) AS settled,
       ({journal_categories.FOR_TYPE}) AS journal_category_id
FROM companies co JOIN customers c ON c.company_id = co.company_id AND c.id = $4
WHERE co.company_id = $1
"""
_MANY_FACTS: Final = f"""
SELECT i.id, co.base_currency, co.preferred_language AS language, c.name AS customer_name,
       ({SETTLED_IN_BASE.format(invoice="i.id")}) AS settled, f.id AS journal_category_id
FROM companies co
LEFT JOIN ({journal_categories.FOR_TYPE}) f ON true
CROSS JOIN unnest($4::uuid[], $5::uuid[]) i (id, customer_id)
JOIN customers c ON c.company_id = co.company_id AND c.id = i.customer_id
WHERE co.company_id = $1
"""
#: What refunds that are under way will take of what charges paid on an invoice `i`: of its credit first.
PAID_TO_REFUND: Final = """
SELECT coalesce(sum(least(f.amount, coalesce(p.amount, 0) - coalesce(g.amount, 0))), 0)
FROM (SELECT charge_id, sum(amount) AS amount FROM refunds
      WHERE company_id = $1 AND invoice_id = i.id AND status IN ('pending', 'unclear') GROUP BY charge_id) f
JOIN charges c ON c.company_id = $1 AND c.id = f.charge_id
LEFT JOIN payments p ON p.company_id = $1 AND p.id = c.payment_id
CROSS JOIN LATERAL (SELECT sum(r.settled_amount) AS amount FROM charge_returns r
                    WHERE r.company_id = $1 AND r.charge_id = c.id) g
"""
_TO_REOPEN: Final = f"""
SELECT co.base_currency, ({SETTLED_IN_BASE.format(invoice="$2")}) AS settled,
       ({PAID_TO_REFUND.replace("i.id", "$2")}) AS to_refund,
       coalesce(sum(p.amount), 0) AS used, coalesce(sum(p.base_amount), 0) AS base_used,
       (SELECT c.id FROM charges c WHERE c.company_id = $1 AND c.invoice_id = $2 AND c.payment_id = $3) AS charge_id
FROM companies co LEFT JOIN credit_use_parts p ON p.company_id = co.company_id AND p.source_invoice_id = $2
WHERE co.company_id = $1 GROUP BY co.company_id
"""


async def get_facts(context: Context, invoice: Invoice) -> InvoiceFacts:
    """Currency, language, customer, what is settled so far, and where payments are posted."""
    row = await context.connection.fetchrow(
        _FACTS,
        context.company_id,
        JournalType.CUSTOMER_PAYMENT,
        list(JournalType),
        invoice.customer_id,
        invoice.id,
    )
    assert row is not None, "an invoice has its customer"
    return InvoiceFacts(**row)


async def get_many_facts(context: Context, invoices: Sequence[Invoice]) -> dict[UUID, InvoiceFacts]:
    """As `get_facts`, of invoices, by their ids."""
    found = await context.connection.fetch(
        _MANY_FACTS,
        context.company_id,
        JournalType.CUSTOMER_PAYMENT,
        list(JournalType),
        [one.id for one in invoices],
        [one.customer_id for one in invoices],
    )
    return {row["id"]: InvoiceFacts(**{name: row[name] for name in names_of(InvoiceFacts)}) for row in found}


async def insert(context: Context, payment: Payment) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(payment))


async def insert_many(context: Context, payments: Sequence[Payment]) -> None:
    """Write payments, one at least."""
    await context.connection.execute(_INSERT_MANY, context.company_id, *rows.column_values(payments))


async def get(context: Context, payment_id: PaymentId) -> Payment:
    """One payment. Raises `PAYMENT_NOT_FOUND`."""
    return Payment(**PAYMENT_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, payment_id)))


async def get_for_update(context: Context, payment_id: PaymentId) -> Payment:
    """One payment, locked until the transaction ends. Raises `PAYMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, payment_id)
    return Payment(**PAYMENT_NOT_FOUND.unless(row))


async def set_reversed(context: Context, payment: Payment) -> None:
    """Write when a payment was taken back, and by which entry."""
    await context.connection.execute(
        _SET_REVERSED, context.company_id, payment.id, payment.reversed_at, payment.reversal_entry_id
    )


async def get_to_reopen(context: Context, payment: Payment) -> ReopenSources:
    """What of an invoice, which is locked, decides whether a payment on it can be taken back."""
    row = await context.connection.fetchrow(_TO_REOPEN, context.company_id, payment.invoice_id, payment.id)
    assert row is not None, "a company has its row"
    used = UsedExcess(row["used"], row["base_used"])
    return ReopenSources(row["base_currency"], row["settled"], used, row["to_refund"], row["charge_id"])


async def list_of_invoice(context: Context, invoice_id: InvoiceId) -> list[Payment]:
    """The payments on an invoice, those taken back too, in the order in which they were made."""
    found = await context.connection.fetch(_OF_INVOICE, context.company_id, invoice_id)
    return [Payment(**row) for row in found]
