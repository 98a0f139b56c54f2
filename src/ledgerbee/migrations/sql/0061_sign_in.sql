-- How people sign in. The tables of people are of no company, and no role reads them: what the API's role does with them it does
-- by the functions below, each for one person who is named by something that only this person has. docs/operations/security.md
-- says what that trusts the API's role with.

-- What a password is checked by never leaves the database: the program computes Argon2id with the salt and the parameters, and
-- only the SHA-256 of what comes of it stands here. Whoever reads the column can't sign in with it.
ALTER TABLE users
    DROP COLUMN password_hash,
    ADD COLUMN password_salt bytea,
    ADD COLUMN password_parameters text,
    ADD COLUMN password_check bytea,
    ADD CONSTRAINT users_password
        CHECK ((password_salt IS NULL) = (password_check IS NULL) AND (password_parameters IS NULL) = (password_check IS NULL));
SELECT forget_values('users');

ALTER TABLE memberships ADD COLUMN last_signed_in_at timestamptz;

-- In which companies somebody works, for functions of the owner, before a company is known. An index of memberships by user would
-- let the API's role count a user's rows in all companies.
DROP INDEX memberships_of_user;
CREATE TABLE membership_directory (
    user_id uuid NOT NULL,
    company_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, company_id)
);
CREATE FUNCTION keep_membership_directory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO membership_directory (user_id, company_id, created_at)
        VALUES (NEW.user_id, NEW.company_id, NEW.created_at);
    ELSE
        DELETE FROM membership_directory d WHERE d.user_id = OLD.user_id AND d.company_id = OLD.company_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_membership_directory AFTER INSERT OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION keep_membership_directory();

CREATE TABLE passkeys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- As its authenticator calls it (WebAuthn), and what its signatures are checked with (COSE).
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    CONSTRAINT passkeys_credential UNIQUE (credential_id)
);
CREATE INDEX passkeys_of_user ON passkeys (user_id);
SELECT forget_values('passkeys');

-- Each is good once, in place of a second factor that is lost; 80 random bits, of which only the SHA-256 is here.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);
SELECT forget_values('recovery_codes');

-- What is begun and goes on with the next request: a password was right and the second factor is missing, a passkey is asked
-- for its signature, a link to choose a new password. By the hash of what the browser has to show; each is good once.
CREATE TABLE sign_in_steps (
    secret_hash bytea PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('second_factor', 'passkey', 'new_passkey', 'reset')),
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    tries int NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sign_in_steps_user CHECK (user_id IS NOT NULL OR kind = 'passkey')
);
CREATE INDEX sign_in_steps_of_user ON sign_in_steps (user_id);
CREATE INDEX sign_in_steps_by_end ON sign_in_steps (expires_at);
SELECT forget_values('sign_in_steps');

-- Somebody who is asked to work in the company. The link enters it by a credential, as all that does.
CREATE TABLE invitations (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL CHECK (email = lower(email)),
    role text NOT NULL CHECK (role IN ('owner', 'accountant', 'sales', 'read-only')),
    language text NOT NULL CHECK (language IN ('da', 'en')),
    invited_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (company_id, id),
    CONSTRAINT invitations_one_end CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX invitations_open ON invitations (company_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_time ON invitations (company_id, created_at, id);
SELECT protect_table('invitations', 'SELECT, INSERT');
GRANT UPDATE (accepted_at, revoked_at) ON invitations TO ledgerbee_app;

ALTER TABLE credentials
    DROP CONSTRAINT credentials_kind_check,
    ADD CONSTRAINT credentials_kind_check
        CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token', 'quote_link', 'provider_callback', 'sandbox_page', 'invitation',
                        'user_session', 'user_token', 'authorization_code', 'refresh_token'));
CREATE INDEX credentials_of_user ON credentials (company_id, user_id) WHERE user_id IS NOT NULL;

