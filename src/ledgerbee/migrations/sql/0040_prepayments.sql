-- Prepayment invoices, and what the final invoice deducts of them by lines of its own: each by one invoice at a time, which may
-- be a draft.
ALTER TABLE invoices
    ADD COLUMN is_prepayment boolean NOT NULL DEFAULT false,
    ADD COLUMN deducted_by_invoice_id uuid,
    ADD CONSTRAINT invoices_deducted_by FOREIGN KEY (company_id, deducted_by_invoice_id)
        REFERENCES invoices (company_id, id),
    ADD CONSTRAINT invoices_deducted_once CHECK (
        deducted_by_invoice_id IS NULL OR (is_prepayment AND status NOT IN ('draft', 'cancelled')));
CREATE INDEX invoices_deducted_by ON invoices (company_id, deducted_by_invoice_id)
    WHERE deducted_by_invoice_id IS NOT NULL;
SELECT forget_values('invoices');
ALTER TABLE invoice_lines
    ADD COLUMN prepayment_invoice_id uuid,
    ADD CONSTRAINT invoice_lines_prepayment FOREIGN KEY (company_id, prepayment_invoice_id)
        REFERENCES invoices (company_id, id),
    ADD CONSTRAINT invoice_lines_deduct CHECK (prepayment_invoice_id IS NULL OR line_type = 'product');
CREATE INDEX invoice_lines_prepayment ON invoice_lines (company_id, prepayment_invoice_id)
    WHERE prepayment_invoice_id IS NOT NULL;
SELECT forget_values('invoice_lines');

-- As in 0032: who deducts it moves on too.
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
        kept.deducted_by_invoice_id := NEW.deducted_by_invoice_id;
        kept.sent_at := NEW.sent_at;
        kept.updated_at := NEW.updated_at;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'invoice % is booked and cannot be changed', OLD.number USING ERRCODE = 'LB430';
END
$$;

-- What is wrong with how an invoice is deducted; null: nothing. One that is no prepayment invoice isn't. By the invoice that it
-- names alone (deductions that are credited, or on an invoice that is cancelled, deduct nothing), of the same customer and
-- currency, and by all that is left of it.
CREATE FUNCTION fault_in_deduction(company uuid, prepayment uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH lines AS (
        SELECT l.invoice_id, -l.net - (
            SELECT coalesce(sum(c.net), 0) FROM credit_note_lines c
            JOIN credit_notes n ON n.company_id = company AND n.id = c.credit_note_id
                AND n.status NOT IN ('draft', 'cancelled')
            WHERE c.company_id = company AND n.invoice_id = l.invoice_id AND c.invoice_line_id = l.id) AS net
        FROM invoice_lines l
        JOIN invoices f ON f.company_id = company AND f.id = l.invoice_id AND f.status <> 'cancelled'
        WHERE l.company_id = company AND l.prepayment_invoice_id = prepayment
    ), taken AS (
        SELECT invoice_id, sum(net) AS net FROM lines WHERE net <> 0 GROUP BY 1
    ), given AS (
        SELECT p.is_prepayment, p.customer_id, p.currency, p.deducted_by_invoice_id AS id, p.subtotal
            + (SELECT coalesce(sum(n.subtotal), 0) FROM credit_notes n WHERE n.company_id = company
               AND n.invoice_id = prepayment AND n.status <> 'cancelled') AS net
        FROM invoices p WHERE p.company_id = company AND p.id = prepayment
    )
    SELECT CASE
        WHEN (SELECT array_agg(t.invoice_id) FROM taken t) IS DISTINCT FROM
             (SELECT CASE WHEN g.id IS NOT NULL THEN ARRAY[g.id] END FROM given g)
            THEN 'it is not deducted by the invoice that it names'
        WHEN EXISTS (SELECT FROM given g JOIN taken t ON true WHERE t.net <> g.net OR NOT g.is_prepayment)
            THEN 'what is deducted is not what it charged'
        WHEN EXISTS (SELECT FROM given g JOIN invoices f ON f.company_id = company AND f.id = g.id
                     WHERE (f.customer_id, f.currency) <> (g.customer_id, g.currency) OR f.is_prepayment)
            THEN 'it is deducted by the invoice of another customer, or in another currency'
    END
$$;

-- The invoices whose deduction a row may change: of an invoice itself and those that it deducts.
CREATE FUNCTION check_deductions_of(company uuid, invoice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    prepayment uuid;
    fault text;
BEGIN
    FOR prepayment IN
        SELECT p.id FROM invoices p WHERE p.company_id = company AND p.is_prepayment AND p.id = invoice
        UNION SELECT p.id FROM invoices p WHERE p.company_id = company AND p.deducted_by_invoice_id = invoice
        UNION SELECT l.prepayment_invoice_id FROM invoice_lines l
        WHERE l.company_id = company AND l.invoice_id = invoice AND l.prepayment_invoice_id IS NOT NULL
    LOOP
        fault := fault_in_deduction(company, prepayment);
        IF fault IS NOT NULL THEN
            RAISE EXCEPTION 'prepayment invoice %: %', prepayment, fault USING ERRCODE = 'LB446';
        END IF;
    END LOOP;
END
$$;

-- At COMMIT, when both invoices, their lines and credit notes are there. The argument is the table. LB446.
CREATE FUNCTION check_deduction() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF TG_ARGV[0] = 'invoices' THEN
        PERFORM check_deductions_of(NEW.company_id, NEW.id);
        -- What was given up by the time of booking isn't deducted. Later it may be: it is due all the same.
        IF TG_OP = 'UPDATE' AND NEW.status <> 'cancelled' AND EXISTS (
                SELECT FROM invoices p WHERE p.company_id = NEW.company_id AND p.deducted_by_invoice_id = NEW.id
                AND p.status = 'uncollectible') AND OLD.status = 'draft' AND NEW.status <> 'draft' THEN
            RAISE EXCEPTION 'invoice %: it deducts what was given up', NEW.id USING ERRCODE = 'LB446';
        END IF;
    ELSE
        PERFORM check_deductions_of(NEW.company_id, NEW.invoice_id);
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_deduction_added AFTER INSERT ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.deducted_by_invoice_id IS NOT NULL)
    EXECUTE FUNCTION check_deduction('invoices');
CREATE CONSTRAINT TRIGGER check_deduction AFTER UPDATE ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.deducted_by_invoice_id IS DISTINCT FROM NEW.deducted_by_invoice_id
          OR OLD.is_prepayment <> NEW.is_prepayment
          OR (OLD.status = 'draft' AND NEW.status <> 'draft' AND NOT NEW.is_prepayment))
    EXECUTE FUNCTION check_deduction('invoices');
