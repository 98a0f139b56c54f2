-- The days that a line of an invoice is for, both or neither; a credit note's are those of the line that it credits.
ALTER TABLE invoice_lines
    ADD COLUMN service_period_start date,
    ADD COLUMN service_period_end date,
    ADD CONSTRAINT invoice_lines_service_period CHECK (
        num_nonnulls(service_period_start, service_period_end) = 0
        OR (num_nonnulls(service_period_start, service_period_end) = 2 AND service_period_start <= service_period_end
            AND line_type = 'product'));
ALTER TABLE credit_note_lines
    ADD COLUMN service_period_start date,
    ADD COLUMN service_period_end date,
    ADD CONSTRAINT credit_note_lines_service_period CHECK (
        num_nonnulls(service_period_start, service_period_end) = 0
        OR (num_nonnulls(service_period_start, service_period_end) = 2 AND service_period_start <= service_period_end
            AND line_type = 'product'));
ALTER TABLE product_groups ADD COLUMN defer_revenue boolean NOT NULL DEFAULT true;

-- The sources of entries, as in 0032, with the recognition of revenue.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type CHECK (source_type IN (
    'draft', 'import', 'invoice', 'payment', 'credit_note', 'credit_use', 'write_off', 'revenue_recognition')) NOT VALID;

-- What of an invoice's line was booked as deferred revenue, in the invoice's currency and as booked in the company's. All of it
-- has the sign of the line's net. What is left of it is recognised month by month; what a credit note takes off leaves less to
-- be recognised, from `scheduled_from` on.
CREATE TABLE revenue_deferrals (
    company_id uuid NOT NULL,
    invoice_line_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    revenue_account_id uuid NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL CHECK (period_end >= period_start),
    amount numeric(19, 4) NOT NULL,
    base_amount numeric(19, 4) NOT NULL,
    amount_left numeric(19, 4) NOT NULL CHECK (amount_left BETWEEN least(amount, 0) AND greatest(amount, 0)),
    base_amount_left numeric(19, 4) NOT NULL CHECK (
        base_amount_left BETWEEN least(base_amount, 0) AND greatest(base_amount, 0)),
    -- What is recognised from that day to the end of the period, by days; of it, what is not left is recognised.
    scheduled_from date NOT NULL,
    scheduled_amount numeric(19, 4) NOT NULL,
    scheduled_base_amount numeric(19, 4) NOT NULL,
    -- The first day of the month that is recognised next; null: nothing is left.
    next_month date CHECK (date_trunc('month', next_month) = next_month),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, invoice_line_id),
    CONSTRAINT revenue_deferrals_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT revenue_deferrals_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT revenue_deferrals_revenue FOREIGN KEY (company_id, revenue_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT revenue_deferrals_end CHECK (next_month IS NOT NULL OR (amount_left = 0 AND base_amount_left = 0)),
    CONSTRAINT revenue_deferrals_finite CHECK (amount > '-Infinity' AND amount < 'Infinity'
        AND base_amount > '-Infinity' AND base_amount < 'Infinity'
        AND amount_left > '-Infinity' AND amount_left < 'Infinity'
        AND base_amount_left > '-Infinity' AND base_amount_left < 'Infinity'
        AND scheduled_amount > '-Infinity' AND scheduled_amount < 'Infinity'
        AND scheduled_base_amount > '-Infinity' AND scheduled_base_amount < 'Infinity')
);
CREATE INDEX revenue_deferrals_of_invoice ON revenue_deferrals (company_id, invoice_id);
CREATE INDEX revenue_deferrals_due ON revenue_deferrals (company_id, next_month, invoice_line_id)
    WHERE next_month IS NOT NULL;
SELECT protect_table('revenue_deferrals', 'SELECT, INSERT');
GRANT UPDATE (amount_left, base_amount_left, scheduled_from, scheduled_amount, scheduled_base_amount, next_month)
    ON revenue_deferrals TO ledgerbee_app;

-- What was recognised of a deferral for a month, once. Without an entry where nothing of it is to be booked.
CREATE TABLE revenue_recognitions (
    company_id uuid NOT NULL,
    invoice_line_id uuid NOT NULL,
    month date NOT NULL CHECK (date_trunc('month', month) = month),
    amount numeric(19, 4) NOT NULL,
    base_amount numeric(19, 4) NOT NULL,
    journal_entry_id uuid CHECK (journal_entry_id IS NOT NULL OR base_amount = 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, invoice_line_id, month),
    CONSTRAINT revenue_recognitions_deferral FOREIGN KEY (company_id, invoice_line_id)
        REFERENCES revenue_deferrals (company_id, invoice_line_id),
    CONSTRAINT revenue_recognitions_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT revenue_recognitions_finite CHECK (amount > '-Infinity' AND amount < 'Infinity'
        AND base_amount > '-Infinity' AND base_amount < 'Infinity')
);
CREATE INDEX revenue_recognitions_entry ON revenue_recognitions (company_id, journal_entry_id)
    WHERE journal_entry_id IS NOT NULL;
