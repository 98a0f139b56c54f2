-- Jobs that gave up, mails that were refused, and logos that are ours.

-- The format of a logo that was drawn anew when it came in. One without is from before: it is kept, not printed.
ALTER TABLE companies
    ADD COLUMN logo_format text CHECK (logo_format IN ('png', 'jpg')),
    ADD CONSTRAINT companies_logo_format CHECK (logo_format IS NULL OR logo IS NOT NULL);
