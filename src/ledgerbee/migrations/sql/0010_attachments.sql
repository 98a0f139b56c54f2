-- Attachments: what is attached to entries and drafts, and who is at work on which blob. The content itself lies in the
-- blob store, by its SHA-256 and per company.
--
-- Primary keys are added last on purpose, see 0004_ledger.sql.

-- Attached to a posted entry: as immutable as the entry.
CREATE TABLE journal_attachments (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    entry_id uuid NOT NULL,
    position int NOT NULL CHECK (position BETWEEN 1 AND 10),
    file_name text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    content_type text NOT NULL,
    size int NOT NULL CHECK (size > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL,
    CONSTRAINT journal_attachments_id UNIQUE (company_id, id)
);
CREATE INDEX journal_attachments_hash ON journal_attachments (company_id, hash);
ALTER TABLE journal_attachments ADD PRIMARY KEY (company_id, entry_id, position);
SELECT protect_table('journal_attachments', 'SELECT, INSERT');

CREATE TABLE draft_attachments (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    draft_id uuid NOT NULL,
    position int NOT NULL CHECK (position BETWEEN 1 AND 10),
    file_name text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    content_type text NOT NULL,
    size int NOT NULL CHECK (size > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL,
    CONSTRAINT draft_attachments_id UNIQUE (company_id, id)
);
CREATE INDEX draft_attachments_hash ON draft_attachments (company_id, hash);
ALTER TABLE draft_attachments ADD PRIMARY KEY (company_id, draft_id, position);
SELECT protect_table('draft_attachments', 'SELECT, INSERT, DELETE');

-- A blob that someone may be about to attach, or that may have lost its last attachment: it stays as long as the lease
-- does, and whoever releases the last lease of a blob that nothing is attached by removes the blob.
CREATE TABLE blob_leases (
    company_id uuid NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    lease_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, hash, lease_id)
);
SELECT protect_table('blob_leases', 'SELECT, INSERT, DELETE');

-- The blobs that something is attached by.
CREATE VIEW attached_blobs WITH (security_invoker = true) AS
    SELECT company_id, hash FROM journal_attachments
    UNION ALL
    SELECT company_id, hash FROM draft_attachments;
GRANT SELECT ON attached_blobs TO ledgerbee_app;

-- An attachment is written under a lease of its blob, which can't be released before this transaction ends: so the blob
-- stays. SQLSTATEs: LB421 the blob has no lease; LB417 there is no such entry.
CREATE FUNCTION guard_attachments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fault record;
BEGIN
    WITH held AS (
        SELECT l.company_id, l.hash FROM blob_leases l
        WHERE (l.company_id, l.hash) IN (SELECT n.company_id, n.hash FROM new_attachments n)
        FOR KEY SHARE
    )
    SELECT n.id INTO fault FROM new_attachments n
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.company_id = n.company_id AND h.hash = n.hash)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an attachment is written under a lease of its blob'
            USING ERRCODE = 'LB421', DETAIL = json_build_object('attachmentId', fault.id);
    END IF;
    IF TG_TABLE_NAME = 'journal_attachments' THEN
        SELECT n.id, n.entry_id INTO fault FROM new_attachments n
        WHERE (SELECT e.id FROM journal_entries e
               WHERE e.company_id = n.company_id AND e.id = n.entry_id) IS NULL
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'no such journal entry in the company' USING ERRCODE = 'LB417',
                DETAIL = json_build_object('entryId', fault.entry_id, 'field', 'attachments');
        END IF;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION guard_attachments() FROM PUBLIC;
CREATE TRIGGER guard_attachments AFTER INSERT ON journal_attachments
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION guard_attachments();
CREATE TRIGGER guard_attachments AFTER INSERT ON draft_attachments
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION guard_attachments();

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted();

-- The leases from before `moment` with their blobs, over all companies (the application can't leave its own).
CREATE FUNCTION stale_blob_leases(moment timestamptz) RETURNS TABLE (company_id uuid, lease_id uuid, hashes bytea[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        RETURN QUERY SELECT l.company_id, l.lease_id, array_agg(l.hash) FROM blob_leases l
                     WHERE l.company_id = tenant AND l.created_at < moment GROUP BY l.company_id, l.lease_id;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION stale_blob_leases(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stale_blob_leases(timestamptz) TO ledgerbee_app;
