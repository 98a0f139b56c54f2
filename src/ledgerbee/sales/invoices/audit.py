"""The auditor's look at prepayment invoices: each is deducted by the invoice that it names, by all that is left of
it, and is out of prepayments then."""

from typing import Final

#: Deductions by prepayment invoice and invoice, less what credit notes that were sent give back; what was cancelled
#: deducts nothing. Each way round: what a prepayment invoice names, and what lines name.
_DEDUCTED: Final = """
WITH lines AS (
    SELECT l.prepayment_invoice_id AS id, l.invoice_id, -l.net - coalesce(c.net, 0) AS net
    FROM invoice_lines l JOIN invoices f ON f.company_id = $1 AND f.id = l.invoice_id AND f.status <> 'cancelled'
    LEFT JOIN LATERAL (
        SELECT sum(c.net) AS net FROM credit_note_lines c
        JOIN credit_notes n ON n.company_id = $1 AND n.id = c.credit_note_id AND n.journal_entry_id IS NOT NULL
        WHERE c.company_id = $1 AND c.invoice_line_id = l.id AND n.invoice_id = l.invoice_id
    ) c ON true
    WHERE l.company_id = $1 AND l.prepayment_invoice_id IS NOT NULL
), taken AS (
    SELECT id, invoice_id, sum(net) AS net FROM lines WHERE net <> 0 GROUP BY 1, 2
), given AS (
    SELECT p.id, p.number, p.deducted_by_invoice_id AS invoice_id, p.customer_id, p.currency,
           p.subtotal + coalesce((
               SELECT sum(n.subtotal) FROM credit_notes n
               WHERE n.company_id = $1 AND n.invoice_id = p.id AND n.status <> 'cancelled'), 0) AS net
    FROM invoices p WHERE p.company_id = $1 AND p.deducted_by_invoice_id IS NOT NULL
)
SELECT coalesce(g.number, t.id::text) AS number FROM given g FULL JOIN taken t USING (id, invoice_id)
LEFT JOIN invoices f ON f.company_id = $1 AND f.id = g.invoice_id
WHERE t.id IS NULL OR g.id IS NULL OR g.net <> t.net OR (f.customer_id, f.currency) <> (g.customer_id, g.currency)
ORDER BY 1 LIMIT 1
"""
#: What is printed as a prepayment invoice is one.
_PRINTED: Final = """
SELECT i.number FROM invoices i
JOIN document_snapshots s ON s.company_id = $1 AND s.document_id = i.id AND s.document_type = 'invoice'
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND coalesce((s.content ->> 'isPrepayment')::boolean, false) <> i.is_prepayment
ORDER BY i.number_sequence LIMIT 1
"""
#: What a booked invoice deducts is out of the account that it was booked on, by VAT code and in both currencies, unless
#: the invoice has sales of its own there. Of a code that credit notes had taken all of before, earlier releases left
#: what conversion does: some smallest units for each of them.
_TAKEN_OUT: Final = """
SELECT f.number FROM invoices f JOIN ledgers g ON g.company_id = $1
WHERE f.company_id = $1 AND f.journal_entry_id IS NOT NULL
  AND EXISTS (SELECT FROM invoices p WHERE p.company_id = $1 AND p.deducted_by_invoice_id = f.id)
  AND NOT EXISTS (
    SELECT FROM invoice_lines s JOIN invoice_lines d ON d.company_id = $1 AND d.invoice_id = f.id
        AND d.prepayment_invoice_id IS NOT NULL AND d.account_id = s.account_id
    WHERE s.company_id = $1 AND s.invoice_id = f.id AND s.prepayment_invoice_id IS NULL)
  AND EXISTS (
    SELECT FROM journal_lines l
    WHERE l.company_id = $1 AND l.line_type = 'ENTERED' AND l.account_id IN (
            SELECT d.account_id FROM invoice_lines d
            WHERE d.company_id = $1 AND d.invoice_id = f.id AND d.prepayment_invoice_id IS NOT NULL)
        AND l.entry_id IN (
            SELECT f.journal_entry_id
            UNION ALL SELECT p.journal_entry_id FROM invoices p
            WHERE p.company_id = $1 AND p.deducted_by_invoice_id = f.id
            UNION ALL SELECT n.journal_entry_id FROM credit_notes n JOIN invoices p ON p.company_id = $1
                AND p.id = n.invoice_id AND p.deducted_by_invoice_id = f.id
            WHERE n.company_id = $1 AND n.journal_entry_id IS NOT NULL)
    GROUP BY l.vat_code_id, l.vat_rate
    HAVING sum(l.amount) <> 0 OR abs(sum(l.base_amount)) > CASE
        WHEN bool_or(l.entry_id = f.journal_entry_id) THEN 0
        ELSE 2 * count(DISTINCT l.entry_id) * power(10::numeric, -g.base_minor_units) END)
ORDER BY f.number_sequence LIMIT 1
"""

#: What is wrong, as queries that find the first fault, and what to say of it.
FAULTS: Final = (
    (_DEDUCTED, "prepayment invoice {number} is not deducted by the invoice that it names, or not by what it charged"),
    (_PRINTED, "invoice {number} is booked, but not what is printed of it: a prepayment invoice, or none"),
    (_TAKEN_OUT, "what invoice {number} deducts is not out of prepayments"),
)