-- What the program says that it is, within the bounds of what may be meant.
CREATE FUNCTION bounded_moment(moment timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT least(greatest(moment, clock_timestamp() - t.clock_tolerance), clock_timestamp() + t.clock_tolerance)
            FROM application_trust t);
END
$$;

-- Whose session it is, held against its end for the rest of the transaction; nobody's: all null.
CREATE FUNCTION session_user_of(session bytea, moment timestamptz) RETURNS users
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found users%ROWTYPE;
BEGIN
    SELECT u.* INTO found FROM user_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.secret_hash = session AND s.expires_at > bounded_moment(moment)
    FOR KEY SHARE OF s;
    RETURN found;
END
$$;

-- The same, for what takes the password once more.
CREATE FUNCTION confirmed_user(session bytea, shown bytea, moment timestamptz) RETURNS users
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found users%ROWTYPE := session_user_of(session, moment);
BEGIN
    SELECT u.* INTO found FROM users u WHERE u.id = found.id AND u.password_check = shown FOR UPDATE;
    RETURN found;
END
$$;

CREATE FUNCTION add_session(person uuid, session_id uuid, session bytea, address text, user_agent text, moment timestamptz)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO user_sessions (id, secret_hash, user_id, address, user_agent, created_at, expires_at)
    VALUES (session_id, session, person, add_session.address, add_session.user_agent, bounded_moment(moment),
            bounded_moment(moment) + interval '12 hours');
END
$$;

