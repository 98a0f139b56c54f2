-- Before the sale: quotes and order confirmations. They are numbered, and kept as they were sent; the ledger knows nothing of
-- them.

CREATE TABLE quotes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'sent', 'accepted', 'rejected')),
    -- The number as written and its place in the series, by which numbers sort.
    number text,
    number_sequence bigint,
    customer_id uuid NOT NULL,
    customer_department_id uuid,
    customer_contact_id uuid,
    issue_date date NOT NULL,
    valid_until date,
    currency text NOT NULL,
    reference text,
    our_reference text,
    description text,
    notes text,
    document_template_id uuid,
    subtotal numeric(19, 4) NOT NULL,
    vat numeric(19, 4) NOT NULL,
    amount numeric(19, 4) NOT NULL,
    sent_at timestamptz,
    -- When the buyer accepted or rejected it, and who said so, where that is known.
    answered_at timestamptz,
    answered_by text,
    converted_to_order_confirmation_id uuid,
    converted_to_invoice_id uuid,
    -- What lists show and filter by, but for `expired`, which follows from the day.
    list_status text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN num_nonnulls(converted_to_order_confirmation_id, converted_to_invoice_id) > 0 THEN 'converted'
            ELSE status END) STORED,
    number_key text COLLATE "C" GENERATED ALWAYS AS (lower(number)) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT quotes_number UNIQUE (company_id, number),
    CONSTRAINT quotes_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT quotes_department FOREIGN KEY (company_id, customer_department_id)
        REFERENCES departments (company_id, id),
    CONSTRAINT quotes_contact FOREIGN KEY (company_id, customer_contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT quotes_template FOREIGN KEY (company_id, document_template_id)
        REFERENCES document_templates (company_id, id),
    CHECK (valid_until >= issue_date),
    CHECK (amount = subtotal + vat),
    CONSTRAINT quotes_sent_or_draft CHECK (
        CASE WHEN status = 'draft' THEN num_nonnulls(number, number_sequence, sent_at) = 0
            ELSE num_nulls(number, number_sequence, sent_at) = 0 END),
    CONSTRAINT quotes_answered CHECK (
        (status IN ('accepted', 'rejected')) = (answered_at IS NOT NULL)
        AND (answered_by IS NULL OR answered_at IS NOT NULL)),
    CONSTRAINT quotes_converted_once CHECK (
        num_nonnulls(converted_to_order_confirmation_id, converted_to_invoice_id)
            <= CASE WHEN status IN ('sent', 'accepted') THEN 1 ELSE 0 END)
);
-- They carry what lists filter by, so that the pages that are skipped are never fetched from the table.
CREATE INDEX quotes_by_date ON quotes (company_id, issue_date, id) INCLUDE (list_status, valid_until, customer_id);
CREATE INDEX quotes_by_number ON quotes (company_id, number_sequence, id)
    INCLUDE (list_status, valid_until, customer_id);
CREATE INDEX quotes_by_amount ON quotes (company_id, amount, id) INCLUDE (list_status, valid_until, customer_id);
CREATE INDEX quotes_by_valid_until ON quotes (company_id, valid_until, id) INCLUDE (list_status, customer_id);
CREATE INDEX quotes_by_list_status ON quotes (company_id, list_status, id) INCLUDE (valid_until, customer_id);
CREATE INDEX quotes_by_status ON quotes (company_id, list_status, issue_date, id) INCLUDE (valid_until, customer_id);
CREATE INDEX quotes_by_customer ON quotes (company_id, customer_id, issue_date, id) INCLUDE (list_status, valid_until);
CREATE INDEX quotes_number_key ON quotes (company_id, number_key);
SELECT protect_table('quotes', 'SELECT, INSERT, UPDATE');

