-- Jobs that gave up, mails that were refused, and logos that are ours.

-- The newest delivery of each document: what invoices are filtered by.
ALTER TABLE deliveries ADD COLUMN is_latest boolean NOT NULL DEFAULT true;
DO $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        UPDATE deliveries d SET is_latest = false WHERE d.company_id = tenant AND EXISTS (
            SELECT FROM deliveries l WHERE l.company_id = d.company_id AND l.document_type = d.document_type
                AND l.document_id = d.document_id AND (l.created_at, l.id) > (d.created_at, d.id));
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
CREATE UNIQUE INDEX deliveries_latest ON deliveries (company_id, document_type, document_id) WHERE is_latest;
CREATE INDEX deliveries_by_status ON deliveries (company_id, document_type, status, document_id) WHERE is_latest;

-- The format of a logo that was drawn anew when it came in. One without is from before: it is kept, not printed.
ALTER TABLE companies
    ADD COLUMN logo_format text CHECK (logo_format IN ('png', 'jpg')),
    ADD CONSTRAINT companies_logo_format CHECK (logo_format IS NULL OR logo IS NOT NULL);
