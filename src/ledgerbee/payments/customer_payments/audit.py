"""The auditor's look at documents and payments: numbers without a hole, and the ledger says the same of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from ledgerbee.core.fields import fields_of
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import audit as credit_notes
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.deferrals import audit as deferrals
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.invoices import audit as invoices
from ledgerbee.sales.invoices.store import SETTLED_IN_BASE
from ledgerbee.sales.kinds import KINDS
from ledgerbee.sales.write_offs import audit as write_offs

#: Of a kind of document: its table, its lines' table and their key, its series and its name.
_MISSING: Final = """
WITH numbered AS (
    SELECT number_sequence AS number, row_number() OVER (ORDER BY number_sequence) AS place
    FROM {table} WHERE company_id = $1 AND number_sequence IS NOT NULL
)
SELECT place FROM numbered WHERE number <> place ORDER BY place LIMIT 1
"""
_UNUSED: Final = """
SELECT taken, used FROM (
    SELECT coalesce(
               (SELECT s.last_number FROM number_series s WHERE s.company_id = $1 AND s.name = '{series}'), 0) AS taken,
           (SELECT count(*) FROM {table} i WHERE i.company_id = $1 AND i.number_sequence IS NOT NULL) AS used
) n WHERE taken <> used
"""
#: A document that was sent is the sum of its lines, and its number the one of its place in the series.
_SUMS: Final = """
SELECT i.number FROM {table} i CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.net), 0) AS net, coalesce(sum(l.vat), 0) AS vat FROM {lines_table} l
    WHERE l.company_id = $1 AND l.{lines_key} = i.id
) l
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND ((l.net, l.vat) IS DISTINCT FROM (i.subtotal, i.vat)
       OR right(i.number, length(i.number_sequence::text)) <> i.number_sequence::text)