CREATE TABLE order_confirmations (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'sent')),
    number text,
    number_sequence bigint,
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
    amount numeric(19, 4) NOT NULL,
    sent_at timestamptz,
    converted_from_quote_id uuid,
    converted_to_invoice_id uuid,
    list_status text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN converted_to_invoice_id IS NOT NULL THEN 'converted' ELSE status END) STORED,
    number_key text COLLATE "C" GENERATED ALWAYS AS (lower(number)) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT order_confirmations_number UNIQUE (company_id, number),
    CONSTRAINT order_confirmations_from_quote UNIQUE (company_id, converted_from_quote_id),
    CONSTRAINT order_confirmations_customer FOREIGN KEY (company_id, customer_id)
        REFERENCES customers (company_id, id),
    CONSTRAINT order_confirmations_department FOREIGN KEY (company_id, customer_department_id)
        REFERENCES departments (company_id, id),
    CONSTRAINT order_confirmations_contact FOREIGN KEY (company_id, customer_contact_id)
        REFERENCES contacts (company_id, id),
    CONSTRAINT order_confirmations_template FOREIGN KEY (company_id, document_template_id)
        REFERENCES document_templates (company_id, id),
    CONSTRAINT order_confirmations_quote FOREIGN KEY (company_id, converted_from_quote_id)
        REFERENCES quotes (company_id, id),
    CHECK (amount = subtotal + vat),
    CONSTRAINT order_confirmations_sent_or_draft CHECK (
        CASE WHEN status = 'draft' THEN num_nonnulls(number, number_sequence, sent_at, converted_to_invoice_id) = 0
            ELSE num_nulls(number, number_sequence, sent_at) = 0 END)
);
CREATE INDEX order_confirmations_by_date ON order_confirmations (company_id, issue_date, id)
    INCLUDE (list_status, customer_id);
CREATE INDEX order_confirmations_by_number ON order_confirmations (company_id, number_sequence, id)
    INCLUDE (list_status, customer_id);
CREATE INDEX order_confirmations_by_amount ON order_confirmations (company_id, amount, id)
    INCLUDE (list_status, customer_id);
CREATE INDEX order_confirmations_by_list_status ON order_confirmations (company_id, list_status, id)
    INCLUDE (customer_id);
CREATE INDEX order_confirmations_by_status ON order_confirmations (company_id, list_status, issue_date, id)
    INCLUDE (customer_id);
CREATE INDEX order_confirmations_by_customer ON order_confirmations (company_id, customer_id, issue_date, id)
    INCLUDE (list_status);
CREATE INDEX order_confirmations_number_key ON order_confirmations (company_id, number_key);
SELECT protect_table('order_confirmations', 'SELECT, INSERT, UPDATE');

CREATE TABLE quote_lines (
    company_id uuid NOT NULL,
    quote_id uuid NOT NULL,
    position int NOT NULL,
    id uuid NOT NULL,
    line_type text NOT NULL CHECK (line_type IN ('product', 'text', 'separator')),
    description text,
    price_id uuid,
    product_id uuid,
    unit text,
    quantity numeric(16, 6),
    unit_price numeric(26, 12),
    -- What the author gave, apart from what the price and the customer's group decided.
    unit_price_given boolean NOT NULL,
    discount_percent numeric(7, 4) CHECK (discount_percent BETWEEN 0 AND 100),
    discount_given boolean NOT NULL,
    net numeric(19, 4),
    vat numeric(19, 4),
    vat_rate numeric(7, 4) CHECK (vat_rate BETWEEN 0 AND 100),
    account_id uuid,
    vat_code_id uuid,
    PRIMARY KEY (company_id, quote_id, position),
    FOREIGN KEY (company_id, quote_id) REFERENCES quotes (company_id, id),
    CONSTRAINT quote_lines_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id),
    CONSTRAINT quote_lines_product FOREIGN KEY (company_id, product_id) REFERENCES products (company_id, id),
    CONSTRAINT quote_lines_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT quote_lines_vat_code FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id),
    CHECK (num_nonnulls(price_id, product_id, quantity, unit_price, discount_percent, net, vat, vat_rate)
        = CASE WHEN line_type = 'product' THEN 8 ELSE 0 END)
);
CREATE INDEX quote_lines_price ON quote_lines (company_id, price_id) WHERE price_id IS NOT NULL;
CREATE INDEX quote_lines_product ON quote_lines (company_id, product_id) WHERE product_id IS NOT NULL;
SELECT protect_table('quote_lines', 'SELECT, INSERT, DELETE');

CREATE TABLE order_confirmation_lines (
    company_id uuid NOT NULL,
    order_confirmation_id uuid NOT NULL,
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
    PRIMARY KEY (company_id, order_confirmation_id, position),
    FOREIGN KEY (company_id, order_confirmation_id) REFERENCES order_confirmations (company_id, id),
    CONSTRAINT order_confirmation_lines_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id),
    CONSTRAINT order_confirmation_lines_product FOREIGN KEY (company_id, product_id)
        REFERENCES products (company_id, id),
    CONSTRAINT order_confirmation_lines_account FOREIGN KEY (company_id, account_id)
        REFERENCES accounts (company_id, id),
    CONSTRAINT order_confirmation_lines_vat_code FOREIGN KEY (company_id, vat_code_id)
        REFERENCES vat_codes (company_id, id),
    CHECK (num_nonnulls(price_id, product_id, quantity, unit_price, discount_percent, net, vat, vat_rate)
        = CASE WHEN line_type = 'product' THEN 8 ELSE 0 END)
);
CREATE INDEX order_confirmation_lines_price ON order_confirmation_lines (company_id, price_id)
    WHERE price_id IS NOT NULL;
