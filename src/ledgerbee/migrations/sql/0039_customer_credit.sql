-- Credit of customers: what payments and credit notes are more than what they settle. It is used on invoices, or paid back.

-- One use of credit: on an invoice, or, without one, paid back out of an account. Written once.
CREATE TABLE credit_uses (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    invoice_id uuid,
    account_id uuid,
    used_on date NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    -- Base units per unit: the invoice's, or of the day on which it was paid back.
    exchange_rate numeric NOT NULL CHECK (exchange_rate > 0),
    -- In the base currency: what was taken off the credit, and what that settled of the invoice, or was paid.
    base_taken numeric(19, 4) NOT NULL CHECK (base_taken >= 0),
    base_given numeric(19, 4) NOT NULL CHECK (base_given >= 0),
    reference text,
    -- Null where nothing is to be booked: on the same receivable account as much is taken as is given.
    journal_entry_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT credit_uses_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT credit_uses_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT credit_uses_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT credit_uses_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (num_nonnulls(invoice_id, account_id) = 1)
);
CREATE INDEX credit_uses_of_customer ON credit_uses (company_id, customer_id);
CREATE INDEX credit_uses_of_invoice ON credit_uses (company_id, invoice_id) WHERE invoice_id IS NOT NULL;
SELECT protect_table('credit_uses', 'SELECT, INSERT');

-- What a use takes of each source: of an invoice that more settles than it is, or of a credit note of no invoice.
CREATE TABLE credit_use_parts (
    company_id uuid NOT NULL,
    use_id uuid NOT NULL,
    position int NOT NULL,
    source_invoice_id uuid,
    credit_note_id uuid,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    base_amount numeric(19, 4) NOT NULL CHECK (base_amount >= 0),
    PRIMARY KEY (company_id, use_id, position),
    CONSTRAINT credit_use_parts_use FOREIGN KEY (company_id, use_id) REFERENCES credit_uses (company_id, id),
    CONSTRAINT credit_use_parts_invoice FOREIGN KEY (company_id, source_invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT credit_use_parts_note FOREIGN KEY (company_id, credit_note_id) REFERENCES credit_notes (company_id, id),
    CHECK (num_nonnulls(source_invoice_id, credit_note_id) = 1)
);
CREATE INDEX credit_use_parts_invoice ON credit_use_parts (company_id, source_invoice_id)
    WHERE source_invoice_id IS NOT NULL;
CREATE INDEX credit_use_parts_note ON credit_use_parts (company_id, credit_note_id) WHERE credit_note_id IS NOT NULL;
SELECT protect_table('credit_use_parts', 'SELECT, INSERT');

SELECT forget_values('credit_uses');
SELECT forget_values('credit_use_parts');

-- As in 0024: numbers are numbers.
DO $$
DECLARE
    target text;
    finite text;
BEGIN
    FOREACH target IN ARRAY ARRAY['credit_uses', 'credit_use_parts'] LOOP
        SELECT string_agg(format('%I < ''Infinity'' AND %I > ''-Infinity''', a.attname, a.attname), ' AND '
                          ORDER BY a.attnum) INTO finite
        FROM pg_attribute a
        WHERE a.attrelid = target::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'numeric'::regtype;
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s) NOT VALID', target, target || '_finite', finite);
    END LOOP;
END
$$;

-- A customer has few invoices that more settles than they are.
CREATE INDEX invoices_with_excess ON invoices (company_id, customer_id)
    WHERE amount_paid + credited_amount + applied_credit > amount AND journal_entry_id IS NOT NULL;

-- The second belt: what was used stays used.
CREATE FUNCTION keep_used_credit() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'credit that was used cannot be changed' USING ERRCODE = 'LB430';
END
$$;
CREATE TRIGGER keep_used_credit BEFORE UPDATE OR DELETE ON credit_uses
    FOR EACH ROW EXECUTE FUNCTION keep_used_credit();
CREATE TRIGGER keep_used_credit BEFORE UPDATE OR DELETE ON credit_use_parts
    FOR EACH ROW EXECUTE FUNCTION keep_used_credit();

-- For `check_booked_invoice`, see 0032.
CREATE OR REPLACE FUNCTION credit_applied_to(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(u.amount), 0) FROM credit_uses u WHERE u.company_id = company AND u.invoice_id = invoice
$$;

CREATE OR REPLACE FUNCTION excess_used_of(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(p.amount), 0) FROM credit_use_parts p
    WHERE p.company_id = company AND p.source_invoice_id = invoice
$$;

