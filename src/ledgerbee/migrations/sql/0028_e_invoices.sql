-- What e-invoices need of a company: whom a Danish payment slip (FIK) pays.
ALTER TABLE companies
    ADD COLUMN fik_creditor_number text,
    ADD CONSTRAINT companies_fik_creditor_number CHECK (fik_creditor_number ~ '^[0-9]{8}$');