CREATE INDEX order_confirmation_lines_product ON order_confirmation_lines (company_id, product_id)
    WHERE product_id IS NOT NULL;
SELECT protect_table('order_confirmation_lines', 'SELECT, INSERT, DELETE');

-- What became of a document, and what it was made of: each names the other. What is named can't be deleted.
ALTER TABLE invoices
    ADD COLUMN converted_from_quote_id uuid,
    ADD COLUMN converted_from_order_confirmation_id uuid,
    ADD CONSTRAINT invoices_from_quote UNIQUE (company_id, converted_from_quote_id),
    ADD CONSTRAINT invoices_from_order_confirmation UNIQUE (company_id, converted_from_order_confirmation_id),
    ADD CONSTRAINT invoices_quote FOREIGN KEY (company_id, converted_from_quote_id) REFERENCES quotes (company_id, id),
    ADD CONSTRAINT invoices_order_confirmation FOREIGN KEY (company_id, converted_from_order_confirmation_id)
        REFERENCES order_confirmations (company_id, id),
    ADD CONSTRAINT invoices_one_source CHECK (
        num_nonnulls(converted_from_quote_id, converted_from_order_confirmation_id) <= 1);
SELECT forget_values('invoices');
ALTER TABLE quotes
    ADD CONSTRAINT quotes_converted_to_order_confirmation
        FOREIGN KEY (company_id, converted_to_order_confirmation_id) REFERENCES order_confirmations (company_id, id),
    ADD CONSTRAINT quotes_converted_to_invoice FOREIGN KEY (company_id, converted_to_invoice_id)
        REFERENCES invoices (company_id, id);
ALTER TABLE order_confirmations
    ADD CONSTRAINT order_confirmations_converted_to_invoice FOREIGN KEY (company_id, converted_to_invoice_id)
        REFERENCES invoices (company_id, id);
CREATE INDEX quotes_made_order_confirmation ON quotes (company_id, converted_to_order_confirmation_id)
    WHERE converted_to_order_confirmation_id IS NOT NULL;
CREATE INDEX quotes_made_invoice ON quotes (company_id, converted_to_invoice_id)
    WHERE converted_to_invoice_id IS NOT NULL;
CREATE INDEX order_confirmations_made_invoice ON order_confirmations (company_id, converted_to_invoice_id)
    WHERE converted_to_invoice_id IS NOT NULL;

-- Numbers are numbers, as in 0024.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass AS target, c.relname,
               string_agg(format('%I < ''Infinity'' AND %I > ''-Infinity''', a.attname, a.attname), ' AND '
                          ORDER BY a.attnum) AS finite
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'numeric'::regtype AND a.attgenerated = ''
          AND c.relname IN ('quotes', 'quote_lines', 'order_confirmations', 'order_confirmation_lines')
        GROUP BY 1, 2 ORDER BY 2
    LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)',
                       found.target, found.relname || '_finite', found.finite);
    END LOOP;
END
$$;

-- As in 0017, with the lines of quotes and order confirmations.
CREATE OR REPLACE FUNCTION price_is_used(company uuid, price uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM invoice_lines l WHERE l.company_id = company AND l.price_id = price)
        OR EXISTS (SELECT FROM quote_lines l WHERE l.company_id = company AND l.price_id = price)
        OR EXISTS (SELECT FROM order_confirmation_lines l WHERE l.company_id = company AND l.price_id = price);
END
$$;

