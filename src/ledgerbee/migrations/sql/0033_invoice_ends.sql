-- How invoices end that aren't paid.

-- A draft that was given up: no number, no entry, never sent. What is booked can't become one.
ALTER TABLE invoices
    DROP CONSTRAINT invoices_booked_or_draft,
    ADD CONSTRAINT invoices_booked_or_not CHECK (
        CASE WHEN status IN ('draft', 'cancelled')
            THEN num_nonnulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                              journal_entry_id) = 0 AND amount_paid = 0 AND credited_amount = 0
                AND (status = 'draft' OR sent_at IS NULL)
            ELSE num_nulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                           journal_entry_id) = 0
        END);

-- It stays as it was. Its lines are kept by keep_booked_invoice_lines(), which keeps those of all that is no draft. LB430.
CREATE FUNCTION keep_cancelled_invoice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'invoice % is cancelled and cannot be changed', OLD.id USING ERRCODE = 'LB430';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_cancelled_invoice() FROM PUBLIC;
CREATE TRIGGER keep_cancelled_invoice AFTER UPDATE OR DELETE ON invoices
    FOR EACH ROW WHEN (OLD.status = 'cancelled') EXECUTE FUNCTION keep_cancelled_invoice();

-- What is booked is checked and kept, as before; what was cancelled never is.
DROP TRIGGER keep_booked_invoice ON invoices;
CREATE TRIGGER keep_booked_invoice AFTER UPDATE OR DELETE ON invoices
    FOR EACH ROW WHEN (OLD.status NOT IN ('draft', 'cancelled')) EXECUTE FUNCTION keep_booked_invoice();
DROP TRIGGER check_invoice ON invoices;
CREATE CONSTRAINT TRIGGER check_invoice AFTER INSERT OR UPDATE ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status NOT IN ('draft', 'cancelled'))
    EXECUTE FUNCTION check_invoice();

