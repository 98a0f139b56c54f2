-- Messages of the network that brought e-invoices, and the status that each of them gets.

-- What was told of each message, and what its status names. A message is kept once: its id is the envelope's, and what came by it
-- is known by its SHA-256. What couldn't be read is no document.
CREATE TABLE incoming_messages (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id text NOT NULL CHECK (length(message_id) BETWEEN 1 AND 200),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    document_id uuid,
    sender_access_point text,
    receiver_access_point text,
    mls_to text,
    mls_type text NOT NULL CHECK (mls_type IN ('ALWAYS_SEND', 'FAILURE_ONLY')),
    issues jsonb NOT NULL,
    omitted text CHECK (omitted IN ('ACCESS_POINT_UNKNOWN', 'ADDRESS_UNKNOWN', 'NONE_IN_FORMAT', 'NOT_ASKED_FOR')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT incoming_messages_message UNIQUE (company_id, message_id),
    FOREIGN KEY (company_id, document_id) REFERENCES incoming_documents (company_id, id)
);
CREATE INDEX incoming_messages_of_document ON incoming_messages (company_id, document_id, created_at, id);
SELECT protect_table('incoming_messages', 'SELECT, INSERT');

-- A status leaves as an answer does, and is none: it is of a message, one each, and says nothing of business.
ALTER TABLE incoming_answers
    ADD COLUMN message_id uuid,
    ALTER COLUMN document_id DROP NOT NULL,
    ALTER COLUMN position DROP NOT NULL,
    ALTER COLUMN answer DROP NOT NULL,
    ADD CONSTRAINT incoming_answers_message FOREIGN KEY (company_id, message_id) REFERENCES incoming_messages (company_id, id),
    ADD CONSTRAINT incoming_answers_kind CHECK (
        message_id IS NULL AND document_id IS NOT NULL AND position IS NOT NULL AND answer IS NOT NULL
        OR message_id IS NOT NULL AND position IS NULL AND answer IS NULL AND reason IS NULL
    );
CREATE UNIQUE INDEX incoming_answers_status ON incoming_answers (company_id, message_id) WHERE message_id IS NOT NULL;
SELECT forget_values('incoming_answers');
