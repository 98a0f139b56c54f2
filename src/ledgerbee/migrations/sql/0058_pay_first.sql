-- Subscriptions that begin when their first invoice is paid, and what follows the last decline of a charge.

ALTER TABLE subscriptions
    -- The invoice whose payment it waits for, or waited for, and the day on which it is given up.
    ADD COLUMN first_invoice_id uuid,
    ADD COLUMN pay_by date,
    ADD CONSTRAINT subscriptions_first_invoice FOREIGN KEY (company_id, first_invoice_id) REFERENCES invoices (company_id, id),
    ADD CONSTRAINT subscriptions_pay_by CHECK ((first_invoice_id IS NULL) = (pay_by IS NULL));
CREATE INDEX subscriptions_awaiting ON subscriptions (company_id, first_invoice_id) WHERE awaits_payment;
GRANT UPDATE (first_invoice_id, pay_by) ON subscriptions TO ledgerbee_app;

ALTER TABLE companies ADD COLUMN after_last_decline text NOT NULL DEFAULT 'keep'
    CONSTRAINT companies_after_last_decline CHECK (after_last_decline IN ('keep', 'pause', 'cancel'));

SELECT forget_values('subscriptions');
SELECT forget_values('companies');
