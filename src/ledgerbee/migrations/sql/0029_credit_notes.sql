-- Credit notes: what is taken back of an invoice, or given without one. Their amounts are negative.

ALTER TABLE invoices
    ADD COLUMN credited_amount numeric(19, 4) NOT NULL DEFAULT 0,
    ADD CONSTRAINT invoices_credited CHECK (credited_amount >= 0 AND credited_amount <= greatest(amount, 0)
        AND (status <> 'draft' OR credited_amount = 0));

SELECT forget_values('invoices');

CREATE TABLE credit_notes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'scheduled', 'sending', 'sent', 'cancelled')),
    -- Taken when the note is made: it has it from then on, also when it is cancelled.
    number text NOT NULL,
    number_sequence bigint NOT NULL,
    customer_id uuid NOT NULL,
    customer_department_id uuid,
    customer_contact_id uuid,
    issue_date date NOT NULL,
    currency text NOT NULL,
    reference text,
    our_reference text,
    description text,
    notes text,
    document_template_id uuid,
    subtotal numeric(19, 4) NOT NULL,
    vat numeric(19, 4) NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount <= 0),
    -- The invoice that is credited, and its number as the note names it.
    invoice_id uuid,
    invoice_number text,
    -- What was booked: on which receivable account, how much in the base currency, by which entry.
    receivable_account_id uuid,
    exchange_rate numeric CHECK (exchange_rate > 0),
    base_amount numeric(19, 4) CHECK (base_amount <= 0),
    journal_entry_id uuid,
    sent_at timestamptz,
    number_key text COLLATE "C" GENERATED ALWAYS AS (lower(number)) STORED,
    description_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(description, 200))) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT credit_notes_number UNIQUE (company_id, number),
    CONSTRAINT credit_notes_sequence UNIQUE (company_id, number_sequence),
    CONSTRAINT credit_notes_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT credit_notes_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT credit_notes_department FOREIGN KEY (company_id, customer_department_id)
        REFERENCES departments (company_id, id),
    CONSTRAINT credit_notes_contact FOREIGN KEY (company_id, customer_contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT credit_notes_template FOREIGN KEY (company_id, document_template_id)
        REFERENCES document_templates (company_id, id),
    CONSTRAINT credit_notes_receivable FOREIGN KEY (company_id, receivable_account_id)
        REFERENCES accounts (company_id, id),
    CONSTRAINT credit_notes_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (amount = subtotal + vat),
    CHECK (num_nonnulls(invoice_id, invoice_number) <> 1),
    CONSTRAINT credit_notes_booked_or_not CHECK (
        CASE WHEN status IN ('draft', 'cancelled')
            THEN num_nonnulls(receivable_account_id, exchange_rate, base_amount, journal_entry_id, sent_at) = 0
            ELSE num_nulls(receivable_account_id, exchange_rate, base_amount, journal_entry_id) = 0
        END)
);
-- They carry what lists filter by, as those of invoices do.
CREATE INDEX credit_notes_created ON credit_notes (company_id, created_at, id) INCLUDE (status, customer_id);
CREATE INDEX credit_notes_by_date ON credit_notes (company_id, issue_date, id) INCLUDE (status, customer_id);
CREATE INDEX credit_notes_by_number ON credit_notes (company_id, number_sequence, id) INCLUDE (status, customer_id);
CREATE INDEX credit_notes_by_amount ON credit_notes (company_id, amount, id) INCLUDE (status, customer_id);
CREATE INDEX credit_notes_by_customer ON credit_notes (company_id, customer_id, created_at, id) INCLUDE (status);
CREATE INDEX credit_notes_by_status ON credit_notes (company_id, status, created_at, id);
CREATE INDEX credit_notes_of_invoice ON credit_notes (company_id, invoice_id, created_at, id)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX credit_notes_number_key ON credit_notes (company_id, number_key);
CREATE INDEX credit_notes_description_key ON credit_notes (company_id, description_key)
    WHERE description_key IS NOT NULL;
SELECT protect_table('credit_notes', 'SELECT, INSERT, UPDATE');

