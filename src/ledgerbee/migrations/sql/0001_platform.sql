-- What every part stands on: roles, tenant isolation, companies, credentials, events, idempotency.
--
-- The migrating role owns everything. The application connects as ledgerbee_app (made before the first
-- revision, see migrate.py), which owns nothing and sees only rows of the company named by app.company_id
-- (SET LOCAL at the start of each transaction).

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ledgerbee_app;

CREATE FUNCTION current_company() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.company_id', true), '')::uuid;

-- Puts a tenant table behind forced row-level security and grants the application what it may do there.
CREATE FUNCTION protect_table(target regclass, privileges text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY company_isolation ON %s USING (company_id = current_company()) '
        'WITH CHECK (company_id = current_company())', target);
    EXECUTE format('GRANT %s ON %s TO ledgerbee_app', privileges, target);
END
$$;
REVOKE ALL ON FUNCTION protect_table(regclass, text) FROM PUBLIC;

-- The only list of all companies; the application has no right to it.
CREATE TABLE company_directory (
    company_id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL
);

CREATE TABLE companies (
    company_id uuid PRIMARY KEY,
    name text NOT NULL,
    email text,
    address text,
    city text,
    postal_code text,
    country_code text NOT NULL,
    vat_number text,
    billing_email text,
    phone text,
    preferred_language text NOT NULL CHECK (preferred_language IN ('da', 'en')),
    contact_person_first_name text,
    contact_person_last_name text,
    website text,
    base_currency text NOT NULL,
    time_zone text NOT NULL,
    payment_terms_days int NOT NULL DEFAULT 14 CHECK (payment_terms_days BETWEEN 0 AND 3650),
    bank_name text,
    bank_registration_number text,
    bank_account_number text,
    iban text,
    bic text,
    logo bytea,
    licenses text[] NOT NULL DEFAULT '{Subscription,CustomerPortal,MeteredProducts}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
SELECT protect_table('companies', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION enter_company_in_directory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO company_directory (company_id, created_at) VALUES (NEW.company_id, NEW.created_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER enter_company_in_directory AFTER INSERT ON companies
    FOR EACH ROW EXECUTE FUNCTION enter_company_in_directory();

-- Whatever opens the door: API keys, OAuth clients (client id and secret together) and access tokens. The
-- secret is only here as its SHA-256 (they are 256 bits of randomness, so no slow hash is needed). Revoking
-- deletes the row; `version` moves with every change, so that a cached credential is noticed as stale.
CREATE TABLE credentials (
    secret_hash bytea PRIMARY KEY,
    company_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token')),
    subject_id uuid NOT NULL,
    scopes text[] NOT NULL,
    ip_allowlist text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    version int NOT NULL DEFAULT 1
);
CREATE INDEX credentials_subject ON credentials (company_id, subject_id);
ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON credentials USING (company_id = current_company())
    WITH CHECK (company_id = current_company());
GRANT SELECT, INSERT, UPDATE, DELETE ON credentials TO ledgerbee_app;

-- Who is it that knows this secret? Runs as the owner: the company is not known before the answer.
CREATE FUNCTION resolve_credential(hash bytea)
    RETURNS TABLE (company_id uuid, kind text, subject_id uuid, scopes text[], ip_allowlist text[],
                   expires_at timestamptz, version int, licenses text[], time_zone text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known credentials%ROWTYPE;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    SELECT c.* INTO known FROM credentials c WHERE c.secret_hash = hash;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('app.company_id', known.company_id::text, true);
    RETURN QUERY
        SELECT known.company_id, known.kind, known.subject_id, known.scopes, known.ip_allowlist,
               known.expires_at, known.version, c.licenses, c.time_zone
        FROM companies c WHERE c.company_id = known.company_id;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION resolve_credential(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_credential(bytea) TO ledgerbee_app;

-- Called in the first round trip of every authenticated transaction: a revoked or changed credential stops
-- there, at once and in every process, however long a process keeps what it knew of it.
CREATE FUNCTION check_credential(hash bytea, known_version int) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM credentials c WHERE c.secret_hash = hash AND c.version = known_version) THEN
        RAISE EXCEPTION 'credential is no longer valid' USING ERRCODE = 'LB401';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION check_credential(bytea, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_credential(bytea, int) TO ledgerbee_app;

CREATE TABLE api_keys (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    scopes text[] NOT NULL,
    ip_allowlist text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (company_id, id)
);
SELECT protect_table('api_keys', 'SELECT, INSERT, UPDATE');

CREATE TABLE oauth_clients (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    ip_allowlist text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (company_id, id)
);
SELECT protect_table('oauth_clients', 'SELECT, INSERT, UPDATE');

-- Attempts at the two OAuth endpoints, shared by all processes. Lost in a crash, which only forgives.
CREATE UNLOGGED TABLE rate_limit_hits (
    bucket text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX rate_limit_hits_bucket ON rate_limit_hits (bucket, at);
GRANT SELECT, INSERT, DELETE ON rate_limit_hits TO ledgerbee_app;

-- Takes one of `hits` places in the last `period`, if one is free: a sliding window. Calls for the same bucket wait
-- for each other, and the count is a statement after the wait, so no more than `hits` are ever let through.
CREATE FUNCTION take_rate_limit_hit(wanted text, moment timestamptz, hits int, period interval)
    RETURNS TABLE (allowed boolean, remaining int, resets_at timestamptz)
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used int;
    oldest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(wanted, 2));
    DELETE FROM rate_limit_hits h WHERE h.bucket = wanted AND h.at <= moment - period;
    SELECT count(*), coalesce(min(h.at), moment) INTO used, oldest FROM rate_limit_hits h WHERE h.bucket = wanted;
    allowed := used < hits;
    IF allowed THEN
        INSERT INTO rate_limit_hits (bucket, at) VALUES (wanted, moment);
        used := used + 1;
    END IF;
    remaining := hits - used;
    resets_at := oldest + period;
    RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION take_rate_limit_hit(text, timestamptz, int, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_rate_limit_hit(text, timestamptz, int, interval) TO ledgerbee_app;

-- Background jobs that were in hand when their worker died, and how often they have begun again since: one that
-- takes its workers down is told by it from those that were only beside it.
CREATE TABLE interrupted_jobs (
    job_id bigint PRIMARY KEY,
    begun int NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON interrupted_jobs TO ledgerbee_app;

-- What happened, told in the transaction in which it happened: the outbox and the audit trail in one.
CREATE TABLE events (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    object_id uuid NOT NULL,
    sequence int NOT NULL,
    data jsonb NOT NULL,
    actor text NOT NULL,
    request_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT events_object_sequence UNIQUE (company_id, object_id, sequence)
);
SELECT protect_table('events', 'SELECT, INSERT');

CREATE TABLE idempotency_keys (
    company_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status int NOT NULL,
    content_type text,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (company_id, created_at);
SELECT protect_table('idempotency_keys', 'SELECT, INSERT, UPDATE, DELETE');

-- Number series of documents: the next number is taken last in the transaction that books.
CREATE TABLE number_series (
    company_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL DEFAULT '',
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    PRIMARY KEY (company_id, name)
);
SELECT protect_table('number_series', 'SELECT, INSERT, UPDATE');

-- Published exchange rates, the same for everyone: units of the currency for one euro.
CREATE TABLE exchange_rates (
    currency text NOT NULL,
    day date NOT NULL,
    rate_per_eur numeric NOT NULL CHECK (rate_per_eur > 0),
    PRIMARY KEY (currency, day)
);
GRANT SELECT ON exchange_rates TO ledgerbee_app;

-- A company's own rates, which go before the published ones: base units for one unit of the currency.
CREATE TABLE company_exchange_rates (
    company_id uuid NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    rate numeric(21, 12) NOT NULL CHECK (rate > 0),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, currency, day)
);
SELECT protect_table('company_exchange_rates', 'SELECT, INSERT, UPDATE');

-- Forgets what has outlived its purpose, over all companies (the application can't leave its own).
CREATE FUNCTION purge_expired(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    DELETE FROM rate_limit_hits WHERE at < moment - interval '1 hour';
    DELETE FROM credentials WHERE kind = 'oauth_token' AND expires_at < moment;
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        DELETE FROM idempotency_keys k WHERE k.company_id = tenant AND k.created_at < moment - interval '24 hours';
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION purge_expired(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge_expired(timestamptz) TO ledgerbee_app;