-- What was due on an invoice when it was given up as uncollectible: on an entry of its own, which takes it off the receivable.
CREATE TABLE write_offs (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    written_off_on date NOT NULL,
    -- In the invoice's currency, and what was booked in the company's; the VAT is part of the amount.
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    vat_amount numeric(19, 4) NOT NULL,
    base_amount numeric(19, 4) NOT NULL CHECK (base_amount >= 0),
    base_vat_amount numeric(19, 4) NOT NULL,
    description text,
    journal_entry_id uuid NOT NULL,
    reversed_at timestamptz,
    reversal_entry_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT write_offs_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT write_offs_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT write_offs_reversal FOREIGN KEY (company_id, reversal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT write_offs_reversed_once CHECK (num_nonnulls(reversed_at, reversal_entry_id) <> 1),
    CONSTRAINT write_offs_finite CHECK (amount < 'Infinity' AND vat_amount < 'Infinity' AND vat_amount > '-Infinity'
        AND base_amount < 'Infinity' AND base_vat_amount < 'Infinity' AND base_vat_amount > '-Infinity')
);
CREATE INDEX write_offs_of_invoice ON write_offs (company_id, invoice_id, created_at, id);
CREATE UNIQUE INDEX write_offs_standing ON write_offs (company_id, invoice_id) WHERE reversed_at IS NULL;
SELECT protect_table('write_offs', 'SELECT, INSERT');
GRANT UPDATE (reversed_at, reversal_entry_id) ON write_offs TO ledgerbee_app;
SELECT forget_values('write_offs');

-- The second belt: a write-off changes once, when it is taken back. LB430.
CREATE FUNCTION keep_write_off() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept write_offs%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.reversed_at IS NULL THEN
        kept.reversed_at := NEW.reversed_at;
        kept.reversal_entry_id := NEW.reversal_entry_id;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'write-off % is booked and cannot be changed', OLD.id USING ERRCODE = 'LB430';
END
$$;
CREATE TRIGGER keep_write_off AFTER UPDATE OR DELETE ON write_offs FOR EACH ROW EXECUTE FUNCTION keep_write_off();

-- As in 0032: what an invoice's write-off gives up of it.
CREATE OR REPLACE FUNCTION written_off_of(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(w.amount), 0) FROM write_offs w
    WHERE w.company_id = company AND w.invoice_id = invoice AND w.reversed_at IS NULL
$$;

-- At COMMIT, when entry, write-off and invoice are all there: a write-off stands on an entry of its own, which takes off its
-- invoice's receivable what is given up and regulates its VAT; it is taken back by the entry that reverses that one. LB445.
CREATE FUNCTION check_write_off() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NOT EXISTS (
            SELECT FROM journal_entries e
            JOIN invoices i ON i.company_id = e.company_id AND i.id = NEW.invoice_id AND i.customer_id = e.customer_id
                AND i.currency = e.currency
            WHERE e.company_id = NEW.company_id AND e.id = NEW.journal_entry_id AND e.source_type = 'write_off'
              AND e.source_id = NEW.id AND e.entry_date = NEW.written_off_on AND e.original_amount = NEW.amount
              AND e.exchange_rate = round(i.exchange_rate, 12)
              AND (-NEW.amount, -NEW.base_amount, NEW.vat_amount, NEW.base_vat_amount) = (
                  SELECT sum(l.amount) FILTER (WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id),
                         sum(l.base_amount) FILTER (
                             WHERE l.line_type = 'CONTROL' AND l.account_id = i.receivable_account_id),
                         coalesce(sum(l.amount) FILTER (WHERE l.line_type = 'VAT'), 0),
                         coalesce(sum(l.base_amount) FILTER (WHERE l.line_type = 'VAT'), 0)
                  FROM journal_lines l WHERE l.company_id = e.company_id AND l.entry_id = e.id)) THEN
        RAISE EXCEPTION 'write-off %: its entry is not of it', NEW.id USING ERRCODE = 'LB445';
    ELSIF NEW.reversed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM journal_entries r WHERE r.company_id = NEW.company_id AND r.id = NEW.reversal_entry_id
            AND r.reverses_entry_id = NEW.journal_entry_id) THEN
        RAISE EXCEPTION 'write-off %: no entry takes it back', NEW.id USING ERRCODE = 'LB445';
    END IF;
    PERFORM check_booked_invoice(NEW.company_id, NEW.invoice_id);
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_write_off AFTER INSERT OR UPDATE ON write_offs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_write_off();

REVOKE EXECUTE ON FUNCTION keep_write_off(), check_write_off() FROM PUBLIC;

-- The account of losses on customers gets its role: the one that the company's chart has for it, else a new one with the number
-- that a new chart has for it, or the next that is free.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE accounts a SET role = 'BAD_DEBTS'
        WHERE a.company_id = company AND a.id = (
            SELECT f.id FROM accounts f
            WHERE f.company_id = company AND f.standard_number IN (2280, 6700) AND f.classification = 'EXPENSE'
              AND f.ledger_type = 'PROFIT_AND_LOSS' AND f.role IS NULL AND f.is_active
              AND NOT EXISTS (SELECT FROM accounts o WHERE o.company_id = company AND o.role = 'BAD_DEBTS')
            ORDER BY f.number LIMIT 1);
        INSERT INTO accounts (company_id, id, number, name, standard_number, ledger_type, classification, role, created_at)
        SELECT company, gen_random_uuid(), n.number,
               CASE c.preferred_language WHEN 'da' THEN 'Tab på tilgodehavender fra salg og tjenesteydelser'
                   ELSE 'Bad debts' END,
               CASE c.country_code WHEN 'DK' THEN 2280 ELSE n.number END, 'PROFIT_AND_LOSS', 'EXPENSE', 'BAD_DEBTS', now()
        FROM companies c
        CROSS JOIN LATERAL generate_series(
            CASE c.country_code WHEN 'DK' THEN 2280 ELSE 6700 END,
            CASE c.country_code WHEN 'DK' THEN 2299 ELSE 6799 END) AS n (number)
        WHERE c.company_id = company AND NOT EXISTS (
            SELECT FROM accounts taken WHERE taken.company_id = company
            AND (taken.number = n.number OR taken.role = 'BAD_DEBTS'))
        ORDER BY n.number LIMIT 1;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