-- As in 0025, with the series of quotes and order confirmations. LB425.
CREATE OR REPLACE FUNCTION refuse_unused_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    last_before bigint := CASE TG_OP WHEN 'UPDATE' THEN OLD.last_number ELSE 0 END;
    used bigint;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    CASE NEW.name
        WHEN 'invoice' THEN
            used := (SELECT count(*) FROM invoices i WHERE i.company_id = NEW.company_id
                     AND i.number_sequence > last_before AND i.number_sequence <= NEW.last_number);
        WHEN 'quote' THEN
            used := (SELECT count(*) FROM quotes q WHERE q.company_id = NEW.company_id
                     AND q.number_sequence > last_before AND q.number_sequence <= NEW.last_number);
        WHEN 'order_confirmation' THEN
            used := (SELECT count(*) FROM order_confirmations o WHERE o.company_id = NEW.company_id
                     AND o.number_sequence > last_before AND o.number_sequence <= NEW.last_number);
        ELSE
            used := 0;
    END CASE;
    IF NEW.last_number - last_before <> used THEN
        RAISE EXCEPTION 'a number up to % of the series % is no document''s', NEW.last_number, NEW.name
            USING ERRCODE = 'LB425';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;

-- The second belt: what was sent stays as it was. The buyer answers once, `valid_until` moves until then, and it is converted
-- once. LB436.
CREATE FUNCTION keep_sent_quote() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept quotes%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' THEN
        kept.updated_at := NEW.updated_at;
        IF OLD.list_status = 'sent' THEN
            kept.status := NEW.status;
            kept.valid_until := NEW.valid_until;
            kept.answered_at := NEW.answered_at;
            kept.answered_by := NEW.answered_by;
        END IF;
        IF OLD.list_status <> 'converted' THEN
            kept.converted_to_order_confirmation_id := NEW.converted_to_order_confirmation_id;
            kept.converted_to_invoice_id := NEW.converted_to_invoice_id;
            kept.list_status := NEW.list_status;
        END IF;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'quote % is sent and cannot be changed', OLD.number USING ERRCODE = 'LB436';
END
$$;
CREATE TRIGGER keep_sent_quote AFTER UPDATE OR DELETE ON quotes
    FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION keep_sent_quote();

CREATE FUNCTION keep_sent_order_confirmation() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept order_confirmations%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        kept.updated_at := NEW.updated_at;
        IF OLD.list_status <> 'converted' THEN
            kept.converted_to_invoice_id := NEW.converted_to_invoice_id;
            kept.list_status := NEW.list_status;
        END IF;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'order confirmation % is sent and cannot be changed', OLD.number USING ERRCODE = 'LB436';
END
$$;
CREATE TRIGGER keep_sent_order_confirmation AFTER UPDATE OR DELETE ON order_confirmations
    FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION keep_sent_order_confirmation();

CREATE FUNCTION keep_sent_quote_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM changed n) c;
    IF EXISTS (SELECT FROM changed c JOIN quotes q ON q.company_id = c.company_id AND q.id = c.quote_id
               WHERE q.status <> 'draft') THEN
        RAISE EXCEPTION 'the lines of a sent quote cannot be changed' USING ERRCODE = 'LB436';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_sent_quote_lines_inserted AFTER INSERT ON quote_lines
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_sent_quote_lines();
CREATE TRIGGER keep_sent_quote_lines_deleted AFTER DELETE ON quote_lines
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_sent_quote_lines();

CREATE FUNCTION keep_sent_order_confirmation_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM changed n) c;
    IF EXISTS (SELECT FROM changed c JOIN order_confirmations o
                   ON o.company_id = c.company_id AND o.id = c.order_confirmation_id
               WHERE o.status <> 'draft') THEN
        RAISE EXCEPTION 'the lines of a sent order confirmation cannot be changed' USING ERRCODE = 'LB436';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_sent_order_confirmation_lines_inserted AFTER INSERT ON order_confirmation_lines
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_sent_order_confirmation_lines();
CREATE TRIGGER keep_sent_order_confirmation_lines_deleted AFTER DELETE ON order_confirmation_lines
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_sent_order_confirmation_lines();

-- At COMMIT: a sent document has a number that was taken from its series (the second argument, which is the kind too), and what it
-- said is kept. LB437.
CREATE FUNCTION check_sent_document() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF right(NEW.number, length(NEW.number_sequence::text)) <> NEW.number_sequence::text
            OR NOT EXISTS (
                SELECT FROM number_series s WHERE s.company_id = NEW.company_id AND s.name = TG_ARGV[1]
                AND s.last_number >= NEW.number_sequence)
            OR NOT EXISTS (
                SELECT FROM document_snapshots d WHERE d.company_id = NEW.company_id AND d.document_id = NEW.id
                AND d.document_type = TG_ARGV[1]) THEN
        RAISE EXCEPTION '% %: it was not sent', TG_ARGV[1], NEW.number USING ERRCODE = 'LB437';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_sent_quote AFTER INSERT OR UPDATE OF status, number, number_sequence ON quotes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status <> 'draft')
    EXECUTE FUNCTION check_sent_document('quotes', 'quote');
