-- People who sign in, their places in companies, and the applications that they let work for them.

-- People are of no company: nobody's role reads this table, see the functions of 0061.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    language text NOT NULL CHECK (language IN ('da', 'en')),
    -- Argon2id, in the PHC format; null until the first password is chosen.
    password_hash text,
    -- What one-time passwords are made of, encrypted with the installation's keys; null: there are none.
    totp_secret bytea,
    -- The last period of time (30 s each) whose one-time password was taken: none is taken twice.
    totp_period bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_email UNIQUE (email)
);
SELECT forget_values('users');

-- A browser in which a user has signed in, by the hash of its cookie.
CREATE TABLE user_sessions (
    id uuid PRIMARY KEY,
    secret_hash bytea NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address text,
    user_agent text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT user_sessions_secret UNIQUE (secret_hash)
);
CREATE INDEX user_sessions_of_user ON user_sessions (user_id);
CREATE INDEX user_sessions_by_end ON user_sessions (expires_at);
SELECT forget_values('user_sessions');

-- Who may work in a company, and as what.
CREATE TABLE memberships (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    role text NOT NULL CHECK (role IN ('owner', 'accountant', 'sales', 'read-only')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT memberships_user UNIQUE (company_id, user_id)
);
CREATE INDEX memberships_of_user ON memberships (user_id);
SELECT protect_table('memberships', 'SELECT, INSERT, DELETE');
GRANT UPDATE (role, updated_at) ON memberships TO ledgerbee_app;

-- An application that a member lets work in the company, with the scopes that both agreed on. `client_id` is text: that of a
-- client metadata document is its URL. `resource` is the path of the address that its tokens are good for.
CREATE TABLE connections (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    membership_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id text NOT NULL,
    client_name text NOT NULL,
    redirect_host text NOT NULL,
    resource text NOT NULL,
    scopes text[] NOT NULL,
    -- What may be booked in a day without anybody looking, in DKK.
    daily_limit numeric(19, 4) NOT NULL DEFAULT 10000 CHECK (daily_limit >= 0),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (company_id, id),
    CONSTRAINT connections_finite CHECK (daily_limit < 'Infinity')
);
CREATE INDEX connections_of_membership ON connections (company_id, membership_id);
SELECT protect_table('connections', 'SELECT, INSERT');
GRANT UPDATE (scopes, daily_limit, last_used_at, revoked_at) ON connections TO ledgerbee_app;

-- Whose they are and, of a user's token, for which address. What a session opened ends with it.
ALTER TABLE credentials
    DROP CONSTRAINT credentials_kind_check,
    ADD CONSTRAINT credentials_kind_check
        CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token', 'quote_link', 'provider_callback', 'sandbox_page',
                        'user_session', 'user_token', 'authorization_code', 'refresh_token')),
    ADD COLUMN user_id uuid,
    ADD COLUMN session_id uuid REFERENCES user_sessions (id) ON DELETE CASCADE,
    ADD COLUMN resource text,
    ADD CONSTRAINT credentials_user
        CHECK ((user_id IS NOT NULL) = (kind IN ('user_session', 'user_token', 'authorization_code', 'refresh_token'))),
    ADD CONSTRAINT credentials_resource CHECK ((resource IS NOT NULL) = (kind = 'user_token'));
CREATE INDEX credentials_of_session ON credentials (session_id) WHERE session_id IS NOT NULL;
SELECT forget_values('credentials');
GRANT SELECT (user_id, resource) ON credentials TO ledgerbee_app;

-- As in 0046, with whose it is and for which address.
DROP FUNCTION resolve_credential(bytea);
CREATE FUNCTION resolve_credential(hash bytea)
    RETURNS TABLE (company_id uuid, kind text, subject_id uuid, scopes text[], ip_allowlist text[],
                   expires_at timestamptz, version int, licenses text[], time_zone text, is_sandbox boolean,
                   clock_offset_days int, user_id uuid, resource text)
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
               known.expires_at, known.version, c.licenses, c.time_zone, c.is_sandbox, c.clock_offset_days,
               known.user_id, known.resource
        FROM companies c WHERE c.company_id = known.company_id;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION resolve_credential(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_credential(bytea) TO ledgerbee_app;
