"""The auditor's look at refunds and disputes: each that succeeded or was lost is booked to the last oere, no other."""

from typing import Final

from ledgerbee.payments.customer_payments.audit import first_fault
from ledgerbee.platform.context import Context

#: What succeeded or was lost has one return of its amount, and is of its charge; nothing else has.
_REFUNDS: Final = """
SELECT f.id FROM refunds f
LEFT JOIN charges c ON c.company_id = $1 AND c.id = f.charge_id AND c.status = 'succeeded'
    AND (c.invoice_id, c.customer_id, c.provider, c.currency) = (f.invoice_id, f.customer_id, f.provider, f.currency)
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.refund_id = f.id
WHERE f.company_id = $1 AND (c.id IS NULL OR (f.status = 'succeeded') <> (r.id IS NOT NULL)
    OR (r.charge_id, r.amount, r.currency, r.fee) <> (f.charge_id, f.amount, f.currency, 0))
ORDER BY f.id LIMIT 1
"""
_DISPUTES: Final = """
SELECT d.id FROM disputes d
LEFT JOIN charges c ON c.company_id = $1 AND c.id = d.charge_id
    AND (c.invoice_id, c.customer_id, c.provider, c.currency) = (d.invoice_id, d.customer_id, d.provider, d.currency)
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.dispute_id = d.id
WHERE d.company_id = $1 AND (c.id IS NULL OR (d.status = 'lost') <> (r.id IS NOT NULL)
    OR (r.charge_id, r.amount, r.currency, r.fee) <> (d.charge_id, d.amount, d.currency, d.fee))
ORDER BY d.id LIMIT 1
"""
#: By account, what a return takes from and what clearing gives is what its entry moves, and the entry is of it.
_BOOKED: Final = """
WITH gone AS (
    SELECT r.*, c.id AS of_charge, i.receivable_account_id, (
               SELECT l.account_id FROM journal_lines l
               WHERE l.company_id = $1 AND l.entry_id = c.unapplied_entry_id AND NOT l.is_debit) AS unapplied_account_id
    FROM charge_returns r
    LEFT JOIN charges c ON c.company_id = $1 AND c.id = r.charge_id AND c.invoice_id = r.invoice_id
        AND (c.customer_id, c.currency) = (r.customer_id, r.currency)
    LEFT JOIN invoices i ON i.company_id = $1 AND i.id = r.invoice_id
    WHERE r.company_id = $1
), moved AS (
    SELECT id, receivable_account_id AS account_id, settled_amount AS amount, base_settled AS base_amount FROM gone
    UNION ALL
    SELECT id, unapplied_account_id, unapplied_amount, base_unapplied FROM gone
    UNION ALL
    SELECT id, unidentified_account_id, unidentified_amount, base_unidentified FROM gone
    UNION ALL
    SELECT id, fee_account_id, fee, base_fee FROM gone
    UNION ALL
    SELECT id, clearing_account_id, -amount - fee, -base_amount - base_fee FROM gone
    UNION ALL
    SELECT g.id, l.account_id, -l.amount, -l.base_amount
    FROM gone g JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = g.journal_entry_id AND l.amount <> 0
)
SELECT g.id FROM gone g
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = g.journal_entry_id
    AND e.source_type = CASE WHEN g.refund_id IS NULL THEN 'dispute' ELSE 'refund' END
    AND e.source_id = coalesce(g.refund_id, g.dispute_id) AND e.customer_id = g.customer_id
    AND e.currency = g.currency AND e.entry_date = g.returned_on AND e.original_amount = g.amount
    AND e.exchange_rate = round(g.exchange_rate, 12)
WHERE e.id IS NULL OR g.of_charge IS NULL
    OR g.amount <> g.settled_amount + g.unapplied_amount + g.unidentified_amount
    OR EXISTS (SELECT FROM moved m WHERE m.id = g.id GROUP BY m.account_id
               HAVING sum(m.amount) <> 0 OR sum(m.base_amount) <> 0)
ORDER BY g.id LIMIT 1
"""
#: What leaves clearing, the fee and what stands on unidentified receipts are at the day's rate, each rounded by itself.
#: Of what a charge was more than was due its returns have together the share that `rules.base_unapplied` says. What
#: comes back onto the receivable is held against the invoice, with what else settles it (`customer_payments`).
_RATES: Final = """
SELECT r.id FROM charge_returns r
JOIN ledgers g ON g.company_id = $1
JOIN charges c ON c.company_id = $1 AND c.id = r.charge_id
CROSS JOIN LATERAL (
    SELECT sum(o.unapplied_amount) AS amount, sum(o.base_unapplied) AS base_amount
    FROM charge_returns o WHERE o.company_id = $1 AND o.charge_id = c.id
) o
LEFT JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = c.unapplied_entry_id AND l.is_debit
WHERE r.company_id = $1 AND (
    (r.base_amount, r.base_fee, r.base_unidentified) <> (
        round(r.amount * r.exchange_rate, g.base_minor_units), round(r.fee * r.exchange_rate, g.base_minor_units),
        round(r.unidentified_amount * r.exchange_rate, g.base_minor_units))
    OR (o.amount = 0 AND o.base_amount <> 0)
    OR (o.amount <> 0 AND o.base_amount IS DISTINCT FROM round(
        l.base_amount * o.amount / nullif(c.unapplied_amount, 0), g.base_minor_units)))
ORDER BY r.id LIMIT 1
"""
#: No more goes back than a charge paid, or than it was more than was due; and refunds are never more than it.
_CHARGES: Final = """
SELECT c.id FROM charges c
LEFT JOIN payments p ON p.company_id = $1 AND p.id = c.payment_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.settled_amount), 0) AS settled, coalesce(sum(r.unapplied_amount), 0) AS unapplied
    FROM charge_returns r WHERE r.company_id = $1 AND r.charge_id = c.id
) r CROSS JOIN LATERAL (
    SELECT coalesce(sum(f.amount), 0) AS amount FROM refunds f
    WHERE f.company_id = $1 AND f.charge_id = c.id AND f.status <> 'failed'
) f
WHERE c.company_id = $1
  AND (r.settled > coalesce(p.amount, 0) OR r.unapplied > c.unapplied_amount OR f.amount > c.amount)
ORDER BY c.id LIMIT 1
"""
_FAULTS: Final = (
    (_REFUNDS, "refund {id} isn't booked as it says"),
    (_DISPUTES, "dispute {id} isn't booked as it says"),
    (_BOOKED, "what went back of a charge ({id}) isn't booked as it says"),
    (_RATES, "what went back of a charge ({id}) isn't booked at the rates that it says"),
    (_CHARGES, "more went back of charge {id} than there is"),
)


async def fault_in_returns(context: Context) -> str | None:
    """The first refund, dispute or charge that isn't booked as it says; None for none."""
    return await first_fault(context, _FAULTS)