CREATE TABLE credit_note_lines (
    company_id uuid NOT NULL,
    credit_note_id uuid NOT NULL,
    position int NOT NULL,
    id uuid NOT NULL,
    line_type text NOT NULL CHECK (line_type IN ('product', 'text', 'separator')),
    description text,
    price_id uuid,
    product_id uuid,
    unit text,
    quantity numeric(16, 6),
    unit_price numeric(26, 12),
    unit_price_given boolean NOT NULL,
    discount_percent numeric(7, 4) CHECK (discount_percent BETWEEN 0 AND 100),
    discount_given boolean NOT NULL,
    net numeric(19, 4),
    vat numeric(19, 4),
    vat_rate numeric(7, 4) CHECK (vat_rate BETWEEN 0 AND 100),
    account_id uuid,
    vat_code_id uuid,
    -- The line of the invoice that it takes back.
    invoice_line_id uuid,
    PRIMARY KEY (company_id, credit_note_id, position),
    FOREIGN KEY (company_id, credit_note_id) REFERENCES credit_notes (company_id, id),
    CONSTRAINT credit_note_lines_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id),
    CONSTRAINT credit_note_lines_product FOREIGN KEY (company_id, product_id) REFERENCES products (company_id, id),
    CONSTRAINT credit_note_lines_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT credit_note_lines_vat_code FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id),
    CHECK (num_nonnulls(price_id, product_id, quantity, unit_price, discount_percent, net, vat, vat_rate, account_id)
        = CASE WHEN line_type = 'product' THEN 9 ELSE 0 END),
    CHECK (line_type = 'product' OR invoice_line_id IS NULL)
);
CREATE INDEX credit_note_lines_price ON credit_note_lines (company_id, price_id) WHERE price_id IS NOT NULL;
CREATE INDEX credit_note_lines_product ON credit_note_lines (company_id, product_id) WHERE product_id IS NOT NULL;
SELECT protect_table('credit_note_lines', 'SELECT, INSERT');

-- As in 0024: numbers are numbers.
ALTER TABLE invoices DROP CONSTRAINT invoices_finite;
DO $$
DECLARE
    target text;
    finite text;
BEGIN
    FOREACH target IN ARRAY ARRAY['invoices', 'credit_notes', 'credit_note_lines'] LOOP
        SELECT string_agg(format('%I < ''Infinity'' AND %I > ''-Infinity''', a.attname, a.attname), ' AND '
                          ORDER BY a.attnum) INTO finite
        FROM pg_attribute a
        WHERE a.attrelid = target::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'numeric'::regtype;
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s) NOT VALID', target, target || '_finite', finite);
    END LOOP;
END
$$;

-- What is created stays: a note changes when it is booked or cancelled, and then only its delivery moves on.
CREATE FUNCTION keep_credit_note() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept credit_notes%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status <> 'cancelled'
            AND (OLD.status = 'draft' OR NEW.status NOT IN ('draft', 'cancelled')) THEN
        kept.status := NEW.status;
        kept.sent_at := NEW.sent_at;
        kept.updated_at := NEW.updated_at;
        IF OLD.status = 'draft' THEN
            kept.document_template_id := NEW.document_template_id;
            kept.receivable_account_id := NEW.receivable_account_id;
            kept.exchange_rate := NEW.exchange_rate;
            kept.base_amount := NEW.base_amount;
            kept.journal_entry_id := NEW.journal_entry_id;
        END IF;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'credit note % is numbered and cannot be changed', OLD.number USING ERRCODE = 'LB430';
END
$$;
CREATE TRIGGER keep_credit_note AFTER UPDATE OR DELETE ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION keep_credit_note();

-- Lines come with their note, before it is booked or cancelled. (What they add up to is checked with the note.)
CREATE FUNCTION keep_credit_note_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM added n) c;
    IF EXISTS (SELECT FROM added a JOIN credit_notes n ON n.company_id = a.company_id AND n.id = a.credit_note_id
               WHERE n.status <> 'draft') THEN
        RAISE EXCEPTION 'the lines of a credit note cannot be changed' USING ERRCODE = 'LB430';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_credit_note_lines AFTER INSERT ON credit_note_lines
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_credit_note_lines();

-- The sources of entries, as in 0024.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type
    CHECK (source_type IN ('draft', 'import', 'invoice', 'payment', 'credit_note')) NOT VALID;