CREATE CONSTRAINT TRIGGER check_sent_order_confirmation
    AFTER INSERT OR UPDATE OF status, number, number_sequence ON order_confirmations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status <> 'draft')
    EXECUTE FUNCTION check_sent_document('order_confirmations', 'order_confirmation');

-- At COMMIT: of a conversion each side names the other. The argument is the table. LB438.
CREATE FUNCTION check_conversion() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    is_mutual boolean;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    CASE TG_ARGV[0]
        WHEN 'quotes' THEN
            is_mutual := NEW.id = coalesce(
                (SELECT o.converted_from_quote_id FROM order_confirmations o
                 WHERE o.company_id = NEW.company_id AND o.id = NEW.converted_to_order_confirmation_id),
                (SELECT i.converted_from_quote_id FROM invoices i
                 WHERE i.company_id = NEW.company_id AND i.id = NEW.converted_to_invoice_id));
        WHEN 'order_confirmations' THEN
            is_mutual := (NEW.converted_to_invoice_id IS NULL OR EXISTS (
                    SELECT FROM invoices i WHERE i.company_id = NEW.company_id AND i.id = NEW.converted_to_invoice_id
                    AND i.converted_from_order_confirmation_id = NEW.id))
                AND (NEW.converted_from_quote_id IS NULL OR EXISTS (
                    SELECT FROM quotes q WHERE q.company_id = NEW.company_id AND q.id = NEW.converted_from_quote_id
                    AND q.converted_to_order_confirmation_id = NEW.id));
        ELSE
            is_mutual := NEW.id = coalesce(
                (SELECT q.converted_to_invoice_id FROM quotes q
                 WHERE q.company_id = NEW.company_id AND q.id = NEW.converted_from_quote_id),
                (SELECT o.converted_to_invoice_id FROM order_confirmations o
                 WHERE o.company_id = NEW.company_id AND o.id = NEW.converted_from_order_confirmation_id));
    END CASE;
    IF is_mutual IS NOT TRUE THEN
        RAISE EXCEPTION 'of a conversion each document names the other' USING ERRCODE = 'LB438';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_conversion
    AFTER INSERT OR UPDATE OF converted_to_order_confirmation_id, converted_to_invoice_id ON quotes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.converted_to_order_confirmation_id IS NOT NULL OR NEW.converted_to_invoice_id IS NOT NULL)
    EXECUTE FUNCTION check_conversion('quotes');
CREATE CONSTRAINT TRIGGER check_conversion
    AFTER INSERT OR UPDATE OF converted_from_quote_id, converted_to_invoice_id ON order_confirmations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.converted_from_quote_id IS NOT NULL OR NEW.converted_to_invoice_id IS NOT NULL)
    EXECUTE FUNCTION check_conversion('order_confirmations');
CREATE CONSTRAINT TRIGGER check_conversion AFTER INSERT ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.converted_from_quote_id IS NOT NULL OR NEW.converted_from_order_confirmation_id IS NOT NULL)
    EXECUTE FUNCTION check_conversion('invoices');

-- What a document was made of stays, also while it is a draft. LB438.
CREATE FUNCTION keep_origin() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what a document was made of stays' USING ERRCODE = 'LB438';
END
$$;
CREATE TRIGGER keep_origin BEFORE UPDATE ON invoices FOR EACH ROW
    WHEN ((OLD.converted_from_quote_id, OLD.converted_from_order_confirmation_id)
          IS DISTINCT FROM (NEW.converted_from_quote_id, NEW.converted_from_order_confirmation_id))
    EXECUTE FUNCTION keep_origin();
CREATE TRIGGER keep_origin BEFORE UPDATE ON order_confirmations FOR EACH ROW
    WHEN (OLD.converted_from_quote_id IS DISTINCT FROM NEW.converted_from_quote_id)
    EXECUTE FUNCTION keep_origin();

REVOKE EXECUTE ON FUNCTION keep_sent_quote(), keep_sent_order_confirmation(), keep_sent_quote_lines(),
    keep_sent_order_confirmation_lines(), check_sent_document(), check_conversion(), keep_origin() FROM PUBLIC;
