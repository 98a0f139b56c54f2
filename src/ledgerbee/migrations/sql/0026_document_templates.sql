-- How a document looks and what its template adds to it. What is printed of a booked one stands in its snapshot.

ALTER TABLE document_templates
    ADD COLUMN accent_color text CHECK (accent_color ~ '^#[0-9a-f]{6}$'),
    ADD COLUMN shows_logo boolean NOT NULL DEFAULT true,
    ADD COLUMN intro_text text CHECK (length(intro_text) <= 2000),
    ADD COLUMN payment_text text CHECK (length(payment_text) <= 2000),
    ADD COLUMN footer_text text CHECK (length(footer_text) <= 200);

GRANT UPDATE (name, language, accent_color, shows_logo, intro_text, payment_text, footer_text)
    ON document_templates TO ledgerbee_app;
