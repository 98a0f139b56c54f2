-- Off which days a credit note took deferred revenue. So far it was taken off all that were not recognised, and what was left
-- was scheduled anew; from now on the schedule of a line is its own, less what was taken off its days.
ALTER TABLE revenue_deferral_credits
    ADD COLUMN first_day date,
    ADD COLUMN last_day date;
ALTER TABLE revenue_deferral_credits DISABLE TRIGGER keep_recognized;
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE revenue_deferral_credits c SET first_day = least(d.period_end, greatest(d.period_start, coalesce((
                SELECT (max(r.month) + interval '1 month')::date FROM revenue_recognitions r
                WHERE r.company_id = company AND r.invoice_line_id = c.invoice_line_id AND r.created_at <= e.posted_at),
            date_trunc('month', i.issue_date)::date))), last_day = d.period_end
        FROM revenue_deferrals d, invoices i, credit_notes n, journal_entries e
        WHERE c.company_id = company AND d.company_id = company AND d.invoice_line_id = c.invoice_line_id
          AND i.company_id = company AND i.id = d.invoice_id
          AND n.company_id = company AND n.id = c.credit_note_id
          AND e.company_id = company AND e.id = n.journal_entry_id;
        UPDATE revenue_deferrals d SET scheduled_amount = l.net,
            scheduled_base_amount = CASE WHEN i.currency = g.base_currency THEN l.net
                ELSE round(l.net * i.exchange_rate, g.base_minor_units) END
        FROM invoices i, invoice_lines l, ledgers g
        WHERE d.company_id = company AND i.company_id = company AND i.id = d.invoice_id
          AND l.company_id = company AND l.invoice_id = i.id AND l.id = d.invoice_line_id
          AND g.company_id = company AND EXISTS (
            SELECT FROM revenue_deferral_credits c
            WHERE c.company_id = company AND c.invoice_line_id = d.invoice_line_id);
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE revenue_deferral_credits ENABLE TRIGGER keep_recognized;
ALTER TABLE revenue_deferral_credits
    ALTER COLUMN first_day SET NOT NULL,
    ALTER COLUMN last_day SET NOT NULL,
    ADD CONSTRAINT revenue_deferral_credits_days CHECK (first_day <= last_day),
    DROP CONSTRAINT revenue_deferral_credits_pkey,
    ADD PRIMARY KEY (company_id, credit_note_id, invoice_line_id, first_day, last_day);
REVOKE UPDATE (scheduled_from, scheduled_amount, scheduled_base_amount) ON revenue_deferrals FROM ledgerbee_app;
ALTER TABLE revenue_deferrals DROP COLUMN scheduled_from;

-- As in 0045, but for the schedule, which stays too. LB430.
CREATE OR REPLACE FUNCTION keep_deferral() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept revenue_deferrals%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        kept.amount_left := NEW.amount_left;
        kept.base_amount_left := NEW.base_amount_left;
        kept.next_month := NEW.next_month;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'deferred revenue is booked and cannot be changed' USING ERRCODE = 'LB430';
END
$$;

-- What credit notes of others took off the lines of subscriptions is asked for with each change.
CREATE INDEX credit_note_lines_credited ON credit_note_lines (company_id, invoice_line_id)
    WHERE invoice_line_id IS NOT NULL;
CREATE INDEX subscription_charges_of_note ON subscription_charges (company_id, credit_note_id)
    WHERE credit_note_id IS NOT NULL;

-- The API's role changes of subscriptions, usage and billing runs what moves, and nothing that was agreed or reported.
REVOKE UPDATE ON subscriptions, billing_schedules, subscription_changes, billing_runs, metered_spans, late_usage, usage_days
    FROM ledgerbee_app;
GRANT UPDATE (version, name, plan_id, is_paused, ends_on, is_cancelled, payment_method_id, automatic_billing,
    customer_department_id, department_contact_override_id, awaits_payment, billed_until, emitted_until, next_run_on, updated_at)
    ON subscriptions TO ledgerbee_app;
GRANT UPDATE (billed_until, next_billing_date, carried) ON billing_schedules TO ledgerbee_app;
GRANT UPDATE (status, failure, updated_at) ON subscription_changes TO ledgerbee_app;
GRANT UPDATE (status, processed, invoices, credit_notes, skipped, refused, code, message, started_at, completed_at, updated_at)
    ON billing_runs TO ledgerbee_app;
GRANT UPDATE (billed_until) ON metered_spans TO ledgerbee_app;
GRANT UPDATE (events, is_counted) ON late_usage TO ledgerbee_app;
GRANT UPDATE (events, too_late, withdrawn, sum, max, last_value, last_at, last_id) ON usage_days TO ledgerbee_app;
