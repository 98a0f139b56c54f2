-- E-invoices that are sent, and what receivers answer.

-- The XML of each document that goes over the network, written once and sent again as it is: its id is that of its message. Of a
-- sender, a kind of document and a number there is one.
CREATE TABLE e_invoices (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    document_type text NOT NULL CHECK (document_type IN ('invoice', 'credit_note')),
    document_id uuid NOT NULL,
    format text NOT NULL CHECK (format IN ('peppol', 'oioubl')),
    sender text NOT NULL,
    receiver text NOT NULL,
    sender_country text NOT NULL,
    number text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT e_invoices_document UNIQUE (company_id, document_type, document_id),
    CONSTRAINT e_invoices_sent_once UNIQUE (company_id, sender, number, document_type),
    CONSTRAINT e_invoices_content CHECK (sha256 = sha256(content))
);
SELECT protect_table('e_invoices', 'SELECT');
GRANT INSERT ON e_invoices TO ledgerbee_worker;

-- What a receiver, or the network on the way, answers to a document that was handed over. Nothing of it changes; the same bytes are one answer.
CREATE TABLE e_invoice_answers (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('application_response', 'invoice_response', 'message_level_response',
                                       'message_level_status')),
    code text NOT NULL,
    text text,
    issue_date date NOT NULL,
    received_at timestamptz NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, delivery_id) REFERENCES deliveries (company_id, id),
    CONSTRAINT e_invoice_answers_once UNIQUE (company_id, sha256),
    CONSTRAINT e_invoice_answers_content CHECK (sha256 = sha256(content))
);
CREATE INDEX e_invoice_answers_of_delivery ON e_invoice_answers (company_id, delivery_id);
SELECT protect_table('e_invoice_answers', 'SELECT, INSERT');