-- As in 0028, with the series of credit notes, which take their number when they are made.
CREATE OR REPLACE FUNCTION refuse_unused_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    last_before bigint := CASE TG_OP WHEN 'UPDATE' THEN OLD.last_number ELSE 0 END;
    used bigint;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    used := CASE NEW.name
        WHEN 'quote' THEN (
            SELECT count(*) FROM quotes d WHERE d.company_id = NEW.company_id
            AND d.number_sequence > last_before AND d.number_sequence <= NEW.last_number)
        WHEN 'order_confirmation' THEN (
            SELECT count(*) FROM order_confirmations d WHERE d.company_id = NEW.company_id
            AND d.number_sequence > last_before AND d.number_sequence <= NEW.last_number)
        WHEN 'invoice' THEN (
            SELECT count(*) FROM invoices d WHERE d.company_id = NEW.company_id
            AND d.number_sequence > last_before AND d.number_sequence <= NEW.last_number)
        WHEN 'credit_note' THEN (
            SELECT count(*) FROM credit_notes d WHERE d.company_id = NEW.company_id
            AND d.number_sequence > last_before AND d.number_sequence <= NEW.last_number)
        END;
    IF NEW.last_number - last_before IS DISTINCT FROM used THEN
        RAISE EXCEPTION 'a number up to % of the series % is no document''s', NEW.last_number, NEW.name
            USING ERRCODE = 'LB425';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;

-- As in 0028, with the lines of credit notes.
CREATE OR REPLACE FUNCTION price_is_used(company uuid, price uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM invoice_lines l WHERE l.company_id = company AND l.price_id = price)
        OR EXISTS (SELECT FROM quote_lines l WHERE l.company_id = company AND l.price_id = price)
        OR EXISTS (SELECT FROM order_confirmation_lines l WHERE l.company_id = company AND l.price_id = price)
        OR EXISTS (SELECT FROM credit_note_lines l WHERE l.company_id = company AND l.price_id = price);
END
$$;

-- As in 0006: what is credited moves on too.
CREATE OR REPLACE FUNCTION keep_booked_invoice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept invoices%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' THEN
        kept.status := NEW.status;
        kept.amount_paid := NEW.amount_paid;
        kept.credited_amount := NEW.credited_amount;
        kept.sent_at := NEW.sent_at;
        kept.updated_at := NEW.updated_at;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'invoice % is booked and cannot be changed', OLD.number USING ERRCODE = 'LB430';
END
$$;

