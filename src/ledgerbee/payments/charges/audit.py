"""The auditor's look at charges: each that succeeded is booked to the last oere, and none that didn't is."""

from typing import Final

from ledgerbee.payments.customer_payments.audit import first_fault
from ledgerbee.platform.context import Context

#: What a charge paid of its invoice and what was booked by itself are the charge. Its payment stands: only a refund or
#: a dispute takes a charge back.
_BOOKED: Final = """
SELECT c.id FROM charges c
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = c.invoice_id AND i.customer_id = c.customer_id
    AND i.currency = c.currency
LEFT JOIN payments p ON p.company_id = $1 AND p.id = c.payment_id AND p.invoice_id = c.invoice_id
    AND p.reference = c.reference AND p.reversal_entry_id IS NULL
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = c.unapplied_entry_id AND e.source_type = 'charge'
    AND e.source_id = c.id AND e.currency = c.currency AND e.customer_id = c.customer_id
WHERE c.company_id = $1 AND (i.id IS NULL
    OR (c.payment_id IS NOT NULL AND p.id IS NULL)
    OR c.unapplied_amount <> coalesce(e.original_amount, 0)
    OR (c.status = 'succeeded' AND coalesce(p.amount, 0) + c.unapplied_amount <> c.amount)
    OR (c.status <> 'succeeded' AND (c.payment_id IS NOT NULL OR c.unapplied_entry_id IS NOT NULL)))
ORDER BY c.id LIMIT 1
"""
_FAULTS: Final = ((_BOOKED, "charge {id} isn't booked as it says"),)


async def fault_in_card_charges(context: Context) -> str | None:
    """The first charge that isn't booked as it says; None for none."""
    return await first_fault(context, _FAULTS)
