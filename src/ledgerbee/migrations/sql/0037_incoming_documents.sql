-- E-invoices that came in: the file as it came, what it says of itself, and the draft that was made of it.

CREATE TABLE incoming_documents (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    -- The SHA-256 of the content: the same file is one document.
    hash bytea NOT NULL CHECK (length(hash) = 32),
    content bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 10485760),
    file_name text NOT NULL,
    document_format text NOT NULL CHECK (document_format IN ('peppol', 'ubl', 'oioubl')),
    document_type text NOT NULL CHECK (document_type IN ('invoice', 'credit_note')),
    document_number text NOT NULL,
    issue_date date NOT NULL,
    due_date date,
    currency text NOT NULL,
    -- What the sender's documents are known by: a number in a register, else its endpoint, else its name.
    sender_id text NOT NULL,
    sender_name text NOT NULL,
    number_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(left(document_number, 200))) STORED,
    sender_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(left(sender_name, 200))) STORED,
    -- Sender, totals and problems, as they are shown.
    details jsonb NOT NULL,
    vendor_id uuid,
    draft_journal_entry_id uuid,
    duplicate_of uuid,
    -- Stays when the draft is deleted.
    drafted_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT incoming_documents_content UNIQUE (company_id, hash),
    CONSTRAINT incoming_documents_draft UNIQUE (company_id, draft_journal_entry_id),
    CHECK (draft_journal_entry_id IS NULL OR (vendor_id IS NOT NULL AND drafted_at IS NOT NULL)),
    CHECK (duplicate_of <> id),
    FOREIGN KEY (company_id, vendor_id) REFERENCES vendors (company_id, id),
    FOREIGN KEY (company_id, draft_journal_entry_id) REFERENCES draft_journal_entries (company_id, id)
        ON DELETE SET NULL (draft_journal_entry_id),
    FOREIGN KEY (company_id, duplicate_of) REFERENCES incoming_documents (company_id, id)
);
CREATE INDEX incoming_documents_created ON incoming_documents (company_id, created_at, id)
    INCLUDE (document_type, vendor_id, draft_journal_entry_id, drafted_at);
CREATE INDEX incoming_documents_date ON incoming_documents (company_id, issue_date, id);
CREATE INDEX incoming_documents_number ON incoming_documents (company_id, number_key, id);
CREATE INDEX incoming_documents_sender ON incoming_documents (company_id, sender_key, id);
CREATE INDEX incoming_documents_like ON incoming_documents (company_id, sender_id, document_number, document_type);
CREATE INDEX incoming_documents_vendor ON incoming_documents (company_id, vendor_id, created_at, id)
    WHERE vendor_id IS NOT NULL;
SELECT protect_table('incoming_documents', 'SELECT, INSERT');
-- What came in stays as it came. Only what was made of it is written later.
GRANT UPDATE (vendor_id, draft_journal_entry_id, drafted_at, updated_at, details) ON incoming_documents
    TO ledgerbee_app;