-- As in 0024, with credit notes: what an invoice says of its entry, its number, its payments and credit notes is so, and its
-- status follows from them. LB426.
CREATE OR REPLACE FUNCTION check_booked_invoice(company uuid, invoice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked invoices%ROWTYPE;
    fault text;
BEGIN
    SELECT i.* INTO booked FROM invoices i WHERE i.company_id = company AND i.id = invoice;
    IF NOT FOUND OR booked.status = 'draft' THEN
        RETURN;
    END IF;
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
        WHEN NOT CASE
                WHEN booked.credited_amount > 0 AND booked.credited_amount = booked.amount THEN booked.status = 'credited'
                WHEN booked.amount_paid + booked.credited_amount >= booked.amount THEN booked.status = 'paid'
                WHEN booked.amount_paid > 0 THEN booked.status = 'partially_paid'
                ELSE booked.status IN ('scheduled', 'sending', 'sent') END
            THEN format('it is not %s', booked.status)
        END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'invoice %: %', booked.number, fault USING ERRCODE = 'LB426';
    END IF;
END
$$;

-- What is wrong with what credit notes (but for those cancelled) take of an invoice; null: nothing. Never more than there is,
-- of each line, of the VAT at each rate, and in all.
CREATE FUNCTION fault_in_credit(company uuid, invoice uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH taken AS (
        SELECT l.invoice_line_id AS id, -sum(l.net) AS net
        FROM credit_notes n JOIN credit_note_lines l ON l.company_id = n.company_id AND l.credit_note_id = n.id
        WHERE n.company_id = company AND n.invoice_id = invoice AND n.status <> 'cancelled' AND l.line_type = 'product'
        GROUP BY 1
    ), rates AS (
        SELECT l.vat_rate, -sum(l.vat) AS vat
        FROM credit_notes n JOIN credit_note_lines l ON l.company_id = n.company_id AND l.credit_note_id = n.id
        WHERE n.company_id = company AND n.invoice_id = invoice AND n.status <> 'cancelled' AND l.line_type = 'product'
        GROUP BY 1
    ), charged AS (
        SELECT l.vat_rate, sum(l.vat) AS vat FROM invoice_lines l
        WHERE l.company_id = company AND l.invoice_id = invoice AND l.line_type = 'product' GROUP BY 1
    )
    SELECT CASE
        WHEN EXISTS (
                SELECT FROM taken t LEFT JOIN invoice_lines l
                    ON l.company_id = company AND l.invoice_id = invoice AND l.id = t.id AND l.line_type = 'product'
                WHERE (t.net BETWEEN least(l.net, 0) AND greatest(l.net, 0)) IS NOT TRUE)
            THEN 'more of a line is credited than there is'
        WHEN EXISTS (
                SELECT FROM rates r LEFT JOIN charged c ON c.vat_rate = r.vat_rate
                WHERE (r.vat BETWEEN least(c.vat, 0) AND greatest(c.vat, 0)) IS NOT TRUE)
            THEN 'more VAT is credited at a rate than there is'
        WHEN (SELECT -sum(n.amount) FROM credit_notes n
              WHERE n.company_id = company AND n.invoice_id = invoice AND n.status <> 'cancelled')
                > (SELECT i.amount FROM invoices i WHERE i.company_id = company AND i.id = invoice)
            THEN 'more is credited than there is'
    END
$$;

-- At COMMIT, when note, lines, entry and invoice are all there: what a credit note says of its number, its lines, its invoice
-- and its entry is so. LB439.
CREATE FUNCTION check_credit_note() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    note credit_notes%ROWTYPE;
    credited invoices%ROWTYPE;
    fault text;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    -- As it is now: what is noted here may be changed again by the same transaction.
    SELECT n.* INTO note FROM credit_notes n WHERE n.company_id = NEW.company_id AND n.id = NEW.id;
    IF note.invoice_id IS NOT NULL THEN
        -- Held, so that of two that take the same rest the second sees the first.
        SELECT i.* INTO credited FROM invoices i
        WHERE i.company_id = note.company_id AND i.id = note.invoice_id FOR NO KEY UPDATE;
    END IF;
    fault := CASE
        WHEN right(note.number, length(note.number_sequence::text)) <> note.number_sequence::text OR NOT EXISTS (
                SELECT FROM number_series s WHERE s.company_id = note.company_id AND s.name = 'credit_note'
                AND s.last_number >= note.number_sequence)
            THEN 'its number was not taken from the series'
        WHEN (note.subtotal, note.vat) <> (
                SELECT coalesce(sum(l.net), 0), coalesce(sum(l.vat), 0) FROM credit_note_lines l
                WHERE l.company_id = note.company_id AND l.credit_note_id = note.id)
            THEN 'it is not the sum of its lines'
        WHEN EXISTS (
                SELECT FROM credit_note_lines l WHERE l.company_id = note.company_id AND l.credit_note_id = note.id
                AND l.line_type = 'product' AND (l.invoice_line_id IS NULL) <> (note.invoice_id IS NULL))
            THEN 'its lines are not of its invoice'
        WHEN note.invoice_id IS NOT NULL AND (
                credited.status = 'draft'
                OR (credited.number, credited.customer_id, credited.currency)
                    IS DISTINCT FROM (note.invoice_number, note.customer_id, note.currency)
                OR credited.issue_date > note.issue_date)
            THEN 'it is not of its invoice'
        WHEN note.invoice_id IS NOT NULL AND note.status <> 'cancelled' THEN
            fault_in_credit(note.company_id, note.invoice_id)
        END;
    IF fault IS NULL AND note.status IN ('scheduled', 'sending', 'sent') THEN
        fault := CASE
            WHEN NOT EXISTS (
                    SELECT FROM journal_entries e WHERE e.company_id = note.company_id AND e.id = note.journal_entry_id
                    AND e.source_type = 'credit_note' AND e.source_id = note.id AND e.customer_id = note.customer_id
                    AND e.currency = note.currency AND e.entry_date = note.issue_date
                    AND e.original_amount = note.amount AND e.exchange_rate = round(note.exchange_rate, 12)
                    AND (note.amount, note.base_amount) = (
                        SELECT sum(l.amount), sum(l.base_amount) FROM journal_lines l
                        WHERE l.company_id = e.company_id AND l.entry_id = e.id AND l.line_type = 'CONTROL'
                          AND l.account_id = note.receivable_account_id))
                THEN 'its entry is not of it'
            WHEN note.invoice_id IS NOT NULL AND (note.receivable_account_id, note.exchange_rate)
                    IS DISTINCT FROM (credited.receivable_account_id, credited.exchange_rate)
                THEN 'it is not booked as its invoice is'
            END;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'credit note %: %', note.number, fault USING ERRCODE = 'LB439';
    END IF;
    IF note.invoice_id IS NOT NULL THEN
        PERFORM check_booked_invoice(note.company_id, note.invoice_id);
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_credit_note AFTER INSERT OR UPDATE ON credit_notes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_credit_note();

REVOKE EXECUTE ON FUNCTION keep_credit_note(), keep_credit_note_lines(), fault_in_credit(uuid, uuid), check_credit_note()
    FROM PUBLIC;
