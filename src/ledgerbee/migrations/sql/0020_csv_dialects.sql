-- How a CSV file is read: what was said of it when it was sent, and what was settled for all of it before its first row.
ALTER TABLE journal_imports
    ADD COLUMN csv_options jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN csv_dialect jsonb;

-- Imports whose job was given up (its tries are used up, or its workers died with it), over all companies: nobody goes on
-- with them. The job stays for the operator to see.
CREATE FUNCTION end_given_up_imports(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    given_up record;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR given_up IN
        SELECT convert_from(q.payload, 'UTF8')::jsonb AS payload FROM pgqueuer q
        WHERE q.entrypoint = 'import_journal_entries' AND q.status = 'failed'
    LOOP
        PERFORM set_config('app.company_id', given_up.payload ->> 'companyId', true);
        WITH ended AS (
            UPDATE journal_imports i
            SET status = 'failed', completed_at = moment,
                failure = format('It was tried again and again in vain behind line %s; the lines up to there are done. '
                    'The log of the program has the error under request %s.',
                    i.line - 1, given_up.payload ->> 'requestId')
            WHERE i.company_id = (given_up.payload ->> 'companyId')::uuid
              AND i.id = (given_up.payload ->> 'importId')::uuid AND i.status IN ('queued', 'running')
            RETURNING i.company_id, i.id
        )
        DELETE FROM import_parts p USING ended e WHERE p.company_id = e.company_id AND p.import_id = e.id;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION end_given_up_imports(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_given_up_imports(timestamptz) TO ledgerbee_app;
