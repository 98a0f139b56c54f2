-- Imports of entries: how far each has come, what waits to be read, and what was wrong with which row.

CREATE TABLE journal_imports (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    format text NOT NULL CHECK (format IN ('jsonl', 'csv', 'beancount')),
    file_name text,
    status text NOT NULL CHECK (status IN ('receiving', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    -- SHA-256 of the file, once it is whole.
    content_hash bytea CHECK (length(content_hash) = 32),
    bytes_total bigint NOT NULL CHECK (bytes_total >= 0),
    bytes_read bigint NOT NULL DEFAULT 0 CHECK (bytes_read >= 0),
    -- Where reading goes on: the offset of the next byte, or (beancount) the number of transactions done.
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    line bigint NOT NULL DEFAULT 1 CHECK (line > 0),
    entries_posted bigint NOT NULL DEFAULT 0 CHECK (entries_posted >= 0),
    -- The errors there were; the first 10,000 are kept as rows.
    error_count bigint NOT NULL DEFAULT 0 CHECK (error_count >= 0),
    failure text,
    summary jsonb,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    CHECK (status IN ('receiving', 'failed', 'cancelled') OR content_hash IS NOT NULL)
) WITH (fillfactor = 50);
CREATE INDEX journal_imports_list ON journal_imports (company_id, created_at, id);
CREATE INDEX journal_imports_content ON journal_imports (company_id, content_hash);
ALTER TABLE journal_imports ADD PRIMARY KEY (company_id, id);
SELECT protect_table('journal_imports', 'SELECT, INSERT, UPDATE');

-- The file that waits, in parts of one length. Not compressed: it is written once, read once and deleted.
CREATE TABLE import_parts (
    company_id uuid NOT NULL,
    import_id uuid NOT NULL,
    part int NOT NULL CHECK (part >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (company_id, import_id, part),
    FOREIGN KEY (company_id, import_id) REFERENCES journal_imports (company_id, id)
);
ALTER TABLE import_parts ALTER COLUMN data SET STORAGE EXTERNAL;
SELECT protect_table('import_parts', 'SELECT, INSERT, DELETE');

CREATE TABLE import_errors (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    line bigint NOT NULL,
    code text NOT NULL,
    property text NOT NULL,
    message text NOT NULL,
    FOREIGN KEY (company_id, import_id) REFERENCES journal_imports (company_id, id)
);
CREATE INDEX import_errors_list ON import_errors (company_id, import_id, line, id);
ALTER TABLE import_errors ADD PRIMARY KEY (company_id, id);
SELECT protect_table('import_errors', 'SELECT, INSERT');

-- Uploads that broke off where nobody could tidy up (the process was killed), over all companies.
CREATE FUNCTION end_broken_uploads(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        WITH broken AS (
            UPDATE journal_imports i SET status = 'failed', failure = 'The upload broke off', completed_at = moment
            WHERE i.company_id = tenant AND i.status = 'receiving' AND i.created_at < moment - interval '24 hours'
            RETURNING i.id
        )
        DELETE FROM import_parts p USING broken b WHERE p.company_id = tenant AND p.import_id = b.id;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION end_broken_uploads(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_broken_uploads(timestamptz) TO ledgerbee_app;
