"""The auditor's look at customers' credit: nothing is used that isn't there, and the books say the same."""

from typing import Final

from ledgerbee.payments.customer_payments.audit import first_fault
from ledgerbee.platform.context import Context

#: Each use is the sum of its parts, of sources of its customer and currency, and booked as it says: by account, what is
#: taken off the credit less what is given (to the invoice, or out of the bank) is what its entry moves.
_USES: Final = """
WITH parts AS (
    SELECT p.use_id, p.amount, p.base_amount, coalesce(i.receivable_account_id, n.receivable_account_id) AS account_id,
           coalesce(i.customer_id, n.customer_id) AS customer_id, coalesce(i.currency, n.currency) AS currency
    FROM credit_use_parts p
    LEFT JOIN invoices i ON i.company_id = $1 AND i.id = p.source_invoice_id AND i.journal_entry_id IS NOT NULL
    LEFT JOIN credit_notes n ON n.company_id = $1 AND n.id = p.credit_note_id AND n.journal_entry_id IS NOT NULL
        AND n.invoice_id IS NULL
    WHERE p.company_id = $1
), moved AS (
    SELECT use_id, account_id, amount, base_amount FROM parts
    UNION ALL
    SELECT u.id, coalesce(u.account_id, i.receivable_account_id), -u.amount, -u.base_given
    FROM credit_uses u LEFT JOIN invoices i ON i.company_id = $1 AND i.id = u.invoice_id
    WHERE u.company_id = $1
    UNION ALL
    SELECT u.id, l.account_id, -l.amount, -l.base_amount
    FROM credit_uses u JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = u.journal_entry_id AND l.amount <> 0
    WHERE u.company_id = $1
)
SELECT u.id FROM credit_uses u
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = u.invoice_id
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = u.journal_entry_id AND e.source_type = 'credit_use'
    AND e.source_id = u.id AND e.customer_id = u.customer_id AND e.currency = u.currency AND e.entry_date = u.used_on
    AND e.original_amount = u.amount AND e.exchange_rate = round(u.exchange_rate, 12)
WHERE u.company_id = $1 AND (
    (u.journal_entry_id IS NOT NULL AND e.id IS NULL)
    OR (u.invoice_id IS NOT NULL AND (i.customer_id, i.currency, i.exchange_rate)
        IS DISTINCT FROM (u.customer_id, u.currency, u.exchange_rate))
    OR (u.amount, u.base_taken) <> (
        SELECT coalesce(sum(p.amount), 0), coalesce(sum(p.base_amount), 0) FROM parts p WHERE p.use_id = u.id)
    OR EXISTS (SELECT FROM parts p WHERE p.use_id = u.id AND (p.customer_id, p.currency)
        IS DISTINCT FROM (u.customer_id, u.currency))
    OR EXISTS (SELECT FROM moved m WHERE m.use_id = u.id GROUP BY m.account_id
               HAVING sum(m.amount) <> 0 OR sum(m.base_amount) <> 0))
ORDER BY u.id LIMIT 1
"""
#: A part is of a use.
_PARTS: Final = """
SELECT p.use_id AS id FROM credit_use_parts p LEFT JOIN credit_uses u ON u.company_id = $1 AND u.id = p.use_id
WHERE p.company_id = $1 AND u.id IS NULL ORDER BY p.use_id LIMIT 1
"""
#: Of a source never more is used than there is; of a credit note, all of it in both currencies or none.
_NOTES: Final = """
SELECT n.number FROM credit_notes n JOIN LATERAL (
    SELECT sum(p.amount) AS amount, sum(p.base_amount) AS base_amount
    FROM credit_use_parts p WHERE p.company_id = $1 AND p.credit_note_id = n.id
) u ON u.amount > 0
WHERE n.company_id = $1 AND (u.amount > -n.amount OR u.base_amount > -n.base_amount
    OR (u.amount = -n.amount AND u.base_amount <> -n.base_amount))
ORDER BY n.number_sequence LIMIT 1
"""
_INVOICES: Final = """
SELECT i.number FROM invoices i JOIN LATERAL (
    SELECT sum(p.amount) AS amount FROM credit_use_parts p WHERE p.company_id = $1 AND p.source_invoice_id = i.id
) u ON u.amount > 0
WHERE i.company_id = $1 AND u.amount > i.amount_paid + i.credited_amount + i.applied_credit - i.amount
ORDER BY i.number_sequence LIMIT 1
"""
_FAULTS: Final = (
    (_PARTS, "a part of the use {id} of credit is of no use"),
    (_USES, "use {id} of credit is not what its parts and its entry say"),
    (_NOTES, "more of credit note {number} is used than there is"),
    (_INVOICES, "more is used of what invoice {number} has too much than there is"),
)


async def fault_in_credit(context: Context) -> str | None:
    """What is wrong with the first use of customers' credit; None: nothing with any.

    Each use is the sum of what it takes of its sources, documents of its customer in its currency, and is booked as it
    says. Of no source more is used than there is.
    """
    return await first_fault(context, _FAULTS)
