-- What is answered to e-invoices that came in.

-- The XML of each answer, written once and sent again as it is: its id is that of its message. A document is accepted or rejected
-- once, and what was rejected isn't paid.
CREATE TABLE incoming_answers (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    answer text NOT NULL CHECK (answer IN ('received', 'inProcess', 'underQuery', 'conditionallyAccepted', 'accepted', 'rejected',
                                           'paid')),
    code text NOT NULL,
    reason text,
    note text,
    format text NOT NULL CHECK (format IN ('peppol', 'oioubl')),
    sender text NOT NULL,
    receiver text NOT NULL,
    sender_country text NOT NULL,
    document_number text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'sent', 'failed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, document_id) REFERENCES incoming_documents (company_id, id),
    CONSTRAINT incoming_answers_position UNIQUE (company_id, document_id, position),
    CONSTRAINT incoming_answers_content CHECK (sha256 = sha256(content))
);
CREATE UNIQUE INDEX incoming_answers_verdict ON incoming_answers (company_id, document_id) WHERE answer IN ('accepted', 'rejected');
CREATE UNIQUE INDEX incoming_answers_end ON incoming_answers (company_id, document_id) WHERE answer IN ('rejected', 'paid');
SELECT protect_table('incoming_answers', 'SELECT, INSERT');
GRANT UPDATE (status, updated_at) ON incoming_answers TO ledgerbee_app;

-- Each try to send an answer.
CREATE TABLE incoming_answer_attempts (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    answer_id uuid NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('sent', 'failed')),
    message text NOT NULL,
    provider_id text,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, answer_id) REFERENCES incoming_answers (company_id, id)
);
CREATE INDEX incoming_answer_attempts_of_answer ON incoming_answer_attempts (company_id, answer_id, at);
SELECT protect_table('incoming_answer_attempts', 'SELECT');
GRANT INSERT ON incoming_answer_attempts TO ledgerbee_worker;

-- The API asks for answers to be sent, once more for those that failed; what becomes of one is the worker's to say. LB435.
CREATE FUNCTION guard_incoming_answer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user = 'ledgerbee_app'
            AND (NEW.status <> 'pending' OR TG_OP = 'UPDATE' AND OLD.status <> 'failed') THEN
        RAISE EXCEPTION 'nothing was sent yet' USING ERRCODE = 'LB435';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION guard_incoming_answer() FROM PUBLIC;
CREATE TRIGGER guard_incoming_answer BEFORE INSERT OR UPDATE ON incoming_answers FOR EACH ROW
    EXECUTE FUNCTION guard_incoming_answer();
