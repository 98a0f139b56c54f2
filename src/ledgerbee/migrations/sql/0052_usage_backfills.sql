-- Usage by file, and usage that is put in place of what was reported before.

-- `staged`: reported into a backfill that is not in force; counted nowhere. `superseded`: a backfill stands in its place.
ALTER TABLE usage_events
    DROP CONSTRAINT usage_events_state_check,
    ADD CONSTRAINT usage_events_state CHECK (state IN ('accepted', 'too_late', 'withdrawn', 'superseded', 'staged')),
    ADD CONSTRAINT usage_events_staged CHECK (state <> 'staged' OR subscription_id IS NULL);
-- What is staged counts for the first time on the day on which its backfill is closed: that is when it came in.
GRANT UPDATE (received_on) ON usage_events TO ledgerbee_app;
-- Lists have no staged events.
DROP INDEX usage_events_by_day;
CREATE INDEX usage_events_by_day ON usage_events (company_id, day, id) INCLUDE (meter_id) WHERE state <> 'staged';

-- How many more events there are by now than were billed: below zero where some were taken back. Not known (`is_counted`) where
-- a timeline was changed.
ALTER TABLE late_usage
    DROP CONSTRAINT late_usage_events_check,
    ADD COLUMN is_counted boolean NOT NULL DEFAULT false;
ALTER TABLE late_usage ALTER COLUMN is_counted DROP DEFAULT;

-- All usage of a meter from `starts_on` through `ends_on`, of one customer or of all, told anew.
CREATE TABLE usage_backfills (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    meter_id uuid NOT NULL,
    customer_id uuid,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed', 'reverted', 'cancelled')),
    events bigint NOT NULL CHECK (events >= 0),
    superseded bigint NOT NULL CHECK (superseded >= 0),
    -- On the company's clock: what came in before it is what it stands in the place of.
    opened_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    reverted_at timestamptz,
    cancelled_at timestamptz,
    PRIMARY KEY (company_id, id),
    CONSTRAINT usage_backfills_days CHECK (ends_on >= starts_on),
    CONSTRAINT usage_backfills_ends CHECK ((closed_at IS NOT NULL) = (status IN ('closed', 'reverted'))
        AND (reverted_at IS NOT NULL) = (status = 'reverted') AND (cancelled_at IS NOT NULL) = (status = 'cancelled')),
    CONSTRAINT usage_backfills_meter FOREIGN KEY (company_id, meter_id) REFERENCES meters (company_id, id),
    CONSTRAINT usage_backfills_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id)
);
CREATE INDEX usage_backfills_by_creation ON usage_backfills (company_id, created_at, id) INCLUDE (meter_id, status);
CREATE INDEX usage_backfills_in_force ON usage_backfills (company_id, meter_id, starts_on) WHERE status IN ('open', 'closed');
SELECT protect_table('usage_backfills', 'SELECT, INSERT');
GRANT UPDATE (status, events, superseded, closed_at, reverted_at, cancelled_at) ON usage_backfills TO ledgerbee_app;

-- The events of a backfill, and those that it superseded; `state_before` is what each was when the backfill was closed.
CREATE TABLE usage_backfill_events (
    company_id uuid NOT NULL,
    backfill_id uuid NOT NULL,
    event_id uuid NOT NULL,
    is_superseded boolean NOT NULL,
    state_before text CHECK (state_before IN ('accepted', 'too_late', 'withdrawn', 'superseded', 'staged')),
    PRIMARY KEY (company_id, backfill_id, event_id),
    CONSTRAINT usage_backfill_events_backfill FOREIGN KEY (company_id, backfill_id) REFERENCES usage_backfills (company_id, id),
    CONSTRAINT usage_backfill_events_event FOREIGN KEY (company_id, event_id) REFERENCES usage_events (company_id, id)
);
SELECT protect_table('usage_backfill_events', 'SELECT, INSERT');
GRANT UPDATE (state_before) ON usage_backfill_events TO ledgerbee_app;

-- Files of usage: how far each has come, what waits to be read, and what was wrong with which row.
CREATE TABLE usage_imports (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    file_name text,
    status text NOT NULL CHECK (status IN ('receiving', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    csv_options jsonb NOT NULL,
    -- Settled for all of the file before its first row.
    csv_dialect jsonb,
    bytes_total bigint NOT NULL CHECK (bytes_total >= 0),
    bytes_kept bigint NOT NULL CHECK (bytes_kept >= 0),
    -- Where reading goes on: see `Place`.
    position bigint NOT NULL CHECK (position >= 0),
    line bigint NOT NULL CHECK (line > 0),
    bytes_read bigint NOT NULL CHECK (bytes_read >= 0),
    accepted bigint NOT NULL CHECK (accepted >= 0),
    duplicates bigint NOT NULL CHECK (duplicates >= 0),
    refused bigint NOT NULL CHECK (refused >= 0),
    failure text,
    created_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    PRIMARY KEY (company_id, id)
) WITH (fillfactor = 50);
CREATE INDEX usage_imports_by_creation ON usage_imports (company_id, created_at, id);
CREATE INDEX usage_imports_waiting ON usage_imports (company_id) WHERE status IN ('receiving', 'queued', 'running');
-- An upload that is answered with an error, or with what was answered before, leaves nothing.
SELECT protect_table('usage_imports', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE usage_import_parts (
    company_id uuid NOT NULL,
    import_id uuid NOT NULL,
    part int NOT NULL CHECK (part >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (company_id, import_id, part),
    FOREIGN KEY (company_id, import_id) REFERENCES usage_imports (company_id, id)
);
ALTER TABLE usage_import_parts ALTER COLUMN data SET STORAGE EXTERNAL;
SELECT protect_table('usage_import_parts', 'SELECT, INSERT, DELETE');

CREATE TABLE usage_import_errors (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    line bigint NOT NULL,
    code text NOT NULL,
    property text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, import_id) REFERENCES usage_imports (company_id, id)
);
CREATE INDEX usage_import_errors_list ON usage_import_errors (company_id, import_id, line, id);
SELECT protect_table('usage_import_errors', 'SELECT, INSERT');

-- Uploads of usage of which nothing has come since the moment, over all companies: they broke off where nobody could tidy up.
CREATE FUNCTION silent_usage_uploads(moment timestamptz) RETURNS TABLE (company_id uuid, import_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        RETURN QUERY SELECT i.company_id, i.id FROM usage_imports i
                     WHERE i.company_id = tenant AND i.status = 'receiving' AND i.received_at < moment;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION silent_usage_uploads(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION silent_usage_uploads(timestamptz) TO ledgerbee_worker;
