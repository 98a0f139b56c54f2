-- Selling: document templates, invoices and their lines, delivery.

CREATE TABLE document_templates (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    document_type text NOT NULL CHECK (document_type IN
        ('invoice-template', 'credit-note-template', 'quote-template', 'order-confirmation-template')),
    language text NOT NULL CHECK (language IN ('da', 'en')),
    is_default boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
CREATE UNIQUE INDEX document_templates_one_default ON document_templates (company_id, document_type)
    WHERE is_default;
SELECT protect_table('document_templates', 'SELECT, INSERT, UPDATE');
ALTER TABLE customers ADD CONSTRAINT customers_document_template
    FOREIGN KEY (company_id, document_template_id) REFERENCES document_templates (company_id, id);

CREATE TABLE invoices (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'scheduled', 'sending', 'sent', 'paid', 'partially_paid',
        'cancelled', 'uncollectible', 'credited')),
    -- The number as written and its place in the series, by which numbers sort.
    number text,
    number_sequence bigint,
    customer_id uuid NOT NULL,
    customer_department_id uuid,
    customer_contact_id uuid,
    issue_date date NOT NULL,
    due_date date NOT NULL,
    payment_terms_days int NOT NULL CHECK (payment_terms_days BETWEEN 0 AND 3650),
    currency text NOT NULL,
    reference text,
    our_reference text,
    description text,
    notes text,
    document_template_id uuid,
    subtotal numeric(19, 4) NOT NULL,
    vat numeric(19, 4) NOT NULL,
    amount numeric(19, 4) NOT NULL,
    amount_paid numeric(19, 4) NOT NULL DEFAULT 0 CHECK (amount_paid >= 0),
    -- What was booked: on which receivable account, how much in the base currency, by which entry.
    receivable_account_id uuid,
    exchange_rate numeric CHECK (exchange_rate > 0),
    base_amount numeric(19, 4),
    journal_entry_id uuid,
    sent_at timestamptz,
    -- What lists are searched by; columns of their own, because row-level security keeps an index on lower(number)
    -- from being searched. Free text is cut: it can be longer than an index entry may be, or any search term.
    number_key text COLLATE "C" GENERATED ALWAYS AS (lower(number)) STORED,
    description_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(description, 200))) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT invoices_number UNIQUE (company_id, number),
    CONSTRAINT invoices_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT invoices_department FOREIGN KEY (company_id, customer_department_id)
        REFERENCES departments (company_id, id),
    CONSTRAINT invoices_contact FOREIGN KEY (company_id, customer_contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT invoices_template FOREIGN KEY (company_id, document_template_id)
        REFERENCES document_templates (company_id, id),
    CONSTRAINT invoices_receivable FOREIGN KEY (company_id, receivable_account_id)
        REFERENCES accounts (company_id, id),
    -- The entry is posted last: at COMMIT it is there.
    CONSTRAINT invoices_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (due_date >= issue_date),
    CHECK (amount = subtotal + vat),
    CONSTRAINT invoices_never_overpaid CHECK (amount_paid = 0 OR amount_paid <= amount),
    -- A number and an entry: a booked invoice has both, a draft neither.
    CONSTRAINT invoices_booked_or_draft CHECK (
        CASE WHEN status = 'draft'
            THEN num_nonnulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                              journal_entry_id) = 0 AND amount_paid = 0
            ELSE num_nulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                           journal_entry_id) = 0
        END)
);
-- They carry what lists filter by, so that the pages that are skipped are never fetched from the table.
CREATE INDEX invoices_created ON invoices (company_id, created_at, id) INCLUDE (status, customer_id);
CREATE INDEX invoices_by_date ON invoices (company_id, issue_date, id) INCLUDE (status, customer_id);
CREATE INDEX invoices_by_number ON invoices (company_id, number_sequence, id) INCLUDE (status, customer_id);
CREATE INDEX invoices_by_amount ON invoices (company_id, amount, id) INCLUDE (status, customer_id);
CREATE INDEX invoices_by_customer ON invoices (company_id, customer_id, created_at, id) INCLUDE (status);
CREATE INDEX invoices_by_status ON invoices (company_id, status, created_at, id);
CREATE INDEX invoices_number_key ON invoices (company_id, number_key);
CREATE INDEX invoices_description_key ON invoices (company_id, description_key) WHERE description_key IS NOT NULL;
SELECT protect_table('invoices', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE invoice_lines (
    company_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
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
    PRIMARY KEY (company_id, invoice_id, position),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT invoice_lines_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id),
    CONSTRAINT invoice_lines_product FOREIGN KEY (company_id, product_id) REFERENCES products (company_id, id),
    CHECK (num_nonnulls(price_id, product_id, quantity, unit_price, discount_percent, net, vat, vat_rate)
        = CASE WHEN line_type = 'product' THEN 8 ELSE 0 END)
);
CREATE INDEX invoice_lines_price ON invoice_lines (company_id, price_id) WHERE price_id IS NOT NULL;
CREATE INDEX invoice_lines_product ON invoice_lines (company_id, product_id) WHERE product_id IS NOT NULL;
SELECT protect_table('invoice_lines', 'SELECT, INSERT, DELETE');

