-- What one company may take of a shared installation.

-- Whose job it is: companies take turns by it. (Its index comes with the queue's own tables, which are made after this.)
CREATE FUNCTION job_company(payload bytea) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT convert_from(payload, 'UTF8')::jsonb ->> 'companyId'
$$;

-- The last turn among the jobs of a name that the transaction's company has waiting; null where it has none.
CREATE FUNCTION last_turn(name text) RETURNS int
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT -min(q.priority) FROM pgqueuer q
            WHERE job_company(q.payload) = current_company()::text AND q.entrypoint = name AND q.status = 'queued');
END
$$;

-- Moves these jobs back by so many seconds, for one that goes before them; the turn that the first of them had. In order of
-- ids, so that two who do this don't wait for each other.
CREATE FUNCTION make_room(name text, seconds int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first int;
BEGIN
    WITH waiting AS (
        SELECT q.id, q.priority FROM pgqueuer q
        WHERE job_company(q.payload) = current_company()::text AND q.entrypoint = name AND q.status = 'queued'
        ORDER BY q.id FOR UPDATE
    ), moved AS (
        UPDATE pgqueuer q SET priority = greatest(q.priority::bigint - seconds, -2147483647)
        FROM waiting w WHERE q.id = w.id
    )
    SELECT -max(w.priority) INTO first FROM waiting w;
    RETURN first;
END
$$;

REVOKE ALL ON FUNCTION job_company(bytea), last_turn(text), make_room(text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION job_company(bytea), last_turn(text), make_room(text, int) TO ledgerbee_app;

-- What of an import's file stands in import_parts, and when the last of it came: what a company may have waiting is limited.
-- Who uploads it has a secret, of which this is the SHA-256.
ALTER TABLE journal_imports
    ADD COLUMN upload_secret_hash bytea CHECK (length(upload_secret_hash) = 32),
    ADD COLUMN bytes_kept bigint NOT NULL DEFAULT 0 CHECK (bytes_kept >= 0),
    ADD COLUMN received_at timestamptz;
CREATE INDEX journal_imports_waiting ON journal_imports (company_id) WHERE status IN ('receiving', 'queued', 'running');

-- Removes an upload that never became an import (nothing was told of it), and what has arrived of it, for whoever has begun
-- it: by the upload's secret, since the credential may be none any more.
CREATE FUNCTION give_up_upload(company uuid, upload uuid, secret bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', company::text, true);
    PERFORM FROM journal_imports i
    WHERE i.company_id = company AND i.id = upload AND i.status = 'receiving' AND i.upload_secret_hash = sha256(secret)
      AND NOT EXISTS (SELECT FROM events e WHERE e.company_id = company AND e.object_id = upload)
    FOR UPDATE;
    IF FOUND THEN
        DELETE FROM import_parts p WHERE p.company_id = company AND p.import_id = upload;
        DELETE FROM journal_imports i WHERE i.company_id = company AND i.id = upload;
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION give_up_upload(uuid, uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION give_up_upload(uuid, uuid, bytea) TO ledgerbee_app;

-- Uploads of which nothing has come since the moment, over all companies: they broke off where nobody could tidy up (the
-- process was killed). The worker ends them.
DROP FUNCTION end_broken_uploads(timestamptz);
CREATE FUNCTION silent_uploads(moment timestamptz) RETURNS TABLE (company_id uuid, import_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        RETURN QUERY SELECT i.company_id, i.id FROM journal_imports i
                     WHERE i.company_id = tenant AND i.status = 'receiving'
                       AND coalesce(i.received_at, i.created_at) < moment;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION silent_uploads(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION silent_uploads(timestamptz) TO ledgerbee_app;