SELECT protect_table('revenue_recognitions', 'SELECT, INSERT');

-- What a credit note took off a deferral, before it took anything off revenue.
CREATE TABLE revenue_deferral_credits (
    company_id uuid NOT NULL,
    credit_note_id uuid NOT NULL,
    invoice_line_id uuid NOT NULL,
    amount numeric(19, 4) NOT NULL,
    base_amount numeric(19, 4) NOT NULL,
    PRIMARY KEY (company_id, credit_note_id, invoice_line_id),
    CONSTRAINT revenue_deferral_credits_note FOREIGN KEY (company_id, credit_note_id)
        REFERENCES credit_notes (company_id, id),
    CONSTRAINT revenue_deferral_credits_deferral FOREIGN KEY (company_id, invoice_line_id)
        REFERENCES revenue_deferrals (company_id, invoice_line_id),
    CONSTRAINT revenue_deferral_credits_finite CHECK (amount > '-Infinity' AND amount < 'Infinity'
        AND base_amount > '-Infinity' AND base_amount < 'Infinity')
);
CREATE INDEX revenue_deferral_credits_deferral ON revenue_deferral_credits (company_id, invoice_line_id);
SELECT protect_table('revenue_deferral_credits', 'SELECT, INSERT');

-- The second belt: what was deferred, recognised and credited stays; of a deferral only what is left of it moves. LB430.
CREATE FUNCTION keep_deferral() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept revenue_deferrals%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        kept.amount_left := NEW.amount_left;
        kept.base_amount_left := NEW.base_amount_left;
        kept.scheduled_from := NEW.scheduled_from;
        kept.scheduled_amount := NEW.scheduled_amount;
        kept.scheduled_base_amount := NEW.scheduled_base_amount;
        kept.next_month := NEW.next_month;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'deferred revenue is booked and cannot be changed' USING ERRCODE = 'LB430';
END
$$;
CREATE TRIGGER keep_deferral AFTER UPDATE OR DELETE ON revenue_deferrals
    FOR EACH ROW EXECUTE FUNCTION keep_deferral();
CREATE FUNCTION keep_recognized() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what was recognised cannot be changed' USING ERRCODE = 'LB430';
END
$$;
CREATE TRIGGER keep_recognized BEFORE UPDATE OR DELETE ON revenue_recognitions
    FOR EACH ROW EXECUTE FUNCTION keep_recognized();
CREATE TRIGGER keep_recognized BEFORE UPDATE OR DELETE ON revenue_deferral_credits
    FOR EACH ROW EXECUTE FUNCTION keep_recognized();

-- At COMMIT: what is left of a deferral is what was deferred less what was recognised and credited of it. LB455.
CREATE FUNCTION check_deferral() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NOT EXISTS (
            SELECT FROM revenue_deferrals d
            WHERE d.company_id = NEW.company_id AND d.invoice_line_id = NEW.invoice_line_id
              AND (d.amount - d.amount_left, d.base_amount - d.base_amount_left) = (
                SELECT coalesce(sum(t.amount), 0), coalesce(sum(t.base_amount), 0) FROM (
                    SELECT r.amount, r.base_amount FROM revenue_recognitions r
                    WHERE r.company_id = NEW.company_id AND r.invoice_line_id = NEW.invoice_line_id
                    UNION ALL
                    SELECT c.amount, c.base_amount FROM revenue_deferral_credits c
                    WHERE c.company_id = NEW.company_id AND c.invoice_line_id = NEW.invoice_line_id) t)) THEN
        RAISE EXCEPTION 'deferred revenue of line %: what is left of it is not what was not recognised', NEW.invoice_line_id
            USING ERRCODE = 'LB455';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_deferral AFTER INSERT OR UPDATE ON revenue_deferrals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deferral();
CREATE CONSTRAINT TRIGGER check_deferral AFTER INSERT ON revenue_recognitions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deferral();
CREATE CONSTRAINT TRIGGER check_deferral AFTER INSERT ON revenue_deferral_credits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deferral();
REVOKE EXECUTE ON FUNCTION keep_deferral(), keep_recognized(), check_deferral() FROM PUBLIC;

-- In Denmark the account of short-term accruals and deferred income gets the role where the company has it. None is added: who
-- has none is told so when it is needed.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE accounts a SET role = 'DEFERRED_REVENUE'
        WHERE a.company_id = company AND a.id = (
            SELECT f.id FROM accounts f JOIN companies c ON c.company_id = company AND c.country_code = 'DK'
            WHERE f.company_id = company AND f.standard_number = 8070 AND f.classification = 'LIABILITY'
              AND f.ledger_type = 'BALANCE_SHEET' AND f.role IS NULL AND f.control_account_type IS NULL AND f.is_active
              AND NOT EXISTS (SELECT FROM accounts o WHERE o.company_id = company AND o.role = 'DEFERRED_REVENUE')
            ORDER BY f.number LIMIT 1);
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
