-- What an auditor asks of an event: the object as it was before, the credential that was shown, and from where.
ALTER TABLE events
    ADD COLUMN before json,
    ADD COLUMN credential_kind text,
    ADD COLUMN credential_id uuid,
    ADD COLUMN address text;

-- The list of events, newest first. With the type in it a filter by the most frequent one reads nothing else.
CREATE INDEX events_moment ON events (company_id, occurred_at, id) INCLUDE (type);
CREATE INDEX events_actor ON events (company_id, actor, occurred_at, id);
-- Nine events of ten tell of a posted entry: rare types are found without walking past these.
CREATE INDEX events_rare_type ON events (company_id, type, occurred_at, id) WHERE type <> 'journal_entry.posted';
CREATE INDEX events_request ON events (company_id, request_id);

-- Append-only for everyone: the application has no privilege to change events, and this holds for the owner too. Only
-- the owner removes events that are past their retention, and has to say so: SET LOCAL app.retention = 'on'.
CREATE FUNCTION guard_events() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR coalesce(current_setting('app.retention', true), '') <> 'on' THEN
        RAISE EXCEPTION 'events are never changed nor removed' USING ERRCODE = 'LB423';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER guard_events BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION guard_events();

-- Who made a credential: the key or client that was shown for it, none for the operator; and the actor as events name it.
-- A client expires with the credential that made it.
ALTER TABLE credentials ADD COLUMN made_by uuid;
ALTER TABLE api_keys ADD COLUMN created_by text;
ALTER TABLE oauth_clients ADD COLUMN created_by text, ADD COLUMN expires_at timestamptz;
CREATE INDEX credentials_made_by ON credentials (company_id, made_by) WHERE made_by IS NOT NULL;
