-- Selling: document templates, invoices and their lines, delivery.

CREATE TABLE document_templates (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
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