-- Ends whatever a person has opened or let open: sessions, and with them what these opened, tokens, steps that wait.
CREATE FUNCTION end_everything_of(person uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM user_sessions s WHERE s.user_id = person;
    DELETE FROM credentials c USING membership_directory d
    WHERE d.user_id = person AND c.company_id = d.company_id AND c.user_id = person;
    DELETE FROM sign_in_steps s WHERE s.user_id = person;
END
$$;

-- Sessions.

-- Whose session it is.
CREATE FUNCTION find_session(session bytea, moment timestamptz)
    RETURNS TABLE (session_id uuid, user_id uuid, email text, name text, language text, created_at timestamptz,
                   expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT s.id, u.id, u.email, u.name, u.language, s.created_at, s.expires_at
        FROM user_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.secret_hash = session AND s.expires_at > bounded_moment(moment);
END
$$;

-- The companies that whoever has this session works in, by name.
CREATE FUNCTION companies_of_session(session bytea, moment timestamptz)
    RETURNS TABLE (company_id uuid, name text, membership_id uuid, role text, is_sandbox boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    member record;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    FOR member IN
        SELECT d.* FROM user_sessions s JOIN membership_directory d ON d.user_id = s.user_id
        WHERE s.secret_hash = session AND s.expires_at > bounded_moment(moment)
        ORDER BY d.created_at, d.company_id
    LOOP
        PERFORM set_config('app.company_id', member.company_id::text, true);
        RETURN QUERY SELECT c.company_id, c.name, m.id, m.role, c.is_sandbox
                     FROM companies c JOIN memberships m ON m.company_id = c.company_id AND m.user_id = member.user_id
                     WHERE c.company_id = member.company_id;
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

-- Lets a session into a company of its user, by a credential with this hash and the scopes of the role. True: from now on; false:
-- it was let in before; null: the session is nobody's, or its user works there no more. Waits for whoever changes the membership.
CREATE FUNCTION open_company(session bytea, wanted uuid, hash bytea, scopes_of jsonb, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := session_user_of(session, moment);
    opened user_sessions%ROWTYPE;
    member memberships%ROWTYPE;
    is_new boolean;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', wanted::text, true);
    SELECT m.* INTO member FROM memberships m WHERE m.company_id = wanted AND m.user_id = person.id FOR UPDATE;
    SELECT s.* INTO opened FROM user_sessions s WHERE s.secret_hash = session;
    IF member.id IS NULL OR opened.id IS NULL THEN
        PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
        RETURN NULL;
    END IF;
    INSERT INTO credentials (secret_hash, company_id, kind, subject_id, scopes, expires_at, user_id, session_id)
    VALUES (hash, wanted, 'user_session', member.id,
            ARRAY(SELECT jsonb_array_elements_text(scopes_of -> member.role)), opened.expires_at, person.id, opened.id)
    ON CONFLICT (secret_hash) DO NOTHING;
    is_new := FOUND;
    UPDATE memberships m SET last_signed_in_at = bounded_moment(moment)
    WHERE m.company_id = wanted AND m.id = member.id AND is_new;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN is_new;
END
$$;

CREATE FUNCTION end_session(session bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM user_sessions s WHERE s.secret_hash = session;
END
$$;

-- Ends another session of the same person; without an id all others.
CREATE FUNCTION end_other_sessions(session bytea, other uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := session_user_of(session, moment);
BEGIN
    DELETE FROM user_sessions s
    WHERE s.user_id = person.id AND s.secret_hash <> session AND (other IS NULL OR s.id = other);
END
$$;

-- Signing in.

-- What a password has to be computed with, for an address that nobody has as well: a salt that is the same each time.
CREATE FUNCTION password_parameters(address text, usual text)
    RETURNS TABLE (salt bytea, parameters text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT coalesce(u.password_salt, substr(sha256(
                   int8send(pg_sequence_last_value('public.proof_key_1'::regclass)) || convert_to(address, 'UTF8')), 1, 16)),
               coalesce(u.password_parameters, usual)
        FROM (VALUES (address)) AS a (email) LEFT JOIN users u ON u.email = a.email;
END
$$;

-- Signs in by e-mail and what was computed of the password: `signed_in` with a session, or `second_factor` with a step that waits
-- for one; no row for a wrong password or an unknown address. A password that was computed by older parameters is kept anew.
CREATE FUNCTION begin_sign_in(
    address text, shown bytea, session_id uuid, session bytea, step bytea, client text, user_agent text,
    new_salt bytea, new_parameters text, new_check bytea, moment timestamptz)
    RETURNS TABLE (outcome text, user_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE;
BEGIN
    SELECT u.* INTO person FROM users u WHERE u.email = address AND u.password_check = shown FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF new_check IS NOT NULL THEN
        UPDATE users u SET password_salt = new_salt, password_parameters = new_parameters, password_check = new_check
        WHERE u.id = person.id;
    END IF;
    IF person.totp_secret IS NOT NULL OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = person.id) THEN
        INSERT INTO sign_in_steps (secret_hash, kind, user_id, expires_at)
        VALUES (step, 'second_factor', person.id, bounded_moment(moment) + interval '10 minutes');
        RETURN QUERY SELECT 'second_factor', person.id;
    ELSE
        PERFORM add_session(person.id, session_id, session, client, begin_sign_in.user_agent, moment);
        RETURN QUERY SELECT 'signed_in', person.id;
    END IF;
END
$$;

-- What a sign-in waits for that has the password behind it.
CREATE FUNCTION find_second_factor(step bytea, moment timestamptz)
    RETURNS TABLE (user_id uuid, email text, totp_secret bytea, has_passkeys boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT u.id, u.email, u.totp_secret, EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id)
        FROM sign_in_steps s JOIN users u ON u.id = s.user_id
        WHERE s.secret_hash = step AND s.kind = 'second_factor' AND s.expires_at > bounded_moment(moment) AND s.tries < 5;
END
$$;

-- A wrong code: after five the password has to be shown again.
CREATE FUNCTION count_wrong_code(step bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE sign_in_steps s SET tries = s.tries + 1 WHERE s.secret_hash = step AND s.kind = 'second_factor';
END
$$;

-- The second factor: the period of a one-time password that the program found right, or a recovery code. False: that period's, or
-- that code, was taken before, or the step is over. `renewed` is the secret under the newest key.
CREATE FUNCTION finish_sign_in(
    step bytea, period bigint, renewed bytea, recovery bytea, session_id uuid, session bytea, client text,
    user_agent text, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting sign_in_steps%ROWTYPE;
BEGIN
    SELECT s.* INTO waiting FROM sign_in_steps s
    WHERE s.secret_hash = step AND s.kind = 'second_factor' AND s.expires_at > bounded_moment(moment) AND s.tries < 5
    FOR UPDATE;
    IF recovery IS NOT NULL THEN
        DELETE FROM recovery_codes r WHERE r.user_id = waiting.user_id AND r.code_hash = recovery;
    ELSE
        UPDATE users u SET totp_period = period, totp_secret = renewed
        WHERE u.id = waiting.user_id AND u.totp_secret IS NOT NULL AND coalesce(u.totp_period < period, true);
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM sign_in_steps s WHERE s.secret_hash = step;
    PERFORM add_session(waiting.user_id, session_id, session, client, finish_sign_in.user_agent, moment);
    RETURN true;
END
$$;

-- Passkeys.

-- A challenge for whoever has a passkey, good once and for five minutes.
CREATE FUNCTION ask_for_passkey(challenge bytea, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO sign_in_steps (secret_hash, kind, expires_at)
    VALUES (challenge, 'passkey', bounded_moment(moment) + interval '5 minutes');
END
$$;

-- Takes the challenge, and gives what its signature is checked with; no row where it was taken before, or nobody has the passkey.
CREATE FUNCTION take_passkey_challenge(challenge bytea, credential bytea, moment timestamptz)
    RETURNS TABLE (passkey_id uuid, user_id uuid, public_key bytea, sign_count bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM sign_in_steps s
    WHERE s.secret_hash = challenge AND s.kind = 'passkey' AND s.expires_at > bounded_moment(moment);
    IF FOUND THEN
        RETURN QUERY SELECT p.id, p.user_id, p.public_key, p.sign_count FROM passkeys p WHERE p.credential_id = credential;
    END IF;
END
$$;

-- Signs in by a passkey whose signature the program found right. False: its count of signatures has gone on meanwhile, so that
-- there may be two of it.
CREATE FUNCTION sign_in_by_passkey(
    passkey uuid, counted bigint, step bytea, session_id uuid, session bytea, client text, user_agent text,
    moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person uuid;
BEGIN
    UPDATE passkeys p SET sign_count = counted, last_used_at = bounded_moment(moment)
    WHERE p.id = passkey AND (counted > p.sign_count OR counted = 0 AND p.sign_count = 0)
    RETURNING p.user_id INTO person;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM sign_in_steps s WHERE s.secret_hash = step AND s.user_id = person;
    PERFORM add_session(person, session_id, session, client, sign_in_by_passkey.user_agent, moment);
    RETURN true;
END
$$;

-- The account.

-- What belongs to a person's account, as JSON.
CREATE FUNCTION account_of_session(session bytea, moment timestamptz) RETURNS json
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := session_user_of(session, moment);
BEGIN
    RETURN json_build_object(
        'hasTotp', person.totp_secret IS NOT NULL,
        'recoveryCodes', (SELECT count(*) FROM recovery_codes r WHERE r.user_id = person.id),
        'passkeys', coalesce((
            SELECT json_agg(json_build_object('id', p.id, 'name', p.name, 'credentialId', encode(p.credential_id, 'base64'),
                                              'createdAt', p.created_at, 'lastUsedAt', p.last_used_at) ORDER BY p.created_at)
            FROM passkeys p WHERE p.user_id = person.id), '[]'),
        'sessions', coalesce((
            SELECT json_agg(json_build_object('id', s.id, 'address', s.address, 'userAgent', s.user_agent,
                                              'createdAt', s.created_at, 'isThis', s.secret_hash = session)
                            ORDER BY s.created_at DESC)
            FROM user_sessions s WHERE s.user_id = person.id AND s.expires_at > bounded_moment(moment)), '[]'));
END
$$;

CREATE FUNCTION change_account(session bytea, called text, speaks text, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := session_user_of(session, moment);
BEGIN
    UPDATE users u SET name = called, language = speaks, updated_at = bounded_moment(moment) WHERE u.id = person.id;
END
$$;

-- Another password: everything that the person has opened ends, and a new session begins. False: the present one is another.
CREATE FUNCTION change_password(
    session bytea, shown bytea, new_salt bytea, new_parameters text, new_check bytea,
    session_id uuid, new_session bytea, client text, user_agent text, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := confirmed_user(session, shown, moment);
BEGIN
    IF person.id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE users u SET password_salt = new_salt, password_parameters = new_parameters, password_check = new_check,
                       updated_at = bounded_moment(moment)
    WHERE u.id = person.id;
    PERFORM end_everything_of(person.id);
    PERFORM add_session(person.id, session_id, new_session, client, change_password.user_agent, moment);
    RETURN true;
END
$$;

-- One-time passwords from this secret on, of which that of `period` was just shown; without one none any more. Recovery codes are
-- given with the first second factor, and end with the last.
CREATE FUNCTION set_totp(session bytea, shown bytea, secret bytea, period bigint, codes bytea[], moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := confirmed_user(session, shown, moment);
BEGIN
    IF person.id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE users u SET totp_secret = secret, totp_period = period, updated_at = bounded_moment(moment) WHERE u.id = person.id;
    IF codes <> '{}' OR secret IS NULL AND NOT EXISTS (SELECT FROM passkeys p WHERE p.user_id = person.id) THEN
        DELETE FROM recovery_codes r WHERE r.user_id = person.id;
        INSERT INTO recovery_codes (user_id, code_hash) SELECT person.id, c FROM unnest(codes) AS c;
    END IF;
    RETURN true;
END
$$;

-- Other recovery codes in place of those that there are.
CREATE FUNCTION renew_recovery_codes(session bytea, shown bytea, codes bytea[], moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := confirmed_user(session, shown, moment);
BEGIN
    DELETE FROM recovery_codes r WHERE r.user_id = person.id;
    INSERT INTO recovery_codes (user_id, code_hash) SELECT person.id, c FROM unnest(codes) AS c WHERE person.id IS NOT NULL;
    RETURN person.id IS NOT NULL;
END
$$;

-- A challenge for a new passkey of this person, who has shown the password.
CREATE FUNCTION ask_for_new_passkey(session bytea, shown bytea, challenge bytea, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := confirmed_user(session, shown, moment);
BEGIN
    INSERT INTO sign_in_steps (secret_hash, kind, user_id, expires_at)
    SELECT challenge, 'new_passkey', person.id, bounded_moment(moment) + interval '5 minutes' WHERE person.id IS NOT NULL;
    RETURN person.id IS NOT NULL;
END
$$;

-- Keeps a new passkey that answered the challenge; `codes` where it is the first second factor. False: the challenge is not this
-- person's, or was taken; the passkey is kept already.
CREATE FUNCTION add_passkey(
    session bytea, challenge bytea, passkey uuid, credential bytea, key bytea, counted bigint, called text,
    codes bytea[], moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := session_user_of(session, moment);
BEGIN
    DELETE FROM sign_in_steps s WHERE s.secret_hash = challenge AND s.kind = 'new_passkey' AND s.user_id = person.id
        AND s.expires_at > bounded_moment(moment);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name, created_at)
    VALUES (passkey, person.id, credential, key, counted, called, bounded_moment(moment))
    ON CONFLICT (credential_id) DO NOTHING;
    IF FOUND AND codes <> '{}' THEN
        DELETE FROM recovery_codes r WHERE r.user_id = person.id;
        INSERT INTO recovery_codes (user_id, code_hash) SELECT person.id, c FROM unnest(codes) AS c;
        RETURN true;
    END IF;
    RETURN FOUND;
END
$$;

CREATE FUNCTION remove_passkey(session bytea, shown bytea, passkey uuid, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person users%ROWTYPE := confirmed_user(session, shown, moment);
BEGIN
    DELETE FROM passkeys p WHERE p.id = passkey AND p.user_id = person.id;
    IF person.totp_secret IS NULL AND NOT EXISTS (SELECT FROM passkeys p WHERE p.user_id = person.id) THEN
        DELETE FROM recovery_codes r WHERE r.user_id = person.id;
    END IF;
    RETURN person.id IS NOT NULL;
END
$$;

-- A new password by a link.

-- Has the worker mail a link to whoever has the address, if anybody who works in a company does. The link is made there: its secret
-- is in the mail alone.
CREATE FUNCTION ask_for_reset(address text, request text, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO pgqueuer (priority, status, entrypoint, payload)
    SELECT -greatest(0, floor(extract(epoch FROM bounded_moment(moment) - timestamptz '2026-01-01 00:00+00'))::int),
           'queued', 'mail_password_reset',
           convert_to(json_build_object('companyId', d.company_id, 'requestId', request, 'userId', u.id)::text, 'UTF8')
    FROM users u JOIN membership_directory d ON d.user_id = u.id
    WHERE u.email = address
    ORDER BY d.created_at, d.company_id LIMIT 1;
END
$$;

-- The link that the worker mails, in place of one from before; whom to mail to.
CREATE FUNCTION add_reset_link(person uuid, hash bytea, moment timestamptz)
    RETURNS TABLE (email text, name text, language text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM sign_in_steps s WHERE s.user_id = person AND s.kind = 'reset';
    RETURN QUERY
        WITH added AS (
            INSERT INTO sign_in_steps (secret_hash, kind, user_id, expires_at)
            SELECT hash, 'reset', u.id, moment + interval '1 hour' FROM users u WHERE u.id = person
            RETURNING sign_in_steps.user_id)
        SELECT u.email, u.name, u.language FROM added a JOIN users u ON u.id = a.user_id;
END
$$;

-- Whose password may be chosen anew by a link.
CREATE FUNCTION find_reset_link(hash bytea, moment timestamptz)
    RETURNS TABLE (email text, language text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT u.email, u.language FROM sign_in_steps s JOIN users u ON u.id = s.user_id
        WHERE s.secret_hash = hash AND s.kind = 'reset' AND s.expires_at > bounded_moment(moment);
END
$$;

-- Sets the password by a link, which is over then, and ends everything that the person has opened. False: the link is over.
CREATE FUNCTION reset_password(hash bytea, new_salt bytea, new_parameters text, new_check bytea, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person uuid;
BEGIN
    DELETE FROM sign_in_steps s WHERE s.secret_hash = hash AND s.kind = 'reset' AND s.expires_at > bounded_moment(moment)
    RETURNING s.user_id INTO person;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE users u SET password_salt = new_salt, password_parameters = new_parameters, password_check = new_check,
                       updated_at = bounded_moment(moment)
    WHERE u.id = person;
    PERFORM end_everything_of(person);
    RETURN true;
END
$$;

-- Members and invitations of a company.

-- Who works in the company, with what the company may know of each.
CREATE FUNCTION members_of(company uuid)
    RETURNS TABLE (id uuid, user_id uuid, role text, created_at timestamptz, updated_at timestamptz,
                   last_signed_in_at timestamptz, email text, name text, language text, has_second_factor boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    RETURN QUERY
        SELECT m.id, m.user_id, m.role, m.created_at, m.updated_at, m.last_signed_in_at, u.email, u.name, u.language,
               u.totp_secret IS NOT NULL OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id)
        FROM memberships m JOIN users u ON u.id = m.user_id
        WHERE m.company_id = company
        ORDER BY m.created_at, m.id;
END
$$;

-- Whether whom an open invitation of the company is for has an account already.
CREATE FUNCTION is_invited_known(company uuid, invitation uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    RETURN EXISTS (
        SELECT FROM invitations i JOIN users u ON u.email = i.email
        WHERE i.company_id = company AND i.id = invitation AND i.accepted_at IS NULL AND i.revoked_at IS NULL);
END
$$;

-- The account of whom an open invitation of the company is for, made with this password. Null: the invitation is over, or there is
-- an account with its address.
CREATE FUNCTION add_invited_user(
    company uuid, invitation uuid, person uuid, called text, speaks text, salt bytea, parameters text, new_check bytea,
    session_id uuid, session bytea, client text, user_agent text, moment timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    INSERT INTO users (id, email, name, language, password_salt, password_parameters, password_check, created_at, updated_at)
    SELECT person, i.email, called, speaks, salt, parameters, new_check, bounded_moment(moment), bounded_moment(moment)
    FROM invitations i
    WHERE i.company_id = company AND i.id = invitation AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND i.expires_at > bounded_moment(moment)
    ON CONFLICT (email) DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM add_session(person, session_id, session, client, add_invited_user.user_agent, moment);
    RETURN person;
END
$$;

-- For commands: the account with an address, made where there is none.
CREATE FUNCTION add_user(
    address text, person uuid, called text, speaks text, salt bytea, parameters text, new_check bytea, moment timestamptz)
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO users (id, email, name, language, password_salt, password_parameters, password_check, created_at, updated_at)
    VALUES (person, address, called, speaks, salt, parameters, new_check, moment, moment)
    ON CONFLICT (email) DO NOTHING;
    RETURN (SELECT u.id FROM users u WHERE u.email = address);
END
$$;

-- For commands: who has an address.
CREATE FUNCTION find_user(address text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT u.id FROM users u WHERE u.email = address);
END
$$;

-- As in 0024, with all that ends by itself.
CREATE OR REPLACE FUNCTION purge_expired(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant uuid;
    caller_company text := current_setting('app.company_id', true);
BEGIN
    moment := least(moment, latest_moment());
    DELETE FROM rate_limit_hits WHERE at < moment - interval '1 hour';
    DELETE FROM user_sessions WHERE expires_at < moment;
    DELETE FROM sign_in_steps WHERE expires_at < moment;
    DELETE FROM credentials
    WHERE kind IN ('oauth_token', 'invitation', 'user_session', 'user_token', 'authorization_code', 'refresh_token')
      AND expires_at < moment;
    FOR tenant IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', tenant::text, true);
        DELETE FROM idempotency_keys k WHERE k.company_id = tenant AND k.created_at < moment - interval '24 hours';
    END LOOP;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;

REVOKE ALL ON FUNCTION keep_membership_directory, bounded_moment, session_user_of, confirmed_user, add_session, end_everything_of, find_session,
    companies_of_session, open_company, end_session, end_other_sessions, password_parameters, begin_sign_in,
    find_second_factor, count_wrong_code, finish_sign_in, ask_for_passkey, take_passkey_challenge, sign_in_by_passkey,
    account_of_session, change_account, change_password, set_totp, renew_recovery_codes, ask_for_new_passkey, add_passkey,
    remove_passkey, ask_for_reset, add_reset_link, find_reset_link, reset_password, members_of, is_invited_known,
    add_invited_user, add_user, find_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_session, companies_of_session, open_company, end_session, end_other_sessions,
    password_parameters, begin_sign_in, find_second_factor, count_wrong_code, finish_sign_in, ask_for_passkey,
    take_passkey_challenge, sign_in_by_passkey, account_of_session, change_account, change_password, set_totp,
    renew_recovery_codes, ask_for_new_passkey, add_passkey, remove_passkey, ask_for_reset, find_reset_link, reset_password,
    members_of, is_invited_known, add_invited_user TO ledgerbee_app;
GRANT EXECUTE ON FUNCTION add_reset_link, add_user, find_user TO ledgerbee_worker;
