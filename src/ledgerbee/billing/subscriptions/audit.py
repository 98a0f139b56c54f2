"""The auditor's look at charges of subscriptions: documents say the same, and the usage that was billed is there."""

from typing import Final

from ledgerbee.platform.context import Context

#: A charge stands on a line of its price and its subscription, with the amount that it has there; a note takes the rest
#: of a credit. What was set off against a credit of that line's charge stands there too, with as much of the credit:
#: together they are what the line is.
_LINES: Final = """
SELECT min(c.id::text)::uuid FROM subscription_charges c
JOIN subscriptions s ON s.company_id = $1 AND s.id = c.subscription_id
LEFT JOIN invoice_lines l ON l.company_id = $1 AND l.id = c.invoice_line_id AND l.invoice_id = c.invoice_id
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = c.invoice_id AND i.journal_entry_id IS NOT NULL
WHERE c.company_id = $1 AND c.invoice_id IS NOT NULL
GROUP BY c.invoice_id, c.invoice_line_id, l.net, l.price_id, l.subscription_id, l.child_customer_id, i.currency,
    i.customer_id
HAVING sum(c.net + c.credit_note_net) IS DISTINCT FROM l.net OR NOT bool_or(c.price_id = l.price_id)
    OR bool_or(i.currency IS DISTINCT FROM s.currency OR l.subscription_id IS DISTINCT FROM c.subscription_id
        OR l.child_customer_id IS DISTINCT FROM CASE WHEN s.customer_id <> i.customer_id THEN s.customer_id END)
ORDER BY 1 LIMIT 1
"""
#: One charge made the line; the others are credits of what stands on it, and what was set off against these: by the
#: same change, or by one that reversed it.
_SHARED_LINES: Final = """
SELECT min(c.id::text)::uuid FROM subscription_charges c
LEFT JOIN subscription_charges d ON d.company_id = $1 AND d.id = c.credits_charge_id
    AND d.invoice_line_id = c.invoice_line_id
WHERE c.company_id = $1 AND c.invoice_line_id IS NOT NULL AND d.id IS NULL
  AND NOT EXISTS (
    SELECT FROM subscription_charges k
    JOIN subscription_charges o ON o.company_id = $1 AND o.id = k.credits_charge_id
        AND o.invoice_line_id = k.invoice_line_id
    WHERE k.company_id = $1 AND k.invoice_id = c.invoice_id AND k.invoice_line_id = c.invoice_line_id
      AND k.net + k.credit_note_net <= -c.net AND (k.change_id = c.change_id
          OR (k.price_id, k.service_start, k.service_end, k.quantity, k.period_amount, k.net)
             = (c.price_id, c.service_start, c.service_end, c.quantity, c.period_amount, -c.net)))
GROUP BY c.invoice_line_id HAVING count(*) > 1 ORDER BY 1 LIMIT 1
"""
_NOTES: Final = """
SELECT min(c.id::text)::uuid FROM subscription_charges c
LEFT JOIN credit_notes n ON n.company_id = $1 AND n.id = c.credit_note_id
WHERE c.company_id = $1 AND c.credit_note_id IS NOT NULL
GROUP BY c.credit_note_id, n.subtotal HAVING n.subtotal IS DISTINCT FROM -sum(c.credit_note_net) ORDER BY 1 LIMIT 1
"""
#: What costs something is on a document, waits for one, or was taken back before there was any.
_PLACES: Final = """
WITH lefts AS (
    SELECT coalesce(k.credits_charge_id, k.id) AS id, sum(k.net) AS net FROM subscription_charges k
    WHERE k.company_id = $1 GROUP BY 1
)
SELECT c.id FROM subscription_charges c JOIN lefts l ON l.id = coalesce(c.credits_charge_id, c.id)
WHERE c.company_id = $1 AND c.net <> 0 AND NOT c.waits AND c.invoice_id IS NULL AND c.credit_note_id IS NULL
  AND l.net <> 0
ORDER BY c.id LIMIT 1
"""
_CREDITS: Final = """
SELECT c.id FROM (
    SELECT k.credits_charge_id AS id, sum(k.net) AS net FROM subscription_charges k
    WHERE k.company_id = $1 AND k.credits_charge_id IS NOT NULL GROUP BY 1
) credited JOIN subscription_charges c ON c.company_id = $1 AND c.id = credited.id
WHERE c.net >= 0 AND c.net + credited.net < 0
ORDER BY c.id LIMIT 1
"""
#: The events that a period of usage was billed by are those that are there, less those that came late and wait to be
#: billed. Where a timeline was changed it isn't known how many those are.
_USAGE: Final = """
WITH billed AS (
    SELECT c.subscription_id, c.price_id, min(c.id::text)::uuid AS id, min(c.service_start) AS first,
           max(c.service_end) AS last, sum(c.events) AS events
    FROM subscription_charges c WHERE c.company_id = $1 AND c.kind IN ('usage', 'usage_difference')
    GROUP BY c.subscription_id, c.price_id, c.period_start, c.change_id
)
SELECT b.id FROM billed b
LEFT JOIN LATERAL (
    SELECT sum(l.events) AS events, bool_and(l.is_counted) AS is_counted FROM late_usage l
    WHERE l.company_id = $1 AND l.subscription_id = b.subscription_id AND l.price_id = b.price_id
      AND l.day >= b.first AND l.day < b.last
) w ON true
WHERE b.events + coalesce(w.events, 0) <> (
    SELECT coalesce(sum(d.events), 0) FROM metered_spans m
    JOIN usage_days d ON d.company_id = $1 AND d.chain_id = m.subscription_id AND d.meter_id = m.meter_id
        AND d.day >= greatest(m.starts_on, b.first) AND d.day < least(m.ends_on, b.last)
    WHERE m.company_id = $1 AND m.subscription_id = b.subscription_id AND m.price_id = b.price_id
      AND NOT m.is_trial)
  AND coalesce(w.is_counted, true)
ORDER BY b.id LIMIT 1
"""
#: The identity of usage, over the whole company: for each price of each subscription, what is attributed is billed,
#: open, shown or too late. Attributed is counted from the events themselves; billed is what charges say, differences
#: included; what came late and waits to be billed is open. Where two prices of a subscription count an event, each has
#: all of it. Where a timeline was changed before the next bill it isn't known what of it is billed.
_IDENTITY: Final = """
WITH events AS (
    SELECT e.subscription_id, e.meter_id, e.day, e.state, count(*) AS events
    FROM usage_events e
    WHERE e.company_id = $1 AND e.subscription_id IS NOT NULL AND e.state IN ('accepted', 'too_late')
    GROUP BY e.subscription_id, e.meter_id, e.day, e.state
), spans AS (
    SELECT s.subscription_id, s.price_id, s.meter_id, s.starts_on, s.ends_on, s.is_trial, s.billed_until
    FROM metered_spans s
    JOIN subscriptions c ON c.company_id = $1 AND c.id = s.subscription_id
    WHERE s.company_id = $1
), used AS (
    SELECT s.subscription_id, s.price_id, sum(e.events) AS attributed,
        coalesce(sum(e.events) FILTER (WHERE e.state = 'too_late'), 0) AS too_late,
        coalesce(sum(e.events) FILTER (WHERE e.state = 'accepted' AND s.is_trial), 0) AS shown,
        coalesce(sum(e.events) FILTER (WHERE e.state = 'accepted' AND NOT s.is_trial AND e.day >= s.billed_until), 0)
            AS open
    FROM spans s
    JOIN events e ON e.subscription_id = s.subscription_id AND e.meter_id = s.meter_id
        AND e.day >= s.starts_on AND (s.ends_on IS NULL OR e.day < s.ends_on)
    GROUP BY s.subscription_id, s.price_id
), billed AS (
    SELECT c.subscription_id, c.price_id, sum(c.events) AS events
    FROM subscription_charges c WHERE c.company_id = $1 AND c.kind IN ('usage', 'usage_difference')
    GROUP BY c.subscription_id, c.price_id
), late AS (
    SELECT l.subscription_id, l.price_id, sum(l.events) AS events, bool_and(l.is_counted) AS is_counted
    FROM late_usage l WHERE l.company_id = $1 GROUP BY l.subscription_id, l.price_id
)
SELECT subscription_id FROM used FULL JOIN billed b USING (subscription_id, price_id)
    LEFT JOIN late l USING (subscription_id, price_id)
WHERE coalesce(used.attributed, 0) <> coalesce(b.events, 0) + coalesce(used.open, 0) + coalesce(l.events, 0)
        + coalesce(used.shown, 0) + coalesce(used.too_late, 0)
  AND coalesce(l.is_counted, true)
ORDER BY subscription_id LIMIT 1
"""
_FAULTS: Final = (
    (_LINES, "the charge {} of a subscription is not what its invoice says"),
    (_SHARED_LINES, "the charge {} of a subscription shares its line of an invoice with another one"),
    (_NOTES, "the charge {} of a subscription is not what its credit note says"),
    (_PLACES, "the charge {} of a subscription stands on no document and waits for none"),
    (_CREDITS, "more is credited of the charge {} of a subscription than was charged"),
    (_USAGE, "the usage that the charge {} of a subscription was billed by is not the usage that is there"),
    (_IDENTITY, "the usage of the subscription {} is not what is billed, open, shown and too late of it"),
)


async def fault_in_charges(context: Context) -> str | None:
    """What is wrong with the first charge of a subscription; None: nothing."""
    for statement, text in _FAULTS:
        found = await context.connection.fetchval(statement, context.company_id)
        if found is not None:
            return text.format(found)
    return None
