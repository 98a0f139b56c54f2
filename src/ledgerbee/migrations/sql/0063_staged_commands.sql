-- What applications want to book, send or cancel: shown first, then carried out by the preview's id.

-- `arguments` are those of the tool as JSON, `call_hash` says which call it is: of the connection, the tool and the arguments.
-- `effects_hash` is of what the preview found would happen, without what differs each time (new ids, numbers, moments).
CREATE TABLE staged_commands (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    tool text NOT NULL,
    arguments text NOT NULL,
    call_hash bytea NOT NULL,
    effects_hash bytea NOT NULL,
    -- What it books, in DKK; null where nobody can say.
    amount numeric CHECK (amount >= 0),
    -- What the application was shown, and what it was answered at the commit: JSON as it was written.
    preview text NOT NULL,
    result text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    committed_at timestamptz,
    -- Another preview of the same call stands in its place (of a committed one: for a later call).
    replaced_at timestamptz,
    -- It is above what the connection may book without anybody looking: a member decides.
    approval_asked_at timestamptz,
    decision text,
    decided_by uuid,
    decided_at timestamptz,
    PRIMARY KEY (company_id, id),
    CONSTRAINT staged_commands_connection FOREIGN KEY (company_id, connection_id) REFERENCES connections,
    CONSTRAINT staged_commands_finite CHECK (amount < 'Infinity'),
    CONSTRAINT staged_commands_result CHECK ((result IS NULL) = (committed_at IS NULL)),
    CONSTRAINT staged_commands_decision CHECK (decision IN ('approved', 'rejected')),
    CONSTRAINT staged_commands_decided CHECK (
        num_nulls(decision, decided_by, decided_at) IN (0, 3) AND (decision IS NULL OR approval_asked_at IS NOT NULL)
    ),
    CONSTRAINT staged_commands_ends CHECK (committed_at IS NULL OR decision IS DISTINCT FROM 'rejected')
);
-- One call has one preview at a time.
CREATE UNIQUE INDEX staged_commands_call ON staged_commands (company_id, connection_id, call_hash)
    WHERE replaced_at IS NULL;
CREATE INDEX staged_commands_newest ON staged_commands (company_id, connection_id, created_at, id);
CREATE INDEX staged_commands_waiting ON staged_commands (company_id, approval_asked_at)
    WHERE approval_asked_at IS NOT NULL AND decision IS NULL;
CREATE INDEX staged_commands_without_end ON staged_commands (company_id, expires_at)
    WHERE committed_at IS NULL AND decision IS NULL;
SELECT protect_table('staged_commands', 'SELECT, INSERT');
GRANT UPDATE (result, expires_at, committed_at, replaced_at, approval_asked_at, decision, decided_by, decided_at)
    ON staged_commands TO ledgerbee_app;

-- How a preview ended stays as it is: what was committed, replaced or decided is never so again.
CREATE FUNCTION keep_staged_command_ends() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.committed_at IS NOT NULL AND (NEW.committed_at, NEW.result) IS DISTINCT FROM
            (OLD.committed_at, OLD.result)
        OR OLD.decision IS NOT NULL
            AND (NEW.decision, NEW.decided_by, NEW.decided_at) IS DISTINCT FROM (OLD.decision, OLD.decided_by, OLD.decided_at)
        OR OLD.replaced_at IS NOT NULL AND NEW.replaced_at IS DISTINCT FROM OLD.replaced_at THEN
        RAISE EXCEPTION 'the end of a staged command stays as it is' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_staged_command_ends() FROM PUBLIC;
CREATE TRIGGER keep_ends BEFORE UPDATE ON staged_commands
    FOR EACH ROW EXECUTE FUNCTION keep_staged_command_ends();

-- What an application has booked for a member on a day of the company's without anybody looking, in DKK: by all of its
-- connections, those that are revoked too, so that another consent begins no other sum.
CREATE TABLE application_postings (
    company_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id text NOT NULL,
    day date NOT NULL,
    amount numeric NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (company_id, user_id, client_id, day),
    CONSTRAINT application_postings_finite CHECK (amount < 'Infinity')
);
SELECT protect_table('application_postings', 'SELECT, INSERT');
GRANT UPDATE (amount) ON application_postings TO ledgerbee_app;
CREATE INDEX connections_of_application ON connections (company_id, user_id, client_id);

-- The day's sum only grows: nothing that was booked is taken out of it.
CREATE FUNCTION keep_application_postings() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.amount < OLD.amount THEN
        RAISE EXCEPTION 'what an application has booked on a day only grows'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_application_postings() FROM PUBLIC;
CREATE TRIGGER keep_amount BEFORE UPDATE ON application_postings
    FOR EACH ROW EXECUTE FUNCTION keep_application_postings();

-- Forgets previews of which nothing came, over all companies. Who committed or decided what stays.
CREATE FUNCTION purge_staged_commands(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        DELETE FROM staged_commands s
        WHERE s.company_id = tenant AND s.expires_at < moment - interval '7 days'
          AND s.committed_at IS NULL AND s.decision IS NULL;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE EXECUTE ON FUNCTION purge_staged_commands(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge_staged_commands(timestamptz) TO ledgerbee_worker;
