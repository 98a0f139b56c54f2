"""The auditor's look at deferred revenue: entries have it on its account, and what is left of it is what is there."""

from typing import Final

#: What was deferred of a line is the line's, of the sign of its net, and no more than it.
_OF_LINE: Final = """
SELECT i.number FROM revenue_deferrals d
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id AND i.journal_entry_id IS NOT NULL
LEFT JOIN invoice_lines l ON l.company_id = $1 AND l.invoice_id = d.invoice_id AND l.id = d.invoice_line_id
JOIN ledgers g ON g.company_id = $1
WHERE d.company_id = $1 AND (i.id IS NULL OR l.id IS NULL OR i.is_prepayment
    OR (l.service_period_start, l.service_period_end, l.account_id)
        IS DISTINCT FROM (d.period_start, d.period_end, d.revenue_account_id)
    OR d.amount NOT BETWEEN least(l.net, 0) AND greatest(l.net, 0) OR d.amount = 0
    OR d.period_end < (date_trunc('month', i.issue_date) + interval '1 month')::date)
ORDER BY i.number_sequence LIMIT 1
"""
#: The entry of an invoice has on the account what its lines defer, unless it sells on that account as well.
_DEFERRED: Final = """
SELECT i.number FROM invoices i
CROSS JOIN LATERAL (
    SELECT d.account_id, sum(d.amount) AS amount, sum(d.base_amount) AS base_amount FROM revenue_deferrals d
    WHERE d.company_id = $1 AND d.invoice_id = i.id GROUP BY d.account_id
) d
CROSS JOIN LATERAL (
    SELECT -sum(l.amount) AS amount, -sum(l.base_amount) AS base_amount FROM journal_lines l
    WHERE l.company_id = $1 AND l.entry_id = i.journal_entry_id AND l.account_id = d.account_id
      AND l.line_type = 'ENTERED'
) e
WHERE i.company_id = $1 AND (d.amount, d.base_amount) IS DISTINCT FROM (e.amount, e.base_amount)
  AND NOT EXISTS (
    SELECT FROM invoice_lines s WHERE s.company_id = $1 AND s.invoice_id = i.id AND s.account_id = d.account_id)
ORDER BY i.number_sequence LIMIT 1
"""
#: The entry of a credit note takes off the account what the note takes off deferrals.
_CREDITED: Final = """
SELECT n.number FROM (
    SELECT c.credit_note_id, d.invoice_id, d.account_id, sum(c.amount) AS amount, sum(c.base_amount) AS base_amount
    FROM revenue_deferral_credits c
    JOIN revenue_deferrals d ON d.company_id = $1 AND d.invoice_line_id = c.invoice_line_id
    WHERE c.company_id = $1 GROUP BY 1, 2, 3
) c
LEFT JOIN credit_notes n ON n.company_id = $1 AND n.id = c.credit_note_id AND n.invoice_id = c.invoice_id
LEFT JOIN LATERAL (
    SELECT sum(l.amount) AS amount, sum(l.base_amount) AS base_amount FROM journal_lines l
    WHERE l.company_id = $1 AND l.entry_id = n.journal_entry_id AND l.account_id = c.account_id
      AND l.line_type = 'ENTERED'
) e ON true
WHERE (c.amount, c.base_amount) IS DISTINCT FROM (e.amount, e.base_amount)
  AND NOT EXISTS (
    SELECT FROM invoice_lines s
    WHERE s.company_id = $1 AND s.invoice_id = c.invoice_id AND s.account_id = c.account_id)
ORDER BY n.number_sequence LIMIT 1
"""
#: An entry that recognises revenue has on each account what was recognised of deferrals; not before the month's end.
_RECOGNIZED: Final = """
WITH booked AS (
    SELECT r.journal_entry_id AS id, m.account_id, sum(m.sign * r.base_amount) AS amount,
           max((r.month + interval '1 month - 1 day')::date) AS last_day
    FROM revenue_recognitions r
    JOIN revenue_deferrals d ON d.company_id = $1 AND d.invoice_line_id = r.invoice_line_id
    CROSS JOIN LATERAL (VALUES (d.account_id, 1), (d.revenue_account_id, -1)) m (account_id, sign)
    WHERE r.company_id = $1 AND r.journal_entry_id IS NOT NULL GROUP BY 1, 2
), entries AS (
    SELECT e.id, l.account_id, sum(l.base_amount) AS amount, min(e.entry_date) AS entry_date
    FROM journal_entries e JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = e.id
    WHERE e.company_id = $1 AND e.source_type = 'revenue_recognition' GROUP BY 1, 2
)
SELECT coalesce(b.id, e.id) AS id FROM booked b FULL JOIN entries e USING (id, account_id)
WHERE (b.amount IS DISTINCT FROM e.amount AND (b.amount, e.amount) IS DISTINCT FROM (0, NULL))
   OR e.entry_date < b.last_day
ORDER BY 1 LIMIT 1
"""
#: What is left is what was deferred less what was recognised and credited, it is recognised from the month after
#: the last one on, and credits are of days that the line is for.
_LEFT: Final = """
SELECT i.number FROM revenue_deferrals d
JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id
JOIN invoice_lines l ON l.company_id = $1 AND l.invoice_id = d.invoice_id AND l.id = d.invoice_line_id
JOIN ledgers g ON g.company_id = $1
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.amount), 0) AS amount, coalesce(sum(r.base_amount), 0) AS base_amount,
           max(r.month) AS last_month, count(*) AS months
    FROM revenue_recognitions r WHERE r.company_id = $1 AND r.invoice_line_id = d.invoice_line_id
) r
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.amount), 0) AS amount, coalesce(sum(c.base_amount), 0) AS base_amount,
           min(c.first_day) AS first_day, max(c.last_day) AS last_day
    FROM revenue_deferral_credits c WHERE c.company_id = $1 AND c.invoice_line_id = d.invoice_line_id
) c
CROSS JOIN LATERAL (
    SELECT date_trunc('month', greatest(d.period_start, i.issue_date))::date AS first_month
) m
WHERE d.company_id = $1 AND (
    (d.amount_left, d.base_amount_left)
        IS DISTINCT FROM (d.amount - r.amount - c.amount, d.base_amount - r.base_amount - c.base_amount)
    OR d.next_month IS DISTINCT FROM CASE
        WHEN d.amount_left <> 0 OR d.base_amount_left <> 0
            THEN coalesce((r.last_month + interval '1 month')::date, m.first_month) END
    OR (r.months > 0 AND r.last_month <> (m.first_month + (r.months - 1) * interval '1 month')::date)
    OR c.first_day < greatest(d.period_start, m.first_month) OR c.last_day > d.period_end
    OR (d.scheduled_amount, d.scheduled_base_amount) IS DISTINCT FROM
           (l.net, CASE WHEN i.currency = g.base_currency THEN l.net
                ELSE round(l.net * i.exchange_rate, g.base_minor_units) END))
ORDER BY i.number_sequence LIMIT 1
"""
#: A month earns what is earned by days through its end, less what credit notes took off these days, less what was
#: before.
_BY_DAYS: Final = """
SELECT i.number FROM revenue_recognitions r
JOIN revenue_deferrals d ON d.company_id = $1 AND d.invoice_line_id = r.invoice_line_id
JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id
JOIN ledgers g ON g.company_id = $1
CROSS JOIN LATERAL (
    SELECT (r.month + interval '1 month - 1 day')::date AS last_day
) m
CROSS JOIN LATERAL (
    SELECT sum(o.base_amount) AS base_amount FROM revenue_recognitions o
    WHERE o.company_id = $1 AND o.invoice_line_id = r.invoice_line_id AND o.month <= r.month
) through
CROSS JOIN LATERAL (
    SELECT least(m.last_day, d.period_end) - d.period_start + 1 AS days,
           d.period_end - d.period_start + 1 AS all_days
) n
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.base_amount * (least(m.last_day, c.last_day) - c.first_day + 1)
               / (c.last_day - c.first_day + 1)), 0) AS base_amount, count(*) AS credits
    FROM revenue_deferral_credits c
    WHERE c.company_id = $1 AND c.invoice_line_id = r.invoice_line_id AND c.first_day <= m.last_day
) taken
WHERE r.company_id = $1
  AND abs(d.scheduled_base_amount - d.base_amount + through.base_amount
          - d.scheduled_base_amount * n.days / n.all_days + taken.base_amount)
      > (2 + taken.credits) * power(10::numeric, -g.base_minor_units)
ORDER BY i.number_sequence, r.month LIMIT 1
"""

#: What is wrong, as queries that find the first fault, and what to say of it.
FAULTS: Final = (
    (_OF_LINE, "what is deferred of invoice {number} is not of its lines"),
    (_DEFERRED, "what invoice {number} defers is not what its entry has as deferred revenue"),
    (_CREDITED, "what credit note {number} takes off deferred revenue is not what its entry has"),
    (_RECOGNIZED, "entry {id} does not recognise what was recognised of deferred revenue"),
    (_LEFT, "what is left of the deferred revenue of invoice {number} is not what was neither recognised nor credited"),
    (_BY_DAYS, "deferred revenue of invoice {number} is not recognised by days"),
)
