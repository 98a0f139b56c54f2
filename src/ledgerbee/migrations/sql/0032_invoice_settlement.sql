-- What settles an invoice beside payments and its own credit notes: credit of the customer's that is used on it, and what is
-- given up as uncollectible. What is due is the amount less all four.

ALTER TABLE invoices
    ADD COLUMN applied_credit numeric(19, 4) NOT NULL DEFAULT 0,
    ADD COLUMN written_off_amount numeric(19, 4) NOT NULL DEFAULT 0,
    ADD CONSTRAINT invoices_settled CHECK (applied_credit BETWEEN 0 AND greatest(amount, 0)
        AND written_off_amount BETWEEN 0 AND greatest(amount, 0)
        AND (status NOT IN ('draft', 'cancelled') OR (applied_credit = 0 AND written_off_amount = 0)));

SELECT forget_values('invoices');

-- As in 0024: numbers are numbers.
ALTER TABLE invoices DROP CONSTRAINT invoices_finite;
DO $$
DECLARE
    finite text;
BEGIN
    SELECT string_agg(format('%I < ''Infinity'' AND %I > ''-Infinity''', a.attname, a.attname), ' AND '
                      ORDER BY a.attnum) INTO finite
    FROM pg_attribute a
    WHERE a.attrelid = 'invoices'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'numeric'::regtype;
    EXECUTE format('ALTER TABLE invoices ADD CONSTRAINT invoices_finite CHECK (%s) NOT VALID', finite);
END
$$;

-- The sources of entries, as in 0029, with those of credit that is used, and of losses.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type CHECK (source_type IN (
    'draft', 'import', 'invoice', 'payment', 'credit_note', 'credit_use', 'write_off')) NOT VALID;

-- Credit of the customer's that is used on an invoice. Nothing uses any yet: what does says here how much (CREATE OR REPLACE
-- in a later revision), and so for the next two.
CREATE FUNCTION credit_applied_to(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 0::numeric
$$;

-- What was used elsewhere of what an invoice has too much: payments, credit notes and credit beyond its amount.
CREATE FUNCTION excess_used_of(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 0::numeric
$$;

-- What is given up of an invoice as uncollectible.
CREATE FUNCTION written_off_of(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 0::numeric
$$;

-- As in 0029: credit and losses move on too.
CREATE OR REPLACE FUNCTION keep_booked_invoice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept invoices%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' THEN
        kept.status := NEW.status;
        kept.amount_paid := NEW.amount_paid;
        kept.credited_amount := NEW.credited_amount;
        kept.applied_credit := NEW.applied_credit;
        kept.written_off_amount := NEW.written_off_amount;
        kept.sent_at := NEW.sent_at;
        kept.updated_at := NEW.updated_at;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'invoice % is booked and cannot be changed', OLD.number USING ERRCODE = 'LB430';
END
$$;

-- As in 0029, with credit that is used and what is written off. Written off is all that is due, so that the invoice is settled by
-- then: never more, which would make a credit of a loss. A cancelled invoice was never booked: one that was isn't cancelled.
-- LB426.
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
                WHEN booked.credited_amount > 0 AND booked.credited_amount = booked.amount THEN booked.status = 'credited'
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

REVOKE EXECUTE ON FUNCTION credit_applied_to(uuid, uuid), excess_used_of(uuid, uuid), written_off_of(uuid, uuid) FROM PUBLIC;
