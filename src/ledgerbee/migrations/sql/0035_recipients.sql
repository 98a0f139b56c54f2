-- Mail to several addresses: each recipient of a delivery has a mail, attempts and a state of its own; the mails are kept.

-- Whether the sender named the recipients: sent again without others, it goes to those of them who didn't get it.
ALTER TABLE deliveries ADD COLUMN recipient_given boolean NOT NULL DEFAULT false;
-- The list of deliveries, of all kinds of document.
CREATE INDEX deliveries_by_creation ON deliveries (company_id, created_at, id) WHERE is_latest;
CREATE INDEX deliveries_of_status ON deliveries (company_id, status, created_at, id) WHERE is_latest;

-- A mail that came back is an attempt too: who accepted it told later that nobody gets it.
ALTER TABLE delivery_attempts
    DROP CONSTRAINT delivery_attempts_outcome_check,
    ADD CONSTRAINT delivery_attempts_outcome_check CHECK (outcome IN ('delivered', 'failed', 'bounced'));

-- The id names the recipient's mail (Message-ID). `reason` is why a recipient gets nothing any more.
CREATE TABLE delivery_recipients (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    position int NOT NULL CHECK (position BETWEEN 1 AND 5),
    address text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'delivered', 'failed', 'bounced')),
    reason text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT delivery_recipients_position UNIQUE (company_id, delivery_id, position),
    CONSTRAINT delivery_recipients_delivery FOREIGN KEY (company_id, delivery_id)
        REFERENCES deliveries (company_id, id)
);
SELECT protect_table('delivery_recipients', 'SELECT, INSERT');
GRANT UPDATE (status, reason, updated_at) ON delivery_recipients TO ledgerbee_worker;

-- The deliveries that there are have one recipient each, by the id that their mails had.
DO $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        INSERT INTO delivery_recipients (company_id, id, delivery_id, position, address, status, reason, updated_at)
        SELECT d.company_id, d.id, d.id, 1, d.recipient, d.status,
               CASE d.status WHEN 'failed' THEN (
                   SELECT a.message FROM delivery_attempts a WHERE a.company_id = d.company_id AND a.delivery_id = d.id
                   ORDER BY a.at DESC, a.id DESC LIMIT 1) END,
               d.updated_at
        FROM deliveries d WHERE d.company_id = tenant AND d.recipient IS NOT NULL AND d.status <> 'manual';
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

-- The API names recipients; what becomes of one is the worker's to say. LB435.
CREATE FUNCTION guard_recipient() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user = 'ledgerbee_app' AND (NEW.status <> 'pending' OR NEW.reason IS NOT NULL) THEN
        RAISE EXCEPTION 'nothing was delivered yet' USING ERRCODE = 'LB435';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION guard_recipient() FROM PUBLIC;
CREATE TRIGGER guard_recipient BEFORE INSERT ON delivery_recipients FOR EACH ROW EXECUTE FUNCTION guard_recipient();

-- The mail of each recipient as it was handed to the mail server, in the blob store. Its id is the recipient's.
CREATE TABLE sent_messages (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    size int NOT NULL CHECK (size > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT sent_messages_recipient FOREIGN KEY (company_id, id) REFERENCES delivery_recipients (company_id, id)
);
CREATE INDEX sent_messages_hash ON sent_messages (company_id, hash);
SELECT protect_table('sent_messages', 'SELECT');
GRANT INSERT ON sent_messages TO ledgerbee_worker;
CREATE TRIGGER guard_attachments AFTER INSERT ON sent_messages
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION guard_attachments('sent_messages');

-- A kept mail holds its blob, beside whatever else holds blobs by then.
DO $$
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW attached_blobs WITH (security_invoker = true) AS '
        || rtrim(pg_get_viewdef('attached_blobs'::regclass), '; ' || chr(10))
        || ' UNION ALL SELECT company_id, hash FROM sent_messages';
END
$$;