-- What is wrong with a use of credit; null: nothing. Its sources and its invoice are the customer's, in its currency; of no credit
-- note more is used than it is (of invoices `check_booked_invoice` says so); and by account its entry says what it took and gave.
CREATE FUNCTION fault_in_credit_use(used credit_uses) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH parts AS (
        SELECT p.amount, p.base_amount, p.credit_note_id,
               coalesce(i.receivable_account_id, n.receivable_account_id) AS account_id,
               coalesce((i.customer_id, i.currency) = (used.customer_id, used.currency),
                        (n.customer_id, n.currency) = (used.customer_id, used.currency) AND n.invoice_id IS NULL,
                        false) AS is_of_customer
        FROM credit_use_parts p
        LEFT JOIN invoices i ON i.company_id = used.company_id AND i.id = p.source_invoice_id
        LEFT JOIN credit_notes n ON n.company_id = used.company_id AND n.id = p.credit_note_id
        WHERE p.company_id = used.company_id AND p.use_id = used.id
    ), target AS (
        SELECT i.receivable_account_id FROM invoices i
        WHERE i.company_id = used.company_id AND i.id = used.invoice_id
          AND (i.customer_id, i.currency) = (used.customer_id, used.currency)
    ), moved AS (
        SELECT account_id, amount, base_amount FROM parts
        UNION ALL
        SELECT coalesce(used.account_id, (SELECT receivable_account_id FROM target)), -used.amount, -used.base_given
        UNION ALL
        SELECT l.account_id, -l.amount, -l.base_amount FROM journal_lines l
        WHERE l.company_id = used.company_id AND l.entry_id = used.journal_entry_id AND l.amount <> 0
    )
    SELECT CASE
        WHEN (used.amount, used.base_taken) <> (SELECT coalesce(sum(amount), 0), coalesce(sum(base_amount), 0) FROM parts)
            THEN 'it is not the sum of its parts'
        WHEN EXISTS (SELECT FROM parts WHERE NOT is_of_customer OR account_id IS NULL)
            THEN 'it takes what is no credit of the customer''s in the currency'
        WHEN EXISTS (
                SELECT FROM credit_notes n
                WHERE n.company_id = used.company_id AND n.id IN (SELECT credit_note_id FROM parts) AND (
                    SELECT sum(p.amount) > -n.amount OR sum(p.base_amount) > -n.base_amount FROM credit_use_parts p
                    WHERE p.company_id = used.company_id AND p.credit_note_id = n.id))
            THEN 'more of a credit note is used than there is'
        WHEN used.invoice_id IS NOT NULL AND NOT EXISTS (SELECT FROM target WHERE receivable_account_id IS NOT NULL)
            THEN 'its invoice is not the customer''s in the currency'
        WHEN used.journal_entry_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.company_id = used.company_id AND e.id = used.journal_entry_id
                AND e.source_type = 'credit_use' AND e.source_id = used.id AND e.customer_id = used.customer_id
                AND e.currency = used.currency AND e.entry_date = used.used_on AND e.original_amount = used.amount
                AND e.exchange_rate = round(used.exchange_rate, 12))
            THEN 'its entry is not of it'
        WHEN EXISTS (
                SELECT FROM moved GROUP BY account_id HAVING sum(amount) <> 0 OR sum(base_amount) <> 0)
            THEN 'it is not booked as it says'
    END
$$;

-- At COMMIT, when use, parts, entry and invoice are all there. LB449.
CREATE FUNCTION check_credit_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    used credit_uses%ROWTYPE;
    fault text;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF TG_ARGV[0] = 'credit_uses' THEN
        used := NEW;
    ELSE
        SELECT u.* INTO used FROM credit_uses u WHERE u.company_id = NEW.company_id AND u.id = NEW.use_id;
    END IF;
    -- Held, so that of two that use the same credit the second sees the first.
    PERFORM FROM customers c WHERE c.company_id = used.company_id AND c.id = used.customer_id FOR NO KEY UPDATE;
    PERFORM FROM invoices i WHERE i.company_id = used.company_id AND (i.id = used.invoice_id OR i.id IN (
        SELECT p.source_invoice_id FROM credit_use_parts p WHERE p.company_id = used.company_id AND p.use_id = used.id))
    ORDER BY i.id FOR NO KEY UPDATE;
    fault := fault_in_credit_use(used);
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'use % of credit: %', used.id, fault USING ERRCODE = 'LB449';
    END IF;
    PERFORM check_booked_invoice(used.company_id, i.id) FROM invoices i
    WHERE i.company_id = used.company_id AND (i.id = used.invoice_id OR i.id IN (
        SELECT p.source_invoice_id FROM credit_use_parts p WHERE p.company_id = used.company_id AND p.use_id = used.id));
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_credit_use AFTER INSERT ON credit_uses
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_credit_use('credit_uses');
CREATE CONSTRAINT TRIGGER check_credit_use_parts AFTER INSERT ON credit_use_parts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_credit_use('credit_use_parts');

REVOKE EXECUTE ON FUNCTION keep_used_credit(), fault_in_credit_use(credit_uses), check_credit_use() FROM PUBLIC;
