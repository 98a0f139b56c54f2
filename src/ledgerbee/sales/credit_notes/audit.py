"""The auditor's look at credit notes: entries of their own, never more than was invoiced."""

from typing import Final

#: Booked if and only if it was sent, by an entry of its own. In a foreign currency VAT is compared in that alone.
_BOOKED: Final = """
SELECT n.number FROM credit_notes n
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = n.journal_entry_id AND e.source_type = 'credit_note'
    AND e.source_id = n.id AND e.customer_id = n.customer_id AND e.currency = n.currency
    AND e.entry_date = n.issue_date AND e.original_amount = n.amount AND e.exchange_rate = round(n.exchange_rate, 12)
LEFT JOIN LATERAL (
    SELECT sum(l.amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = n.receivable_account_id) AS amount,
           sum(l.base_amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = n.receivable_account_id)
               AS base_amount,
           coalesce(-sum(l.amount) FILTER (WHERE l.line_type = 'VAT'), 0) AS vat
    FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id
) r ON true
WHERE n.company_id = $1 AND CASE WHEN n.status IN ('draft', 'cancelled') THEN n.journal_entry_id IS NOT NULL
    ELSE e.id IS NULL OR (r.amount, r.base_amount, r.vat) IS DISTINCT FROM (n.amount, n.base_amount, n.vat) END
ORDER BY n.number_sequence LIMIT 1
"""
_SUMS: Final = """
SELECT n.number FROM credit_notes n CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.net), 0) AS net, coalesce(sum(l.vat), 0) AS vat FROM credit_note_lines l
    WHERE l.company_id = $1 AND l.credit_note_id = n.id
) l
WHERE n.company_id = $1
  AND ((l.net, l.vat, n.subtotal + n.vat) IS DISTINCT FROM (n.subtotal, n.vat, n.amount) OR n.amount > 0
       OR right(n.number, length(n.number_sequence::text)) <> n.number_sequence::text)
ORDER BY n.number_sequence LIMIT 1
"""
_PRINTED: Final = """
SELECT n.number FROM credit_notes n
LEFT JOIN document_snapshots s ON s.company_id = $1 AND s.document_id = n.id AND s.document_type = 'credit_note'
WHERE n.company_id = $1 AND n.status NOT IN ('draft', 'cancelled')
  AND ((s.content ->> 'number', s.content ->> 'issueDate', s.content ->> 'currency',
        s.content ->> 'creditsInvoiceNumber')
           IS DISTINCT FROM (n.number, n.issue_date::text, n.currency, n.invoice_number)
       OR ((s.content ->> 'subtotal')::numeric, (s.content ->> 'vat')::numeric, (s.content ->> 'amount')::numeric)
           IS DISTINCT FROM (n.subtotal, n.vat, n.amount))
ORDER BY n.number_sequence LIMIT 1
"""
#: A note on an invoice is the invoice's, line by line; one of none names no lines of any.
_OF_INVOICE: Final = """
SELECT n.number FROM credit_notes n
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = n.invoice_id AND i.status <> 'draft'
    AND (i.number, i.customer_id, i.currency) = (n.invoice_number, n.customer_id, n.currency)
    AND i.issue_date <= n.issue_date
    AND (n.journal_entry_id IS NULL
         OR (i.receivable_account_id, i.exchange_rate) = (n.receivable_account_id, n.exchange_rate))
WHERE n.company_id = $1 AND ((n.invoice_id IS NOT NULL AND i.id IS NULL)
    OR (n.invoice_id IS NULL AND n.invoice_number IS NOT NULL)
    OR EXISTS (
        SELECT FROM credit_note_lines l
        LEFT JOIN invoice_lines s ON s.company_id = $1 AND s.invoice_id = n.invoice_id AND s.id = l.invoice_line_id
        WHERE l.company_id = $1 AND l.credit_note_id = n.id AND l.line_type = 'product'
          AND CASE WHEN n.invoice_id IS NULL THEN l.invoice_line_id IS NOT NULL
              ELSE (s.price_id, s.account_id, s.vat_code_id, s.vat_rate)
                  IS DISTINCT FROM (l.price_id, l.account_id, l.vat_code_id, l.vat_rate) END))
ORDER BY n.number_sequence LIMIT 1
"""
#: What notes that were not cancelled take: of each line, of the VAT at each rate, in all.
_EXCEEDED: Final = """
WITH taken AS (
    SELECT n.invoice_id, l.invoice_line_id, l.vat_rate, -l.net AS net, -l.vat AS vat
    FROM credit_notes n JOIN credit_note_lines l ON l.company_id = $1 AND l.credit_note_id = n.id
    WHERE n.company_id = $1 AND n.invoice_id IS NOT NULL AND n.status <> 'cancelled' AND l.line_type = 'product'
), lines AS (
    SELECT invoice_id, invoice_line_id, sum(net) AS net FROM taken GROUP BY 1, 2
), rates AS (
    SELECT invoice_id, vat_rate, sum(vat) AS vat FROM taken GROUP BY 1, 2
), sums AS (
    SELECT invoice_id, sum(net) + sum(vat) AS amount FROM taken GROUP BY 1
)
SELECT i.number FROM sums t JOIN invoices i ON i.company_id = $1 AND i.id = t.invoice_id
WHERE t.amount > i.amount
   OR EXISTS (
        SELECT FROM lines a LEFT JOIN invoice_lines l
            ON l.company_id = $1 AND l.invoice_id = a.invoice_id AND l.id = a.invoice_line_id
        WHERE a.invoice_id = i.id AND (a.net BETWEEN least(l.net, 0) AND greatest(l.net, 0)) IS NOT TRUE)
   OR EXISTS (
        SELECT FROM rates r LEFT JOIN LATERAL (
            SELECT sum(l.vat) AS vat FROM invoice_lines l
            WHERE l.company_id = $1 AND l.invoice_id = i.id AND l.vat_rate = r.vat_rate
        ) c ON true
        WHERE r.invoice_id = i.id AND (r.vat BETWEEN least(c.vat, 0) AND greatest(c.vat, 0)) IS NOT TRUE)
ORDER BY i.number_sequence LIMIT 1
"""

#: What is wrong, as queries that find the first fault, and what to say of it.
FAULTS: Final = (
    (_BOOKED, "credit note {number} and its entry don't say the same"),
    (_SUMS, "credit note {number} is not the sum of its lines, or its number not that of its place in the series"),
    (_PRINTED, "what is printed of credit note {number} is not what is booked"),
    (_OF_INVOICE, "credit note {number} is not of the invoice that it names"),
    (_EXCEEDED, "credit notes on invoice {number} take more than there is"),
)
