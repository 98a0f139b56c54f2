-- What is given up of a prepayment invoice, without its VAT, as far as it was taken out of prepayments and is no loss.
ALTER TABLE write_offs ADD COLUMN prepaid_amount numeric(19, 4) NOT NULL DEFAULT 0;
SELECT forget_values('write_offs');

-- As in 0024: numbers are numbers.
ALTER TABLE write_offs DROP CONSTRAINT write_offs_finite;
ALTER TABLE write_offs ADD CONSTRAINT write_offs_finite CHECK (amount < 'Infinity' AND vat_amount < 'Infinity'
    AND vat_amount > '-Infinity' AND base_amount < 'Infinity' AND base_vat_amount < 'Infinity'
    AND base_vat_amount > '-Infinity' AND prepaid_amount < 'Infinity' AND prepaid_amount > '-Infinity') NOT VALID;

-- As in 0032, but for what is credited: an invoice of 0.00 may be, and one that deducts prepayments may be paid by them though
-- its amount is credited (one of an earlier release says `credited` then). LB426.
CREATE OR REPLACE FUNCTION check_booked_invoice(company uuid, invoice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked invoices%ROWTYPE;
    settled numeric;
    fault text;
BEGIN
    SELECT i.* INTO booked FROM invoices i WHERE i.company_id = company AND i.id = invoice;
    IF NOT FOUND OR booked.status = 'draft' OR (booked.status = 'cancelled' AND booked.journal_entry_id IS NULL) THEN
        RETURN;
    END IF;
    settled := booked.amount_paid + booked.credited_amount + booked.applied_credit;
    fault := CASE
        WHEN NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.company_id = company AND e.id = booked.journal_entry_id
                AND e.source_type = 'invoice' AND e.source_id = invoice AND e.customer_id = booked.customer_id
                AND e.currency = booked.currency
                AND (booked.amount, booked.base_amount) = (
                    SELECT sum(l.amount), sum(l.base_amount) FROM journal_lines l
                    WHERE l.company_id = company AND l.entry_id = e.id AND l.line_type = 'CONTROL'
                      AND l.account_id = booked.receivable_account_id))
            THEN 'its entry is not of it'
        WHEN NOT EXISTS (
                SELECT FROM number_series s WHERE s.company_id = company AND s.name = 'invoice'
                AND s.last_number >= booked.number_sequence)
            THEN 'its number was not taken from the series'
        WHEN booked.amount_paid <> (
                SELECT coalesce(sum(p.amount), 0) FROM payments p
                WHERE p.company_id = company AND p.invoice_id = invoice AND p.reversed_at IS NULL)
            THEN 'what is paid is not the sum of its payments'
        WHEN booked.credited_amount <> (
                SELECT coalesce(-sum(n.amount), 0) FROM credit_notes n
                WHERE n.company_id = company AND n.invoice_id = invoice
                  AND n.status IN ('scheduled', 'sending', 'sent'))
            THEN 'what is credited is not the sum of its credit notes'
        WHEN booked.applied_credit <> credit_applied_to(company, invoice)
            THEN 'the credit that is used on it is not what was used'
        WHEN excess_used_of(company, invoice) > greatest(settled - booked.amount, 0)
            THEN 'more is used of what it has too much than there is'
        WHEN booked.written_off_amount <> written_off_of(company, invoice)
            THEN 'what is written off is not what was given up'
        WHEN NOT CASE
                WHEN booked.written_off_amount > 0
                    THEN booked.status = 'uncollectible' AND settled + booked.written_off_amount = booked.amount
                WHEN booked.status = 'credited' THEN booked.credited_amount = booked.amount AND EXISTS (
                    SELECT FROM credit_notes n WHERE n.company_id = company AND n.invoice_id = invoice
                    AND n.journal_entry_id IS NOT NULL)
                WHEN booked.credited_amount > 0 AND booked.credited_amount = booked.amount AND NOT EXISTS (
                    SELECT FROM invoice_lines l WHERE l.company_id = company AND l.invoice_id = invoice
                    AND l.prepayment_invoice_id IS NOT NULL)
                    THEN false
                WHEN settled >= booked.amount THEN booked.status = 'paid'
                WHEN booked.amount_paid + booked.applied_credit > 0 THEN booked.status = 'partially_paid'
                ELSE booked.status IN ('scheduled', 'sending', 'sent') END
            THEN format('it is not %s', booked.status)
        END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'invoice %: %', booked.number, fault USING ERRCODE = 'LB426';
    END IF;
END
$$;
