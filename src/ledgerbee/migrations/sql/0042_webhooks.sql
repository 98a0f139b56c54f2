-- Events for those who integrate: the order in which they were committed, who is told of them, and what came of it.

-- The last position of a company's events, counted in the transaction that writes them: the row is held until COMMIT, so that
-- positions become visible in their order, without a hole. `is_listened` says that somebody wants to be woken.
CREATE TABLE event_counters (
    company_id uuid PRIMARY KEY,
    last_position bigint NOT NULL CHECK (last_position >= 0),
    is_listened boolean NOT NULL DEFAULT false
);
SELECT protect_table('event_counters', 'SELECT, INSERT');
GRANT UPDATE (last_position, is_listened) ON event_counters TO ledgerbee_app;

-- 0: from before positions were counted.
ALTER TABLE events ADD COLUMN position bigint NOT NULL DEFAULT 0 CHECK (position >= 0);
CREATE UNIQUE INDEX events_position ON events (company_id, position) WHERE position > 0;
-- Rare types are found without walking past posted entries.
CREATE INDEX events_rare_type_position ON events (company_id, type, position) WHERE type <> 'journal_entry.posted';

-- Who is told. Secrets are encrypted with the installation's key; `previous_secret` signs too, until its time is over.
-- `told_up_to` is the position up to which deliveries were made of the events; the rest says how the endpoint fares.
CREATE TABLE webhook_endpoints (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    description text,
    topics text[] NOT NULL CHECK (cardinality(topics) > 0),
    signature_type text NOT NULL CHECK (signature_type IN ('v1', 'v1a')),
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_expires_at timestamptz,
    status text NOT NULL CHECK (status IN ('enabled', 'disabled_by_user', 'disabled_by_system', 'deleted')),
    status_reason text,
    status_changed_at timestamptz NOT NULL,
    told_up_to bigint NOT NULL CHECK (told_up_to >= 0),
    failing_since timestamptz,
    last_failure text,
    last_success_at timestamptz,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
SELECT protect_table('webhook_endpoints', 'SELECT, INSERT, UPDATE');

-- One event for one endpoint, with its attempts: [{"at", "status", "durationMs", "answer", "error"}], eight at most. Of the
-- pending ones of an object the first has a time for its next attempt; those behind it have none until it has ended.
CREATE TABLE webhook_deliveries (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    object_id uuid NOT NULL,
    position bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'skipped')),
    attempts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_array_length(attempts) <= 8),
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, endpoint_id) REFERENCES webhook_endpoints (company_id, id),
    CONSTRAINT webhook_deliveries_ended CHECK ((status = 'pending') = (finished_at IS NULL)),
    CONSTRAINT webhook_deliveries_next CHECK (status = 'pending' OR next_attempt_at IS NULL)
);
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (company_id, endpoint_id, id)
    INCLUDE (event_type, object_id, status);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (company_id, endpoint_id, event_id, id);
CREATE INDEX webhook_deliveries_undelivered ON webhook_deliveries (company_id, endpoint_id, status, id)
    WHERE status IN ('failed', 'skipped');
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (company_id, endpoint_id, next_attempt_at, position)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_of_object ON webhook_deliveries (company_id, endpoint_id, object_id, position)
    WHERE status = 'pending';
CREATE UNIQUE INDEX webhook_deliveries_first ON webhook_deliveries (company_id, endpoint_id, object_id)
    WHERE next_attempt_at IS NOT NULL;
CREATE UNIQUE INDEX webhook_deliveries_pending ON webhook_deliveries (company_id, endpoint_id, event_id)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (company_id, created_at);
SELECT protect_table('webhook_deliveries', 'SELECT, INSERT, UPDATE');

-- Companies with endpoints, and when the next attempt of one is due (null: none is): for the worker, which looks over all
-- companies. Nobody's but the owner's, for row-level security shows one company at a time.
CREATE TABLE webhook_companies (
    company_id uuid PRIMARY KEY,
    due_at timestamptz
);
CREATE INDEX webhook_companies_due ON webhook_companies (due_at) WHERE due_at IS NOT NULL;

-- Says when the next attempt of the entered company is due.
CREATE FUNCTION set_webhooks_due(company uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    INSERT INTO webhook_companies AS c (company_id, due_at) VALUES (company, moment)
    ON CONFLICT (company_id) DO UPDATE SET due_at = excluded.due_at WHERE c.due_at IS DISTINCT FROM excluded.due_at;
END
$$;

-- Companies whose webhooks no other worker sends: one, those with attempts that are due, or, where `is_complete`, also those
-- with events that nobody was woken for. The session that asks holds each of them until release_webhooks() or its end.
CREATE FUNCTION claim_webhooks(moment timestamptz, only_company uuid, held uuid[], is_complete boolean) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found record;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    FOR found IN
        SELECT c.company_id, c.due_at <= moment OR c.company_id = only_company AS is_due FROM webhook_companies c
        WHERE c.company_id <> ALL (held)
          AND (c.company_id = only_company OR only_company IS NULL AND (is_complete OR c.due_at <= moment))
    LOOP
        IF found.is_due IS NOT TRUE THEN
            PERFORM set_config('app.company_id', found.company_id::text, true);
            CONTINUE WHEN NOT EXISTS (
                SELECT FROM webhook_endpoints w JOIN event_counters e ON e.company_id = w.company_id
                WHERE w.company_id = found.company_id AND w.status <> 'deleted' AND w.told_up_to < e.last_position);
        END IF;
        IF pg_try_advisory_lock(hashtextextended('webhooks of ' || found.company_id, 7)) THEN
            RETURN NEXT found.company_id;
        END IF;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

CREATE FUNCTION release_webhooks(company uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_unlock(hashtextextended('webhooks of ' || company, 7));
END
$$;

-- Removes deliveries that are older than the log is kept, and endpoints that were deleted and have none.
CREATE FUNCTION purge_webhook_deliveries(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    FOR tenant IN SELECT c.company_id FROM webhook_companies c LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        DELETE FROM webhook_deliveries d
        WHERE d.company_id = tenant AND d.created_at < moment - interval '30 days'
          AND (d.status <> 'pending' OR EXISTS (
              SELECT FROM webhook_endpoints w
              WHERE w.company_id = tenant AND w.id = d.endpoint_id AND w.status = 'deleted'));
        DELETE FROM webhook_endpoints w
        WHERE w.company_id = tenant AND w.status = 'deleted'
          AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.company_id = tenant AND d.endpoint_id = w.id);
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

REVOKE EXECUTE ON FUNCTION set_webhooks_due(uuid, timestamptz), claim_webhooks(timestamptz, uuid, uuid[], boolean),
    release_webhooks(uuid), purge_webhook_deliveries(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_webhooks_due(uuid, timestamptz) TO ledgerbee_app;
GRANT EXECUTE ON FUNCTION claim_webhooks(timestamptz, uuid, uuid[], boolean), release_webhooks(uuid),
    purge_webhook_deliveries(timestamptz) TO ledgerbee_worker;