-- A document as it was when it was booked or sent: everything its PDF says. Written once.
CREATE TABLE document_snapshots (
    company_id uuid NOT NULL,
    document_id uuid NOT NULL,
    document_type text NOT NULL CHECK (document_type IN ('invoice', 'credit_note', 'quote', 'order_confirmation')),
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, document_id)
);
SELECT protect_table('document_snapshots', 'SELECT, INSERT');

-- The second belt: what was booked stays as it was. Only the state of delivery and payment moves on.
CREATE FUNCTION keep_booked_invoice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept invoices%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' THEN
        kept.status := NEW.status;
        kept.amount_paid := NEW.amount_paid;
        kept.sent_at := NEW.sent_at;
        kept.updated_at := NEW.updated_at;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'invoice % is booked and cannot be changed', OLD.number USING ERRCODE = 'LB430';
END
$$;
-- After the row is written, so that NEW is what really stands there.
CREATE TRIGGER keep_booked_invoice AFTER UPDATE OR DELETE ON invoices
    FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION keep_booked_invoice();

CREATE FUNCTION keep_booked_invoice_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed c JOIN invoices i ON i.company_id = c.company_id AND i.id = c.invoice_id
               WHERE i.status <> 'draft') THEN
        RAISE EXCEPTION 'the lines of a booked invoice cannot be changed' USING ERRCODE = 'LB430';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_booked_invoice_lines_inserted AFTER INSERT ON invoice_lines
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_booked_invoice_lines();
CREATE TRIGGER keep_booked_invoice_lines_deleted AFTER DELETE ON invoice_lines
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_booked_invoice_lines();

-- One row for each time a document is handed over, of whatever kind it is.
CREATE TABLE deliveries (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    document_type text NOT NULL CHECK (document_type IN ('invoice', 'credit_note', 'quote', 'order_confirmation')),
    document_id uuid NOT NULL,
    delivery_type text NOT NULL CHECK (delivery_type IN ('Manual', 'Email', 'Sproom')),
    recipient text,
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'delivered', 'failed', 'manual')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
CREATE INDEX deliveries_of_document ON deliveries (company_id, document_type, document_id, created_at);
SELECT protect_table('deliveries', 'SELECT, INSERT, UPDATE');

CREATE TABLE delivery_attempts (
    company_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'failed')),
    message text,
    provider_id text,
    PRIMARY KEY (company_id, delivery_id, id),
    FOREIGN KEY (company_id, delivery_id) REFERENCES deliveries (company_id, id)
);
SELECT protect_table('delivery_attempts', 'SELECT, INSERT');