ORDER BY i.number_sequence LIMIT 1
"""
#: What is printed of a document is what is kept of it, and booked.
_PRINTED: Final = """
SELECT i.number FROM {table} i
LEFT JOIN document_snapshots s ON s.company_id = $1 AND s.document_id = i.id AND s.document_type = '{kind}'
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND ((s.content ->> 'number', s.content ->> 'issueDate', s.content ->> 'currency',
        s.content #>> '{{buyer,customerId}}')
           IS DISTINCT FROM (i.number, i.issue_date::text, i.currency, i.customer_id::text)
       OR ((s.content ->> 'subtotal')::numeric, (s.content ->> 'vat')::numeric, (s.content ->> 'amount')::numeric)
           IS DISTINCT FROM (i.subtotal, i.vat, i.amount))
ORDER BY i.number_sequence LIMIT 1
"""
_OTHER_SERIES: Final = """
SELECT name FROM number_series WHERE company_id = $1 AND last_number > 0 AND name NOT IN ({known}) ORDER BY name LIMIT 1
""".format(known=", ".join(f"'{kind.series}'" for kind in KINDS.values()))
#: When a printed invoice is due is when it is.
_DUE: Final = """
SELECT i.number FROM invoices i
JOIN document_snapshots s ON s.company_id = $1 AND s.document_id = i.id AND s.document_type = 'invoice'
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND s.content ->> 'dueDate' IS DISTINCT FROM i.due_date::text
ORDER BY i.number_sequence LIMIT 1
"""
_BOOKED: Final = """
SELECT i.number FROM invoices i
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = i.journal_entry_id AND e.source_type = 'invoice'
    AND e.source_id = i.id AND e.customer_id = i.customer_id AND e.currency = i.currency
    AND e.entry_date = i.issue_date AND e.original_amount = i.amount AND e.exchange_rate = round(i.exchange_rate, 12)
LEFT JOIN LATERAL (
    SELECT sum(l.amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id) AS amount,
           sum(l.base_amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id)
               AS base_amount,
           coalesce(-sum(l.amount) FILTER (WHERE l.line_type = 'VAT'), 0) AS vat
    FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id
) r ON true
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND (e.id IS NULL OR (r.amount, r.base_amount, r.vat) IS DISTINCT FROM (i.amount, i.base_amount, i.vat))
ORDER BY i.number_sequence LIMIT 1
"""
_PAID: Final = """
SELECT p.id FROM payments p JOIN invoices i ON i.company_id = $1 AND i.id = p.invoice_id
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = p.journal_entry_id AND e.source_type = 'payment'
    AND e.source_id = p.id AND e.customer_id = i.customer_id AND e.customer_id = p.customer_id
    AND e.currency = p.currency AND e.entry_date = p.paid_on AND e.original_amount = p.amount
    AND e.exchange_rate = round(p.exchange_rate, 12)
LEFT JOIN LATERAL (
    SELECT -sum(l.amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id) AS amount,
           -sum(l.base_amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id)
               AS settled,
           sum(l.amount) FILTER (WHERE l.line_type = 'ENTERED' AND l.account_id = p.account_id) AS received,
           sum(l.base_amount) FILTER (WHERE l.line_type = 'ENTERED' AND l.account_id = p.account_id) AS base_received
    FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id
) r ON true
WHERE p.company_id = $1 AND (e.id IS NULL OR (r.amount, r.settled, r.received, r.base_received)
    IS DISTINCT FROM (p.amount, p.base_settled, p.amount, p.base_amount))
ORDER BY p.id LIMIT 1
"""
#: Entries that say they are of something (an invoice, a credit note, a payment, an import) that knows nothing of them.
#: A reversal is of the entry that it takes back.
_SOURCES: Final = """
SELECT e.id, e.entry_number, e.source_type FROM journal_entries e
WHERE e.company_id = $1 AND e.source_type IS NOT NULL AND e.reverses_entry_id IS NULL
  AND NOT CASE e.source_type
    WHEN 'invoice' THEN EXISTS (
        SELECT FROM invoices i WHERE i.company_id = $1 AND i.id = e.source_id AND i.journal_entry_id = e.id)
    WHEN 'credit_note' THEN EXISTS (
        SELECT FROM credit_notes n WHERE n.company_id = $1 AND n.id = e.source_id AND n.journal_entry_id = e.id)
    WHEN 'payment' THEN EXISTS (
        SELECT FROM payments p WHERE p.company_id = $1 AND p.id = e.source_id AND p.journal_entry_id = e.id)
    WHEN 'charge' THEN EXISTS (
        SELECT FROM charges c WHERE c.company_id = $1 AND c.id = e.source_id AND c.unapplied_entry_id = e.id)
    WHEN 'payout' THEN EXISTS (
        SELECT FROM payouts o WHERE o.company_id = $1 AND o.id = e.source_id AND o.journal_entry_id = e.id)
    WHEN 'refund' THEN EXISTS (
        SELECT FROM charge_returns r
        WHERE r.company_id = $1 AND r.refund_id = e.source_id AND r.journal_entry_id = e.id)
    WHEN 'dispute' THEN EXISTS (
        SELECT FROM charge_returns r
        WHERE r.company_id = $1 AND r.dispute_id = e.source_id AND r.journal_entry_id = e.id)
    WHEN 'credit_use' THEN EXISTS (
        SELECT FROM credit_uses u WHERE u.company_id = $1 AND u.id = e.source_id AND u.journal_entry_id = e.id)
    WHEN 'write_off' THEN EXISTS (
        SELECT FROM write_offs w WHERE w.company_id = $1 AND w.id = e.source_id AND w.journal_entry_id = e.id)
    WHEN 'revenue_recognition' THEN e.source_id = e.id AND EXISTS (
        SELECT FROM revenue_recognitions r WHERE r.company_id = $1 AND r.journal_entry_id = e.id)
    WHEN 'draft' THEN EXISTS (
        SELECT FROM draft_journal_entries d
        WHERE d.company_id = $1 AND d.id = e.source_id AND d.journal_entry_id = e.id AND d.status = 'booked')
    WHEN 'import' THEN EXISTS (SELECT FROM journal_imports m WHERE m.company_id = $1 AND m.id = e.source_id)
    ELSE false END
ORDER BY e.chain_position LIMIT 1
"""
#: A draft is booked by the one entry that names it.
_DRAFTS: Final = """
SELECT d.id FROM draft_journal_entries d
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = d.journal_entry_id AND e.source_type = 'draft'
    AND e.source_id = d.id
WHERE d.company_id = $1 AND d.status = 'booked' AND e.id IS NULL ORDER BY d.id LIMIT 1
"""
#: An import names no single entry: it counts them, in the transactions that post them, whatever becomes of it later.
_IMPORTED: Final = """
WITH entries AS (
    SELECT source_id AS id, count(*) AS found FROM journal_entries
    WHERE company_id = $1 AND source_type = 'import' GROUP BY source_id
)
SELECT m.id, m.entries_posted AS counted, coalesce(e.found, 0) AS found
FROM journal_imports m LEFT JOIN entries e ON e.id = m.id
WHERE m.company_id = $1 AND m.entries_posted <> coalesce(e.found, 0) ORDER BY m.id LIMIT 1
"""
_INVOICES: Final = """
SELECT i.number, i.status, i.amount, i.amount_paid, i.credited_amount, i.applied_credit, i.base_amount,
       p.amount - r.amount AS paid, n.amount AS credited, u.amount AS applied, s.settled
FROM invoices i CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount) FILTER (WHERE p.reversed_at IS NULL), 0) AS amount,
           count(*) FILTER (WHERE p.reversed_at IS NOT NULL) AS reversed
    FROM payments p WHERE p.company_id = $1 AND p.invoice_id = i.id
) p CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.settled_amount), 0) AS amount, count(*) AS returns
    FROM charge_returns r WHERE r.company_id = $1 AND r.invoice_id = i.id
) r CROSS JOIN LATERAL (
    SELECT coalesce(-sum(n.amount), 0) AS amount, count(*) AS notes
    FROM credit_notes n
    WHERE n.company_id = $1 AND n.invoice_id = i.id AND n.status IN ('scheduled', 'sending', 'sent')
) n CROSS JOIN LATERAL (
    SELECT coalesce(sum(u.amount), 0) AS amount
    FROM credit_uses u WHERE u.company_id = $1 AND u.invoice_id = i.id
) u CROSS JOIN LATERAL (
    SELECT ({settled}) AS settled, i.amount_paid + i.credited_amount + i.applied_credit AS closed
) s
WHERE i.company_id = $1 AND i.status NOT IN ('draft', 'cancelled')
  AND (i.amount_paid <> p.amount - r.amount OR i.credited_amount <> n.amount
       OR i.applied_credit <> u.amount
       OR NOT CASE WHEN i.written_off_amount > 0
               THEN i.status = 'uncollectible' AND s.closed + i.written_off_amount = i.amount
           WHEN i.status = 'credited' THEN i.credited_amount = i.amount AND n.notes > 0
           WHEN i.credited_amount > 0 AND i.credited_amount = i.amount AND NOT EXISTS (
               SELECT FROM invoice_lines l
               WHERE l.company_id = $1 AND l.invoice_id = i.id AND l.prepayment_invoice_id IS NOT NULL) THEN false
           WHEN s.closed >= i.amount THEN i.status = 'paid'
           WHEN i.amount_paid + i.applied_credit > 0 THEN i.status = 'partially_paid'
           ELSE i.status IN ('scheduled', 'sending', 'sent') END
       OR (s.closed < i.amount AND s.settled > i.base_amount)
       -- What is more than the amount is a credit of the customer's, at the invoice's rate. Where a payment was taken
       -- back, or a charge given back, after a note had settled the invoice it may be some units off: what was used of
       -- it stays as it was, and earlier releases left a difference.
       OR (s.closed >= i.amount AND (n.notes = 0 OR p.reversed + r.returns = 0)
           AND s.settled - i.base_amount <> round(
               (s.closed - i.amount) * i.exchange_rate,
               (SELECT g.base_minor_units FROM ledgers g WHERE g.company_id = $1))))
