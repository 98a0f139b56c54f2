"""The auditor's look at payments: invoices and ledger say the same of them."""

from typing import Final

from ledgerbee.platform.context import Context

_INVOICES: Final = """
SELECT i.number, i.status, i.amount, i.amount_paid, i.base_amount, p.amount AS paid, p.settled
FROM invoices i CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount, coalesce(sum(p.base_settled), 0) AS settled FROM payments p
    WHERE p.company_id = $1 AND p.invoice_id = i.id AND p.reversed_at IS NULL
) p
WHERE i.company_id = $1 AND i.status <> 'draft'
  AND (i.amount_paid <> p.amount OR (i.status = 'paid' AND i.amount_paid <> i.amount) OR p.settled > i.base_amount
       OR (i.amount_paid = i.amount AND p.settled <> i.base_amount))
ORDER BY i.number_sequence LIMIT 1
"""
_REVERSALS: Final = """
SELECT p.id FROM payments p
LEFT JOIN journal_entries r ON r.company_id = $1 AND r.reverses_entry_id = p.journal_entry_id
WHERE p.company_id = $1 AND r.id IS DISTINCT FROM p.reversal_entry_id ORDER BY p.id LIMIT 1
"""


async def fault_in_payments(context: Context) -> str | None:
    """What is wrong with the first invoice or payment that doesn't fit the others; None: nothing with any.

    An invoice's `amount_paid` is the sum of its payments but for those taken back, all of it where it is `paid`; what
    they settled of the receivable is never more than was booked, and all of it when all is paid. A payment is marked as
    taken back if and only if its entry is reversed.
    """
    wrong = await context.connection.fetchrow(_INVOICES, context.company_id)
    if wrong is not None:
        return (
            f"invoice {wrong['number']} ({wrong['status']}) of {wrong['amount']:f} has {wrong['amount_paid']:f} paid; "
            f"its payments are {wrong['paid']:f} and settle {wrong['settled']:f} of {wrong['base_amount']:f}"
        )
    payment_id = await context.connection.fetchval(_REVERSALS, context.company_id)
    if payment_id is not None:
        return f"payment {payment_id} and its entry disagree on whether it was taken back"
    return None
