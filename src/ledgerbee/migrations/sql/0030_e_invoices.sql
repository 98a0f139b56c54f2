-- Whom a Danish payment slip (FIK) pays.
ALTER TABLE companies
    ADD COLUMN fik_creditor_number text,
    ADD CONSTRAINT companies_fik_creditor_number CHECK (fik_creditor_number ~ '^[0-9]{8}$');

-- Where a customer's e-invoices go without an EAN: `0198:DK13585628`.
ALTER TABLE customers ADD COLUMN endpoint_id text;

SELECT forget_values('companies');
SELECT forget_values('customers');
