-- How applications get into companies by the word of their members: clients, codes, refresh tokens.

-- Applications that registered themselves (RFC 7591): of no company, and of nobody. Nobody's role reads this table.
CREATE TABLE registered_clients (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    redirect_uris text[] NOT NULL,
    -- Of one that can keep a secret; null: a public client, which has none.
    secret_hash bytea,
    created_at timestamptz NOT NULL,
    -- To the day; null: no member has ever let it in.
    used_at timestamptz
);
CREATE INDEX registered_clients_by_use ON registered_clients (coalesce(used_at, created_at));
CREATE INDEX registered_clients_unused ON registered_clients (created_at) WHERE used_at IS NULL;
SELECT forget_values('registered_clients');

-- Adds a client. Of those that were never used `most` are kept, the newest, and beyond them those of the last hour.
CREATE FUNCTION register_client(client uuid, client_name text, uris text[], hash bytea, moment timestamptz, most int)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    moment := least(moment, latest_moment());
    DELETE FROM registered_clients r
    WHERE r.used_at IS NULL AND r.created_at < moment - interval '1 hour' AND r.created_at <= (
        SELECT n.created_at FROM registered_clients n WHERE n.used_at IS NULL
        ORDER BY n.created_at DESC OFFSET most LIMIT 1);
    INSERT INTO registered_clients (id, name, redirect_uris, secret_hash, created_at)
    VALUES (client, client_name, uris, hash, moment);
END
$$;

-- The client of an id, and whether `shown` is the hash of its secret.
CREATE FUNCTION find_registered_client(client uuid, shown bytea)
    RETURNS TABLE (name text, redirect_uris text[], is_confidential boolean, is_proven boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.name, r.redirect_uris, r.secret_hash IS NOT NULL, coalesce(r.secret_hash = shown, false)
    FROM registered_clients r WHERE r.id = client
$$;

-- Notes that a client is used, once a day.
CREATE FUNCTION use_registered_client(client uuid, moment timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE registered_clients r SET used_at = least(moment, latest_moment())
    WHERE r.id = client AND (r.used_at IS NULL OR r.used_at < moment - interval '1 day')
$$;

-- What a member agreed to, until the application has exchanged its code (RFC 6749 4.1): the id is that of the connection
-- that comes of it. The code itself is a credential.
CREATE TABLE authorization_codes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    membership_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id text NOT NULL,
    client_name text NOT NULL,
    redirect_host text NOT NULL,
    redirect_uri text NOT NULL,
    challenge text NOT NULL,
    resource text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (company_id, id)
);
SELECT protect_table('authorization_codes', 'SELECT, INSERT');
GRANT UPDATE (used_at) ON authorization_codes TO ledgerbee_app;

-- Refresh tokens of connections, which are credentials too. One that was exchanged leads to the next for half a minute:
-- `successor` is that one, encrypted with the token itself.
CREATE TABLE refresh_tokens (
    company_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    connection_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    rotated_at timestamptz,
    successor bytea,
    PRIMARY KEY (company_id, token_hash)
);
CREATE INDEX refresh_tokens_of_connection ON refresh_tokens (company_id, connection_id);
SELECT protect_table('refresh_tokens', 'SELECT, INSERT');
GRANT UPDATE (rotated_at, successor) ON refresh_tokens TO ledgerbee_app;

-- Until when a connection lasts without being used, and why it was revoked.
ALTER TABLE connections
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN revoked_because text CHECK (
        revoked_because IN ('user', 'application', 'code_reused', 'refresh_token_reused', 'membership', 'password')),
    ADD CONSTRAINT connections_revoked CHECK ((revoked_at IS NULL) = (revoked_because IS NULL));
SELECT forget_values('connections');
GRANT UPDATE (expires_at, revoked_because) ON connections TO ledgerbee_app;
CREATE TRIGGER keep_revoked BEFORE UPDATE ON connections FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at AND OLD.revoked_at IS NOT NULL)
    EXECUTE FUNCTION keep_revoked();

-- As in 0061; with the tokens of a person's applications their connections are over too, in each company.
CREATE OR REPLACE FUNCTION end_everything_of(person uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    member record;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    DELETE FROM user_sessions s WHERE s.user_id = person;
    DELETE FROM credentials c USING membership_directory d
    WHERE d.user_id = person AND c.company_id = d.company_id AND c.user_id = person;
    DELETE FROM sign_in_steps s WHERE s.user_id = person;
    FOR member IN SELECT d.company_id FROM membership_directory d WHERE d.user_id = person LOOP
        PERFORM set_config('app.company_id', member.company_id::text, true);
        UPDATE connections n SET revoked_at = clock_timestamp(), revoked_because = 'password'
        WHERE n.company_id = member.company_id AND n.user_id = person AND n.revoked_at IS NULL;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

-- What an application did for its member, newest first: the actor is the user.
CREATE INDEX events_of_connection ON events (company_id, credential_id, occurred_at, id) WHERE actor LIKE 'user:%';

-- An access token of a connection may be ended by itself too.
CREATE OR REPLACE FUNCTION revoke_token(company uuid, client uuid, hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    DELETE FROM credentials c
    WHERE c.company_id = company AND c.subject_id = client AND c.secret_hash = hash
      AND c.kind IN ('oauth_token', 'user_token');
END
$$;

-- Forgets what codes and refresh tokens stood for that are over, and clients that nobody has used for a month. (The
-- credentials themselves go in purge_expired.)
CREATE FUNCTION purge_authorizations(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    DELETE FROM registered_clients r WHERE coalesce(r.used_at, r.created_at) < moment - interval '31 days';
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        DELETE FROM authorization_codes a WHERE a.company_id = tenant AND a.expires_at < moment - interval '1 hour';
        DELETE FROM refresh_tokens t WHERE t.company_id = tenant AND t.created_at < moment - interval '31 days';
        UPDATE refresh_tokens t SET successor = NULL
        WHERE t.company_id = tenant AND t.successor IS NOT NULL AND t.rotated_at < moment - interval '5 minutes';
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

REVOKE EXECUTE ON FUNCTION register_client(uuid, text, text[], bytea, timestamptz, int),
    find_registered_client(uuid, bytea), use_registered_client(uuid, timestamptz), purge_authorizations(timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_client(uuid, text, text[], bytea, timestamptz, int),
    find_registered_client(uuid, bytea), use_registered_client(uuid, timestamptz) TO ledgerbee_app;
GRANT EXECUTE ON FUNCTION purge_authorizations(timestamptz) TO ledgerbee_worker;
