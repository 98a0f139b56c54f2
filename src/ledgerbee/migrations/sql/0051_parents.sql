-- What a customer pays for its children: all of a day on one invoice, or each subscription on its own.
ALTER TABLE customers ADD COLUMN invoicing_mode text NOT NULL DEFAULT 'single_invoice'
    CHECK (invoicing_mode IN ('single_invoice', 'per_child'));
CREATE INDEX customers_children ON customers (company_id, parent_customer_id) WHERE parent_customer_id IS NOT NULL;
SELECT forget_values('customers');

-- The subscription that a line bills, and whose it is where another customer pays; the text above a child's lines has the second.
ALTER TABLE invoice_lines
    ADD COLUMN subscription_id uuid,
    ADD COLUMN child_customer_id uuid,
    ADD CONSTRAINT invoice_lines_subscription FOREIGN KEY (company_id, subscription_id)
        REFERENCES subscriptions (company_id, id),
    ADD CONSTRAINT invoice_lines_child FOREIGN KEY (company_id, child_customer_id) REFERENCES customers (company_id, id);
SELECT forget_values('invoice_lines');
-- Of what was billed before. Nobody changes the lines of a booked invoice; this only says what their charges say.
DO $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        UPDATE invoice_lines l SET subscription_id = c.subscription_id,
            child_customer_id = CASE WHEN s.customer_id <> i.customer_id THEN s.customer_id END
        FROM subscription_charges c
        JOIN subscriptions s ON s.company_id = tenant AND s.id = c.subscription_id
        JOIN invoices i ON i.company_id = tenant AND i.id = c.invoice_id
        WHERE l.company_id = tenant AND c.company_id = tenant AND l.id = c.invoice_line_id;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
