"""The auditor's look at write-offs: each stands on an entry that says the same, takes the VAT of what was due, and
leaves nothing of the invoice's receivable."""

from typing import Final

from ledgerbee.sales.invoices.store import SETTLED_IN_BASE

#: A write-off, its entry, and whether it was taken back. A description doesn't count.
_BOOKED: Final = """
SELECT w.id FROM write_offs w JOIN invoices i ON i.company_id = $1 AND i.id = w.invoice_id
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = w.journal_entry_id AND e.source_type = 'write_off'
    AND e.source_id = w.id AND e.customer_id = i.customer_id AND e.currency = i.currency
    AND e.entry_date = w.written_off_on AND e.original_amount = w.amount
    AND e.exchange_rate = round(i.exchange_rate, 12)
LEFT JOIN journal_entries r ON r.company_id = $1 AND r.reverses_entry_id = w.journal_entry_id
LEFT JOIN LATERAL (
    SELECT -sum(l.amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id) AS amount,
           -sum(l.base_amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id)
               AS base_amount,
           coalesce(sum(l.amount) FILTER (WHERE l.line_type = 'VAT'), 0) AS vat,
           coalesce(sum(l.base_amount) FILTER (WHERE l.line_type = 'VAT'), 0) AS base_vat,
           coalesce(sum(l.amount) FILTER (WHERE l.line_type = 'ENTERED' AND i.is_prepayment AND l.account_id IN (
               SELECT p.account_id FROM invoice_lines p WHERE p.company_id = $1 AND p.invoice_id = i.id)), 0) AS prepaid
    FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id
) b ON true
WHERE w.company_id = $1
  AND (e.id IS NULL OR r.id IS DISTINCT FROM w.reversal_entry_id
       OR (b.amount, b.base_amount, b.vat, b.base_vat, b.prepaid)
           IS DISTINCT FROM (w.amount, w.base_amount, w.vat_amount, w.base_vat_amount, w.prepaid_amount)
       OR w.prepaid_amount NOT IN (0, w.amount - w.vat_amount))
ORDER BY w.id LIMIT 1
"""
#: The VAT of one that stands, by code: its share of what the invoice and its credit notes charge, as what was due is a
#: share of what they sum up to. Rounded in the invoice's currency, and then converted: within some smallest units.
_VAT: Final = """
SELECT i.number FROM write_offs w JOIN invoices i ON i.company_id = $1 AND i.id = w.invoice_id
JOIN ledgers g ON g.company_id = $1
CROSS JOIN LATERAL (
    SELECT coalesce(sum(-l.base_amount) FILTER (WHERE l.entry_id <> w.journal_entry_id), 0) AS charged,
           coalesce(sum(l.base_amount) FILTER (WHERE l.entry_id = w.journal_entry_id), 0) AS taken
    FROM journal_lines l
    WHERE l.company_id = $1 AND l.line_type = 'VAT' AND l.entry_id IN (
        SELECT w.journal_entry_id UNION ALL SELECT i.journal_entry_id UNION ALL
        SELECT n.journal_entry_id FROM credit_notes n
        WHERE n.company_id = $1 AND n.invoice_id = i.id AND n.journal_entry_id IS NOT NULL)
    GROUP BY l.account_id, l.vat_code_id, l.vat_rate
) v
WHERE w.company_id = $1 AND w.reversed_at IS NULL AND i.amount > i.credited_amount
  AND abs(v.taken - v.charged * w.amount / (i.amount - i.credited_amount))
      > 3 * power(10::numeric, -g.base_minor_units) * greatest(i.exchange_rate, 1)
ORDER BY i.number_sequence LIMIT 1
"""
#: What is given up of an invoice is its write-off that stands, with which nothing is left of its receivable.
_SETTLED: Final = """
SELECT i.number FROM invoices i
LEFT JOIN write_offs w ON w.company_id = $1 AND w.invoice_id = i.id AND w.reversed_at IS NULL
WHERE i.company_id = $1
  AND (i.written_off_amount <> coalesce(w.amount, 0) OR (i.written_off_amount > 0) <> (i.status = 'uncollectible')
       OR (w.id IS NOT NULL AND i.base_amount - w.base_amount <> ({settled})))
ORDER BY i.number_sequence LIMIT 1
""".format(settled=SETTLED_IN_BASE.format(invoice="i.id"))

#: What is wrong, as queries that find the first fault, and what to say of it.
FAULTS: Final = (
    (_BOOKED, "write-off {id} and its entry don't say the same"),
    (_VAT, "what was written off of invoice {number} has not the VAT of what was due"),
    (_SETTLED, "what is given up of invoice {number} is not its write-off, or leaves something of its receivable"),
)