CREATE CONSTRAINT TRIGGER check_deduction AFTER INSERT ON invoice_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.prepayment_invoice_id IS NOT NULL)
    EXECUTE FUNCTION check_deduction('invoice_lines');
CREATE CONSTRAINT TRIGGER check_deduction AFTER INSERT OR UPDATE ON credit_notes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.invoice_id IS NOT NULL)
    EXECUTE FUNCTION check_deduction('credit_notes');
REVOKE EXECUTE ON FUNCTION fault_in_deduction(uuid, uuid), check_deductions_of(uuid, uuid), check_deduction() FROM PUBLIC;

-- The account of prepayments received from customers gets its role, as that of losses.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE accounts a SET role = 'CUSTOMER_PREPAYMENTS'
        WHERE a.company_id = company AND a.id = (
            SELECT f.id FROM accounts f
            WHERE f.company_id = company AND f.standard_number IN (7410, 2200) AND f.classification = 'LIABILITY'
              AND f.ledger_type = 'BALANCE_SHEET' AND f.role IS NULL AND f.control_account_type IS NULL AND f.is_active
              AND NOT EXISTS (SELECT FROM accounts o WHERE o.company_id = company AND o.role = 'CUSTOMER_PREPAYMENTS')
            ORDER BY f.number LIMIT 1);
        INSERT INTO accounts (company_id, id, number, name, standard_number, ledger_type, classification, role, created_at)
        SELECT company, gen_random_uuid(), n.number,
               CASE c.preferred_language WHEN 'da' THEN 'Modtagne forudbetalinger fra kunder'
                   ELSE 'Prepayments from customers' END,
               CASE c.country_code WHEN 'DK' THEN 7410 ELSE n.number END, 'BALANCE_SHEET', 'LIABILITY',
               'CUSTOMER_PREPAYMENTS', now()
        FROM companies c
        CROSS JOIN LATERAL generate_series(
            CASE c.country_code WHEN 'DK' THEN 7410 ELSE 2200 END,
            CASE c.country_code WHEN 'DK' THEN 7429 ELSE 2299 END) AS n (number)
        WHERE c.company_id = company AND NOT EXISTS (
            SELECT FROM accounts taken WHERE taken.company_id = company
            AND (taken.number = n.number OR taken.role = 'CUSTOMER_PREPAYMENTS'))
        ORDER BY n.number LIMIT 1;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
