"""The auditor's look at payouts: each is booked as it says, and clearing has what is not paid out yet."""

from typing import Final

from ledgerbee.payments.customer_payments.audit import first_fault
from ledgerbee.platform.context import Context

#: By account, what a payout says it moved is what its entry moves: the bank, and what its movements stood on. What they
#: took off is what they are made of.
_BOOKED: Final = """
WITH parts AS (
    SELECT o.payout_id AS id, o.account_id, sum(o.cleared_amount) AS amount, sum(o.base_amount) AS base_amount,
           sum(o.fee + CASE o.type WHEN 'payout' THEN 0
                                   ELSE o.cleared_amount + o.unidentified_amount - o.amount END) AS fee,
           sum(o.unidentified_amount) AS unidentified
    FROM payout_movements o WHERE o.company_id = $1 AND o.payout_id IS NOT NULL GROUP BY o.payout_id, o.account_id
), sums AS (
    SELECT id, sum(fee) AS fee, coalesce(sum(unidentified), 0) AS unidentified,
           coalesce(sum(amount), 0) AS amount, coalesce(sum(base_amount), 0) AS base_amount
    FROM parts GROUP BY id
), moved AS (
    SELECT p.id, p.bank_account_id AS account_id, p.base_amount FROM payouts p
    WHERE p.company_id = $1 AND p.status = 'paid'
    UNION ALL
    SELECT p.id, p.clearing_account_id, -p.cleared_base_amount FROM payouts p
    WHERE p.company_id = $1 AND p.status = 'paid'
    UNION ALL
    SELECT o.id, a.account_id, a.sign * o.base_amount
    FROM parts o JOIN payouts p ON p.company_id = $1 AND p.id = o.id AND o.account_id <> p.clearing_account_id
    CROSS JOIN LATERAL (VALUES (o.account_id, -1), (p.clearing_account_id, 1)) a (account_id, sign)
    UNION ALL
    SELECT p.id, l.account_id, -l.base_amount
    FROM payouts p JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = p.journal_entry_id
    WHERE p.company_id = $1 AND (l.account_id IN (p.bank_account_id, p.clearing_account_id)
        OR l.account_id IN (SELECT o.account_id FROM parts o WHERE o.id = p.id))
)
SELECT p.provider_id FROM payouts p
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = p.journal_entry_id AND e.source_type = 'payout'
    AND e.source_id = p.id AND e.currency = p.currency AND e.entry_date = p.paid_on AND e.original_amount = p.amount
    AND e.exchange_rate = round(p.exchange_rate, 12)
LEFT JOIN sums s ON s.id = p.id
WHERE p.company_id = $1 AND p.status = 'paid' AND (e.id IS NULL OR s.id IS NULL
    OR (s.fee, s.unidentified) <> (p.fee_amount, p.unidentified_amount)
    OR NOT EXISTS (SELECT FROM accounts a WHERE a.company_id = $1 AND a.id = p.clearing_account_id)
    OR p.cleared_amount <> p.amount + p.fee_amount - p.unidentified_amount
    OR p.left_amount <> s.amount - p.cleared_amount
    OR p.left_base_amount <> s.base_amount - p.cleared_base_amount
    OR EXISTS (SELECT FROM moved m WHERE m.id = p.id GROUP BY m.account_id HAVING sum(m.base_amount) <> 0))
ORDER BY p.paid_at, p.id LIMIT 1
"""
#: The movement of a payout is of it, and no other payout is of the same one.
_OWN: Final = """
SELECT p.provider_id FROM payouts p
WHERE p.company_id = $1 AND 1 <> (
    SELECT count(*) FROM payout_movements o
    WHERE o.company_id = $1 AND o.provider = p.provider AND o.type = 'payout' AND o.payout_name = p.provider_id
      AND (o.amount, o.currency, o.moved_at) = (-p.amount, p.currency, p.paid_at)
      AND o.payout_id IS NOT DISTINCT FROM CASE p.status WHEN 'paid' THEN p.id END)
ORDER BY p.paid_at, p.id LIMIT 1
"""
#: Movements are of what they say, and each was booked with its payout.
_MATCHED: Final = """
SELECT o.provider_id FROM payout_movements o
LEFT JOIN payouts p ON p.company_id = $1 AND p.id = o.payout_id AND p.provider = o.provider
    AND p.currency = o.currency AND p.status = 'paid'
LEFT JOIN charges c ON c.company_id = $1 AND c.id = o.charge_id AND c.provider = o.provider
    AND c.status = 'succeeded' AND o.type IN ('charge', 'dispute', 'dispute_reversed')
LEFT JOIN refunds f ON f.company_id = $1 AND f.id = o.refund_id AND f.provider = o.provider AND o.type = 'refund'
LEFT JOIN disputes d ON d.company_id = $1 AND d.id = o.dispute_id AND d.provider = o.provider
    AND d.charge_id = o.charge_id AND o.type IN ('dispute', 'dispute_reversed')
WHERE o.company_id = $1 AND ((o.payout_id IS NOT NULL AND p.id IS NULL)
    OR (o.payout_id IS NULL AND (o.account_id IS NOT NULL OR o.unidentified_amount <> 0))
    OR (o.payout_id IS NOT NULL AND o.account_id IS NULL AND o.unidentified_amount <>
        CASE WHEN o.type IN ('fee', 'payout') THEN 0 ELSE o.amount END)
    OR (o.charge_id, o.refund_id, o.dispute_id) IS DISTINCT FROM (c.id, f.id, d.id))
ORDER BY o.moved_at, o.id LIMIT 1
"""
#: What movements took off clearing is what they are of, in one currency: charges and refunds.
_WHOLE: Final = """
SELECT o.provider_id FROM payout_movements o
LEFT JOIN charges c ON c.company_id = $1 AND c.id = o.charge_id
LEFT JOIN refunds f ON f.company_id = $1 AND f.id = o.refund_id
WHERE o.company_id = $1 AND o.account_id IS NOT NULL AND CASE o.type
    WHEN 'charge' THEN o.currency = c.currency AND o.cleared_amount <> c.amount
    WHEN 'refund' THEN o.currency = f.currency AND o.cleared_amount <> -f.amount
    ELSE false END
ORDER BY o.moved_at, o.id LIMIT 1
"""
#: A dispute is paid out once and comes back once at most; one that is lost took what was booked, what came back leaves
#: nothing. One that the provider didn't tell of is known by its charge.
_DISPUTED: Final = """
SELECT c.reference FROM (
    SELECT o.charge_id, o.dispute_id, count(*) FILTER (WHERE o.type = 'dispute') AS times_out,
           count(*) FILTER (WHERE o.type = 'dispute_reversed') AS times_back,
           sum(o.cleared_amount) AS amount, min(o.currency) AS currency, max(o.currency) AS other
    FROM payout_movements o
    WHERE o.company_id = $1 AND o.charge_id IS NOT NULL AND o.type <> 'charge'
    GROUP BY o.charge_id, o.dispute_id, CASE WHEN o.dispute_id IS NULL AND o.charge_object_id IS NOT NULL
        THEN o.object_id END
) o
JOIN charges c ON c.company_id = $1 AND c.id = o.charge_id
LEFT JOIN charge_returns r ON r.company_id = $1 AND r.dispute_id = o.dispute_id
WHERE o.times_out <> 1 OR o.times_back > 1 OR (o.currency = o.other AND (
    (o.times_back = 1 AND o.amount <> 0)
    OR (r.id IS NOT NULL AND o.currency = r.currency AND o.amount <> -r.amount - r.fee)))
ORDER BY c.reference LIMIT 1
"""
#: What was booked as nobody's though it is something of ours that no movement has: clearing keeps that for ever.
_MISSED: Final = """
SELECT o.provider_id FROM payout_movements o
WHERE o.company_id = $1 AND o.payout_id IS NOT NULL AND o.account_id IS NULL AND CASE o.type
    WHEN 'charge' THEN o.amount > 0 AND EXISTS (
        SELECT FROM charges c
        WHERE c.company_id = $1 AND c.provider = o.provider AND c.status = 'succeeded'
          AND (c.reference = o.reference OR c.provider_id = o.object_id)
          AND NOT EXISTS (SELECT FROM payout_movements x
                          WHERE x.company_id = $1 AND x.charge_id = c.id AND x.type = 'charge'))
    WHEN 'refund' THEN o.amount < 0 AND EXISTS (
        SELECT FROM refunds f
        WHERE f.company_id = $1 AND f.provider = o.provider AND f.status = 'succeeded'
          AND (f.reference = o.reference OR f.provider_id = o.object_id)
          AND NOT EXISTS (SELECT FROM payout_movements x WHERE x.company_id = $1 AND x.refund_id = f.id))
    WHEN 'dispute' THEN o.amount < 0 AND EXISTS (
        SELECT FROM disputes d JOIN charges c ON c.company_id = $1 AND c.id = d.charge_id
        WHERE d.company_id = $1 AND d.provider = o.provider AND d.status = 'lost'
          AND (d.provider_id = o.object_id OR c.reference = o.reference
               OR c.provider_id IN (o.object_id, o.charge_object_id))
          AND NOT EXISTS (SELECT FROM payout_movements x WHERE x.company_id = $1 AND x.dispute_id = d.id))
    ELSE false END
ORDER BY o.moved_at, o.id LIMIT 1
"""
#: What the system has on an account that charges stand on: what succeeded, less what was given back, lost and paid out.
#: What somebody else posted there is named beside it.
_CLEARING: Final = """
WITH ours AS (
    SELECT coalesce(p.account_id, l.account_id) AS account_id,
           coalesce(p.base_amount, 0) + coalesce(l.base_amount, 0) AS base_amount
    FROM charges c
    LEFT JOIN payments p ON p.company_id = $1 AND p.id = c.payment_id
    LEFT JOIN journal_lines l ON l.company_id = $1 AND l.entry_id = c.unapplied_entry_id AND l.is_debit
    WHERE c.company_id = $1 AND c.status = 'succeeded'
    UNION ALL
    SELECT r.clearing_account_id, -r.base_amount - r.base_fee FROM charge_returns r WHERE r.company_id = $1
    UNION ALL
    SELECT o.account_id, -o.base_amount FROM payout_movements o
    WHERE o.company_id = $1 AND o.account_id IS NOT NULL
    UNION ALL
    SELECT p.clearing_account_id, p.left_base_amount FROM payouts p
    WHERE p.company_id = $1 AND p.clearing_account_id IS NOT NULL
), accounts_of AS (
    SELECT account_id, sum(base_amount) AS expected FROM ours GROUP BY account_id
), posted AS (
    SELECT l.account_id, l.base_amount, CASE coalesce(r.source_type, e.source_type)
        WHEN 'payment' THEN EXISTS (SELECT FROM charges c WHERE c.company_id = $1
                                    AND c.payment_id = coalesce(r.source_id, e.source_id))
        WHEN 'charge' THEN true WHEN 'refund' THEN true WHEN 'dispute' THEN true WHEN 'payout' THEN true
        ELSE false END AS is_ours
    FROM accounts_of a
    JOIN journal_lines l ON l.company_id = $1 AND l.account_id = a.account_id
    JOIN journal_entries e ON e.company_id = $1 AND e.id = l.entry_id
    LEFT JOIN journal_entries r ON r.company_id = $1 AND r.id = e.reverses_entry_id
)
SELECT n.number, a.expected, coalesce(sum(p.base_amount) FILTER (WHERE p.is_ours), 0) AS found,
       count(*) FILTER (WHERE NOT p.is_ours) AS others,
       coalesce(sum(p.base_amount) FILTER (WHERE NOT p.is_ours), 0) AS of_others
FROM accounts_of a
JOIN accounts n ON n.company_id = $1 AND n.id = a.account_id
LEFT JOIN posted p ON p.account_id = a.account_id
GROUP BY n.number, a.account_id, a.expected
HAVING a.expected <> coalesce(sum(p.base_amount) FILTER (WHERE p.is_ours), 0)
ORDER BY n.number LIMIT 1
"""
_UNLIKE_CLEARING: Final = (
    "clearing account {number} has {found:f} of charges, refunds, disputes and payouts, {expected:f} are not paid out; "
    "{others} lines by hand have {of_others:f}"
)
_FAULTS: Final = (
    (_BOOKED, "payout {provider_id} isn't booked as it says"),
    (_OWN, "payout {provider_id} isn't what moved at its provider"),
    (_MATCHED, "movement {provider_id} isn't what it says"),
    (_WHOLE, "movement {provider_id} took another amount off clearing than what it is of"),
    (_DISPUTED, "the dispute of charge {reference} isn't paid out as it is booked"),
    (_MISSED, "movement {provider_id} is booked as nobody's, and clearing still has what it is of"),
    (_CLEARING, _UNLIKE_CLEARING),
)


async def fault_in_payouts(context: Context) -> str | None:
    """The first payout that isn't booked as it says, or clearing account that has not what isn't paid out; None: none.

    Entries that somebody makes by hand on a clearing account are no fault, and are not counted.
    """
    return await first_fault(context, _FAULTS)
