-- What customers paid: each payment settles one invoice and stands on one journal entry.

CREATE TABLE payments (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    paid_on date NOT NULL,
    -- In the invoice's currency; base units per unit on the day of payment; what came in and what it settled.
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    exchange_rate numeric NOT NULL CHECK (exchange_rate > 0),
    base_amount numeric(19, 4) NOT NULL CHECK (base_amount >= 0),
    base_settled numeric(19, 4) NOT NULL CHECK (base_settled >= 0),
    account_id uuid NOT NULL,
    reference text,
    journal_entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT payments_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT payments_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT payments_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payments_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX payments_of_invoice ON payments (company_id, invoice_id, paid_on, id);
SELECT protect_table('payments', 'SELECT, INSERT');
