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