ORDER BY i.number_sequence LIMIT 1
""".format(settled=SETTLED_IN_BASE.format(invoice="i.id"))  # noqa: S608 - a constant
_REVERSALS: Final = """
SELECT p.id FROM payments p
LEFT JOIN journal_entries r ON r.company_id = $1 AND r.reverses_entry_id = p.journal_entry_id
WHERE p.company_id = $1 AND r.id IS DISTINCT FROM p.reversal_entry_id ORDER BY p.id LIMIT 1
"""


def _faults_of(kind: AnyKind) -> Iterator[tuple[str, str]]:
    """What can be wrong with the documents of a kind and their numbers, whether they are booked or not.

    A credit note has its number before it is sent, and questions of its own (`sales/credit_notes/audit.py`).
    """
    name = kind.kind.replace("_", " ")
    of_numbers = (
        (_MISSING, "{name} number {{place}} is missing, or there twice"),
        (_UNUSED, "{{taken}} {name} numbers were taken, {{used}} are used"),
    )
    of_contents = (
        (_SUMS, "{name} {{number}} is not the sum of its lines, or its number not that of its place in the series"),
        (_PRINTED, "what is printed of {name} {{number}} is not what is booked"),
    )
    for query, what in of_numbers if kind is CREDIT_NOTES else of_numbers + of_contents:
        yield query.format(**fields_of(kind)), what.format(name=name)


#: What is wrong, as queries that find the first fault, and what to say of it.
_FAULTS_OF_DOCUMENTS: Final = (
    *(fault for kind in KINDS.values() for fault in _faults_of(kind)),
    (_OTHER_SERIES, "numbers were taken from the series {name}, of which there are no documents"),
    (_BOOKED, "invoice {number} is booked, but no entry of it says the same"),
    (_DUE, "what is printed of invoice {number} is not what is booked"),
    *invoices.FAULTS,
    *credit_notes.FAULTS,
    *write_offs.FAULTS,
    *deferrals.FAULTS,
    (_PAID, "payment {id} has no entry of its own that says the same"),
    (_SOURCES, "entry {entry_number} ({id}) says that it is of a document ({source_type}) that does not name it"),
    (_DRAFTS, "draft {id} is booked, but no entry is of it"),
    (_IMPORTED, "import {id} counts {counted} entries posted, {found} are of it"),
)
_UNLIKE_PAYMENTS: Final = (
    "invoice {number} ({status}) of {amount:f} has {amount_paid:f} paid; "
    "its payments are {paid:f}; {credited_amount:f} is credited, its credit notes are {credited:f}; {applied_credit:f} "
    "of credit is used on it, the uses are {applied:f}; they settle "
    "{settled:f} of {base_amount:f}"
)
_FAULTS_OF_PAYMENTS: Final = (
    (_INVOICES, _UNLIKE_PAYMENTS),
    (_REVERSALS, "payment {id} and its entry disagree on whether it was taken back"),
)


async def fault_in_documents(context: Context) -> str | None:
    """What is wrong with the numbers of documents, or with a document and its entry; None: nothing.

    A series begins with 1 and has no hole; each booked invoice and each payment stands on an entry of its own that says
    the same of customer, day, rate, amounts, receivable and VAT, or account, and no entry names a document that doesn't
    name it. A document of any kind is the sum of its lines and what it prints, and credit notes never take more of an
    invoice than there is. A booked draft has the entry that it
    names, an import as many as it counts.
    """
    return await first_fault(context, _FAULTS_OF_DOCUMENTS)


async def fault_in_payments(context: Context) -> str | None:
    """What is wrong with the first invoice or payment that doesn't fit the others; None: nothing with any.

    An invoice's `amount_paid` is the sum of its payments but for those taken back, less what went back of charges, its
    `credited_amount` that of its sent credit notes, its `applied_credit` that of the credit used on it, and its status
    the one that they make; what they settled of the receivable is never more than was booked, and all of it when
    nothing is due. A payment is marked as taken back if and only if its entry is reversed.
    """
    return await first_fault(context, _FAULTS_OF_PAYMENTS)


async def first_fault(context: Context, faults: Sequence[tuple[str, str]]) -> str | None:
    """What the first of the queries that finds a row says of it; None: none does."""
    for query, what in faults:
        if (row := await context.connection.fetchrow(query, context.company_id)) is not None:
            return what.format(**row)
    return None
