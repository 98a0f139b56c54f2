-- What the logins of the program may do, and no more.
--
-- ledgerbee_app is the API's. It enters a company by a credential of it (enter_company) and by nothing else: what a
-- statement of this role writes into app.company_id counts for nothing without the proof beside it, which only functions of
-- the owner can make. ledgerbee_worker is the worker's and the command line's: what ledgerbee_app may do, in every company,
-- and the upkeep over all companies. Both are made before the first revision, see migrate.py.

-- How far the moments that the program gives may lie from the server's clock. A request takes less than an hour; only tests,
-- which steer the clock, have more.
CREATE TABLE application_trust (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    clock_tolerance interval NOT NULL DEFAULT '1 hour'
);
INSERT INTO application_trust DEFAULT VALUES;

-- When `ledgerbee db backup` last wrote a backup, and where: for `ledgerbee doctor`. Nobody's but the owner's.
CREATE TABLE last_backup (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    made_at timestamptz NOT NULL,
    host text NOT NULL,
    path text NOT NULL,
    size_bytes bigint NOT NULL
);

-- What proofs are made with, 126 random bits that the owner alone reads. As two sequences: reading a sequence takes one
-- function call, a row takes a statement, and this is asked for each table of each statement.
CREATE SEQUENCE proof_key_1;
CREATE SEQUENCE proof_key_2;
CREATE FUNCTION renew_proof_keys() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM setval(k.name, greatest(1, ('x' || encode(substr(sha256(uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid())), 1, 8), 'hex'))::bit(64)::bigint & 9223372036854775807))
    FROM unnest(ARRAY['proof_key_1', 'proof_key_2']::regclass[]) AS k (name);
END
$$;
SELECT renew_proof_keys();

-- That this transaction of this session may see the company. It is of no use in another session or transaction.
CREATE FUNCTION company_proof(company uuid) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN encode(sha256(
        int8send(pg_sequence_last_value('public.proof_key_1'::regclass))
        || int8send(pg_sequence_last_value('public.proof_key_2'::regclass))
        || uuid_send(company) || int4send(pg_backend_pid()) || timestamptz_send(transaction_timestamp())), 'hex');
END
$$;

-- The company that this transaction has entered, whatever role runs now; null: none. The owner's own sessions, in which nobody took another role,
-- name theirs without a proof.
--
-- A single expression without a statement, and no search_path of its own: each would cost more than all the rest. So all
-- names are written with their schema.
CREATE OR REPLACE FUNCTION current_company() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED AS $$
BEGIN
    RETURN CASE
        WHEN pg_catalog.current_setting('app.company_proof', true) = pg_catalog.encode(pg_catalog.sha256(
                pg_catalog.int8send(pg_catalog.pg_sequence_last_value('public.proof_key_1'::pg_catalog.regclass))
                || pg_catalog.int8send(pg_catalog.pg_sequence_last_value('public.proof_key_2'::pg_catalog.regclass))
                || pg_catalog.uuid_send(nullif(pg_catalog.current_setting('app.company_id', true), '')::pg_catalog.uuid)
                || pg_catalog.int4send(pg_catalog.pg_backend_pid())
                || pg_catalog.timestamptz_send(pg_catalog.transaction_timestamp())), 'hex')
            THEN pg_catalog.current_setting('app.company_id', true)::pg_catalog.uuid
        WHEN pg_catalog.current_setting('role') IN ('none', current_user)
                AND pg_catalog.pg_has_role(session_user, current_user, 'MEMBER')
            THEN nullif(pg_catalog.current_setting('app.company_id', true), '')::pg_catalog.uuid
        END;
END
$$;

-- The same for functions of the owner. Under their search_path the one above would be planned anew, back and forth.
CREATE OR REPLACE FUNCTION ledger_company() RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    named uuid := nullif(current_setting('app.company_id', true), '')::uuid;
BEGIN
    IF company_proof(named) = current_setting('app.company_proof', true)
            OR current_setting('role') IN ('none', current_user) AND pg_has_role(session_user, current_user, 'MEMBER')
                AND named IS NOT NULL THEN
        RETURN named;
    END IF;
    RAISE EXCEPTION 'the transaction has entered no company' USING ERRCODE = 'LB403';
END
$$;

-- What `asking`, the role that a statement runs as, sees: the company that was entered; functions of the owner, which check
-- what they are called for, the one that they name. The policies name no owner: a backup restores under another one.
CREATE FUNCTION visible_company(asking name) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED AS $$
BEGIN
    RETURN CASE
        WHEN asking = current_user
            THEN nullif(pg_catalog.current_setting('app.company_id', true), '')::pg_catalog.uuid
        WHEN pg_catalog.current_setting('app.company_proof', true) = pg_catalog.encode(pg_catalog.sha256(
                pg_catalog.int8send(pg_catalog.pg_sequence_last_value('public.proof_key_1'::pg_catalog.regclass))
                || pg_catalog.int8send(pg_catalog.pg_sequence_last_value('public.proof_key_2'::pg_catalog.regclass))
                || pg_catalog.uuid_send(nullif(pg_catalog.current_setting('app.company_id', true), '')::pg_catalog.uuid)
                || pg_catalog.int4send(pg_catalog.pg_backend_pid())
                || pg_catalog.timestamptz_send(pg_catalog.transaction_timestamp())), 'hex')
            THEN pg_catalog.current_setting('app.company_id', true)::pg_catalog.uuid
        END;
END
$$;

-- Forgets what ANALYZE noted of a table's columns, and keeps it from noting it again. For comparisons that can't tell what they
-- compare (equal, less, starts with), the planner uses the notes of all rows, whatever the policy, and EXPLAIN shows what it
-- made of them: asked often enough, it tells the values. Call it again when a column was added.
--
-- Company ids, moments, days, counters and yes-or-no keep theirs: plans go by them.
CREATE FUNCTION forget_values(target regclass) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    told record;
    has_all_rights boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user);
BEGIN
    FOR told IN
        SELECT c.oid, c.relkind, c.relname, a.attnum, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE (c.oid = target AND a.attname <> 'company_id' AND format_type(a.atttypid, NULL) NOT IN
                   ('boolean', 'smallint', 'integer', 'bigint', 'date', 'timestamp with time zone')
               OR c.oid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = target AND i.indkey[a.attnum - 1] = 0))
          AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF told.relkind = 'i' THEN -- an expression of an index
            EXECUTE format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS 0', told.oid::regclass, told.attnum);
        ELSE
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', target, told.attname);
        END IF;
        IF has_all_rights THEN
            DELETE FROM pg_statistic s WHERE s.starelid = told.oid AND s.staattnum = told.attnum;
        ELSIF to_regproc('pg_catalog.pg_clear_attribute_stats') IS NOT NULL THEN
            PERFORM pg_clear_attribute_stats('public', told.relname::text, told.attname::text, false);
        END IF;
    END LOOP;
END
$$;

-- Asked once for each table of a statement, not for each row.
CREATE OR REPLACE FUNCTION protect_table(target regclass, privileges text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY company_isolation ON %s USING (company_id = (SELECT visible_company(current_user))) '
        'WITH CHECK (company_id = (SELECT visible_company(current_user)))', target);
    EXECUTE format('GRANT %s ON %s TO ledgerbee_app', privileges, target);
    PERFORM forget_values(target);
END
$$;

DO $$
DECLARE
    target regclass;
BEGIN
    FOR target IN SELECT p.polrelid FROM pg_policy p WHERE p.polname = 'company_isolation' ORDER BY p.polrelid LOOP
        EXECUTE format('ALTER POLICY company_isolation ON %s '
                       'USING (company_id = (SELECT visible_company(current_user))) '
                       'WITH CHECK (company_id = (SELECT visible_company(current_user)))', target);
        PERFORM forget_values(target);
    END LOOP;
END
$$;

-- The latest moment that can be meant by one that the program gives, and the earliest.
CREATE FUNCTION latest_moment() RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT clock_timestamp() + t.clock_tolerance FROM application_trust t);
END
$$;

CREATE FUNCTION check_moment(moment timestamptz) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT moment BETWEEN clock_timestamp() - t.clock_tolerance AND clock_timestamp() + t.clock_tolerance
        FROM application_trust t) IS NOT TRUE THEN
        RAISE EXCEPTION 'the moment % is not now', moment USING ERRCODE = 'LB424',
            HINT = 'The clocks of the program and of the database differ by more than they may.';
    END IF;
END
$$;

-- Holds idempotency keys (each as the hexadecimal digits of its bytes) for the transaction. 0: they are held; 2: the first
-- request with one is still running; 3: an answer is kept under one.
DROP FUNCTION reserve_idempotency_keys(text[], timestamptz);
CREATE FUNCTION reserve_idempotency_keys(company uuid, keys text[], moment timestamptz) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY keys LOOP
        wanted := convert_from(decode(wanted, 'hex'), 'UTF8');
        IF NOT pg_try_advisory_xact_lock(hashtextextended(company || '/' || wanted, 1)) THEN
            RETURN 2;
        ELSIF EXISTS (SELECT FROM idempotency_keys k WHERE k.company_id = company AND k.key = wanted
                      AND k.created_at > moment - interval '24 hours') THEN
            RETURN 3;
        END IF;
    END LOOP;
    RETURN 0;
END
$$;

-- Enters the company of these credentials, in the first round trip of a transaction. Answers with so many rows:
-- 0: entered; 1: a credential is not valid, or they are of several companies; 2 and 3: as reserve_idempotency_keys. Rows
-- and no errors, since an error would put the whole statement into the server's log.
--
-- Statements of a transaction that writes go by company and key and are planned once for a session: knowing the length of
-- an array, the planner would think of something new each time, at a cost above that of many a statement.
DROP FUNCTION check_credential(bytea, int);
CREATE FUNCTION enter_company(hashes bytea[], versions int[], keys text[], moment timestamptz, writes boolean)
    RETURNS SETOF boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid;
    found_company uuid;
BEGIN
    FOR i IN 1 .. cardinality(hashes) LOOP
        SELECT c.company_id INTO found_company FROM credentials c
        WHERE c.secret_hash = hashes[i] AND c.version = versions[i]
          AND (c.expires_at IS NULL
               OR c.expires_at > (SELECT clock_timestamp() - t.clock_tolerance FROM application_trust t));
        IF found_company IS NULL OR found_company <> company THEN
            RETURN NEXT true;
            RETURN;
        END IF;
        company := found_company;
    END LOOP;
    PERFORM set_config('app.company_id', company::text, true),
            set_config('app.company_proof', company_proof(company), true),
            CASE WHEN writes THEN set_config('plan_cache_mode', 'force_generic_plan', true) END;
    IF keys <> '{}' THEN
        RETURN QUERY SELECT true FROM generate_series(1, reserve_idempotency_keys(company, keys, moment));
    END IF;
END
$$;

-- The same for work that no credential asked for: jobs, and the operator's commands.
CREATE FUNCTION enter_company_for_job(company uuid, keys text[], moment timestamptz, writes boolean)
    RETURNS SETOF boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('app.company_id', company::text, true),
            set_config('app.company_proof', company_proof(company), true),
            CASE WHEN writes THEN set_config('plan_cache_mode', 'force_generic_plan', true) END;
    IF keys <> '{}' THEN
        RETURN QUERY SELECT true FROM generate_series(1, reserve_idempotency_keys(company, keys, moment));
    END IF;
END
$$;

-- Ends an access token of a client of the company that was entered; another's stays as it is.
CREATE FUNCTION revoke_token(client uuid, hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid := ledger_company();
BEGIN
    DELETE FROM credentials c
    WHERE c.company_id = company AND c.subject_id = client AND c.secret_hash = hash AND c.kind = 'oauth_token';
END
$$;

-- Goes on, in the same transaction, as a company that is not there yet. Back again by setting app.company_id and
-- app.company_proof to what they were.
CREATE FUNCTION enter_new_company(company uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_company() IS NULL OR EXISTS (SELECT FROM company_directory d WHERE d.company_id = company) THEN
        RAISE EXCEPTION 'that is no new company' USING ERRCODE = 'LB403';
    END IF;
    PERFORM set_config('app.company_id', company::text, true),
            set_config('app.company_proof', company_proof(company), true);
END
$$;

-- The worker's kinds of jobs say when an import is given up; nothing calls this any more.
DROP FUNCTION end_given_up_imports(timestamptz);

-- Functions that take the moment from their caller: what a caller may say is bounded at the start of each.
DO $$
DECLARE
    found record;
    text_before text;
    text_after text;
BEGIN
    FOR found IN
        SELECT p.oid, p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN
            ('purge_expired', 'silent_uploads', 'stale_blob_leases', 'post_entries',
             'take_rate_limit_hit')
    LOOP
        text_before := pg_get_functiondef(found.oid);
        text_after := regexp_replace(text_before, E'\nBEGIN\n', format(E'\nBEGIN\n    %s\n',
            CASE found.proname WHEN 'post_entries' THEN 'PERFORM check_moment(moment);'
                ELSE 'moment := least(moment, latest_moment());' END));
        IF text_after = text_before THEN
            RAISE EXCEPTION 'the function % does not begin as expected', found.proname;
        END IF;
        EXECUTE text_after;
    END LOOP;
END
$$;

-- Entries in something that is neither a currency nor a commodity, of which imported books may have some
-- (core/money.py). (Those that stand are looked at by `ledgerbee verify`.)
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_currency
    CHECK (currency ~ '^([A-Z]|/[A-Z0-9])([A-Z0-9''._-]{0,22}[A-Z0-9])?$') NOT VALID;

-- What an entry was posted by: the one place that knows the sources; another one is added here in a later revision.
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type
    CHECK (source_type IN ('draft', 'import', 'invoice', 'payment')) NOT VALID;

-- Numbers are numbers: in PostgreSQL NaN passes for one, and is greater than all of them.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass AS target, c.relname,
               string_agg(format('%I < ''Infinity'' AND %I > ''-Infinity''', a.attname, a.attname), ' AND '
                          ORDER BY a.attnum) AS finite
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'numeric'::regtype AND a.attgenerated = ''
        GROUP BY 1, 2 ORDER BY 2
    LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s) NOT VALID',
                       found.target, found.relname || '_finite', found.finite);
    END LOOP;
END
$$;

-- The next number of a series. What takes one and does not use it is refused at COMMIT.
CREATE FUNCTION take_number(series text, OUT last_number bigint, OUT prefix text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO number_series AS s (company_id, name, last_number) VALUES (ledger_company(), series, 1)
    ON CONFLICT (company_id, name) DO UPDATE SET last_number = s.last_number + 1
    RETURNING s.last_number, s.prefix INTO take_number.last_number, take_number.prefix;
END
$$;

-- A number that was taken is a document's when the transaction ends. The one place that knows the series: another one is
-- added here (CREATE OR REPLACE in a later revision). LB425.
CREATE FUNCTION refuse_unused_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NEW.name <> 'invoice' OR NOT EXISTS (
            SELECT FROM invoices i WHERE i.company_id = NEW.company_id AND i.number_sequence = NEW.last_number) THEN
        RAISE EXCEPTION 'number % of the series % is no document''s', NEW.last_number, NEW.name
            USING ERRCODE = 'LB425';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse_unused_number AFTER INSERT OR UPDATE ON number_series
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.last_number > 0) EXECUTE FUNCTION refuse_unused_number();

-- What an invoice says of its entry, its number and its payments is so. (Nothing sets the other states yet: what does adds
-- them here.) LB426.
CREATE FUNCTION check_booked_invoice(company uuid, invoice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked invoices%ROWTYPE;
    fault text;
BEGIN
    SELECT i.* INTO booked FROM invoices i WHERE i.company_id = company AND i.id = invoice;
    IF NOT FOUND OR booked.status = 'draft' THEN
        RETURN;
    END IF;
    fault := CASE
        WHEN NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.company_id = company AND e.id = booked.journal_entry_id
                AND e.source_type = 'invoice' AND e.source_id = invoice AND e.customer_id = booked.customer_id
                AND e.currency = booked.currency
                AND (booked.amount, booked.base_amount) = (
                    SELECT sum(l.amount), sum(l.base_amount) FROM journal_lines l
                    WHERE l.company_id = company AND l.entry_id = e.id AND l.line_type = 'CONTROL'
                      AND l.account_id = booked.receivable_account_id))
            THEN 'its entry is not of it'
        WHEN NOT EXISTS (
                SELECT FROM number_series s WHERE s.company_id = company AND s.name = 'invoice'
                AND s.last_number >= booked.number_sequence)
            THEN 'its number was not taken from the series'
        WHEN booked.amount_paid <> (
                SELECT coalesce(sum(p.amount), 0) FROM payments p
                WHERE p.company_id = company AND p.invoice_id = invoice AND p.reversed_at IS NULL)
            THEN 'what is paid is not the sum of its payments'
        WHEN NOT CASE booked.status
                WHEN 'paid' THEN booked.amount_paid = booked.amount
                WHEN 'partially_paid' THEN booked.amount_paid > 0 AND booked.amount_paid < booked.amount
                ELSE booked.status IN ('scheduled', 'sending', 'sent') AND booked.amount_paid = 0 END
            THEN format('it is not %s', booked.status)
        END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'invoice %: %', booked.number, fault USING ERRCODE = 'LB426';
    END IF;
END
$$;

-- At COMMIT, when entry, payments and invoice are all there.
CREATE FUNCTION check_invoice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    PERFORM check_booked_invoice(NEW.company_id, NEW.id);
    -- As it is booked; later it stays as it is (keep_booked_invoice).
    IF (TG_OP = 'INSERT' OR OLD.status = 'draft') AND NOT EXISTS (
            SELECT FROM journal_entries e WHERE e.company_id = NEW.company_id AND e.id = NEW.journal_entry_id
            AND e.entry_date = NEW.issue_date AND e.original_amount = NEW.amount
            AND e.exchange_rate = round(NEW.exchange_rate, 12)
            AND right(NEW.number, length(NEW.number_sequence::text)) = NEW.number_sequence::text) THEN
        RAISE EXCEPTION 'invoice %: it is not booked as it says', NEW.number USING ERRCODE = 'LB426';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_invoice AFTER INSERT OR UPDATE ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status <> 'draft') EXECUTE FUNCTION check_invoice();

-- A payment stands on an entry of its own, which takes off its invoice's receivable what the payment settles; it is taken
-- back by the entry that reverses that one. LB427.
CREATE FUNCTION check_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NOT EXISTS (
            SELECT FROM journal_entries e
            JOIN invoices i ON i.company_id = e.company_id AND i.id = NEW.invoice_id AND i.customer_id = e.customer_id
            WHERE e.company_id = NEW.company_id AND e.id = NEW.journal_entry_id AND e.source_type = 'payment'
              AND e.source_id = NEW.id AND e.currency = NEW.currency
              AND (-NEW.amount, -NEW.base_settled) = (
                  SELECT sum(l.amount), sum(l.base_amount) FROM journal_lines l
                  WHERE l.company_id = e.company_id AND l.entry_id = e.id AND l.line_type = 'CONTROL'
                    AND l.account_id = i.receivable_account_id)) THEN
        RAISE EXCEPTION 'payment %: its entry is not of it', NEW.id USING ERRCODE = 'LB427';
    ELSIF TG_OP = 'INSERT' AND NOT EXISTS (
            SELECT FROM journal_entries e
            JOIN journal_lines l ON l.company_id = e.company_id AND l.entry_id = e.id AND l.account_id = NEW.account_id
                AND l.is_debit AND (l.amount, l.base_amount) = (NEW.amount, NEW.base_amount)
            WHERE e.company_id = NEW.company_id AND e.id = NEW.journal_entry_id AND e.customer_id = NEW.customer_id
              AND e.entry_date = NEW.paid_on AND e.original_amount = NEW.amount
              AND e.exchange_rate = round(NEW.exchange_rate, 12)) THEN
        RAISE EXCEPTION 'payment %: it is not booked as it says', NEW.id USING ERRCODE = 'LB427';
    ELSIF NEW.reversed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM journal_entries r WHERE r.company_id = NEW.company_id AND r.id = NEW.reversal_entry_id
            AND r.reverses_entry_id = NEW.journal_entry_id) THEN
        RAISE EXCEPTION 'payment %: no entry takes it back', NEW.id USING ERRCODE = 'LB427';
    END IF;
    PERFORM check_booked_invoice(NEW.company_id, NEW.invoice_id);
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_payment AFTER INSERT OR UPDATE ON payments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_payment();

-- Nothing is attached to an entry beyond the files that it was posted with. LB432.
CREATE FUNCTION refuse_late_attachments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    late uuid;
BEGIN
    SELECT n.entry_id INTO late FROM new_attachments n
    WHERE n.position > (SELECT e.attachment_count FROM journal_entries e
                        WHERE e.company_id = n.company_id AND e.id = n.entry_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entry was posted without this file'
            USING ERRCODE = 'LB432', DETAIL = json_build_object('entryId', late);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_late_attachments AFTER INSERT ON journal_attachments
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_attachments();

-- The answer under an idempotency key stays for its 24 hours. LB428.
CREATE FUNCTION keep_answer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.company_id, NEW.key) IS DISTINCT FROM (OLD.company_id, OLD.key)
            OR NEW.created_at < OLD.created_at + interval '24 hours' OR NEW.created_at > latest_moment() THEN
        RAISE EXCEPTION 'the answer is kept for 24 hours' USING ERRCODE = 'LB428';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_answer BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION keep_answer();

-- The first turn that a new job of the transaction's company may have, see platform/job_turns.py: behind those that it has
-- waiting, and not before now.
CREATE FUNCTION earliest_turn(job text) RETURNS int
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT greatest(0, last_turn(job) + 60,
                            floor(extract(epoch FROM clock_timestamp() - t.clock_tolerance
                                                     - timestamptz '2026-01-01 00:00+00')))
            FROM application_trust t);
END
$$;

-- The API asks for jobs of the company it has entered, in their turn. It writes no other columns than those that the queue's
-- library names when it adds a job. The trigger comes with the queue, see migrate.py. LB429.
CREATE FUNCTION guard_jobs() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user <> 'ledgerbee_app' THEN
        RETURN NEW;
    ELSIF ((convert_from(NEW.payload, 'UTF8')::json ->> 'companyId')::uuid = current_company()) IS NOT TRUE THEN
        RAISE EXCEPTION 'a job is of the company that asks for it' USING ERRCODE = 'LB429';
    ELSIF NEW.status <> 'queued' OR NEW.dedupe_key IS NOT NULL OR NEW.execute_after < now()
            OR -NEW.priority::bigint < earliest_turn(NEW.entrypoint) THEN
        RAISE EXCEPTION 'a job waits for its turn' USING ERRCODE = 'LB429';
    ELSIF NEW.id > pg_sequence_last_value('public.pgqueuer_id_seq') THEN
        RAISE EXCEPTION 'the number of a job is the next one' USING ERRCODE = 'LB429';
    END IF;
    RETURN NEW;
END
$$;

-- The log of the queue says how often a job was begun, by which one that takes its workers down is given up: the API notes
-- that it has asked for one, and nothing else. LB429.
CREATE FUNCTION guard_job_log() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.status <> 'queued' OR NOT EXISTS (
            SELECT FROM pgqueuer q WHERE q.id = NEW.job_id AND q.entrypoint = NEW.entrypoint AND q.status = 'queued'
            AND job_company(q.payload) = current_company()::text)
            OR EXISTS (SELECT FROM pgqueuer_log l WHERE l.job_id = NEW.job_id) THEN
        RAISE EXCEPTION 'the log of the queue is the worker''s' USING ERRCODE = 'LB429';
    END IF;
    RETURN NEW;
END
$$;

-- What was done was done now. The condition stands with the trigger, which calls nothing as a rule: each command writes
-- events. LB424.
CREATE FUNCTION refuse_other_moment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_moment(NEW.occurred_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_other_moment BEFORE INSERT ON events FOR EACH ROW
    WHEN (NEW.occurred_at NOT BETWEEN now() - interval '50 minutes' AND now() + interval '50 minutes'
          AND current_user = 'ledgerbee_app')
    EXECUTE FUNCTION refuse_other_moment();

-- Licences are the operator's to give, and books stay in the currency that they were begun in. LB433.
CREATE FUNCTION guard_company() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user <> 'ledgerbee_app' THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.licenses <@ '{Subscription,CustomerPortal,MeteredProducts}'::text[] THEN
            RETURN NEW;
        END IF;
    ELSIF (NEW.licenses, NEW.base_currency, NEW.created_at)
            IS NOT DISTINCT FROM (OLD.licenses, OLD.base_currency, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'licences and currency are not the API''s to change' USING ERRCODE = 'LB433';
END
$$;
CREATE TRIGGER guard_company BEFORE INSERT OR UPDATE ON companies FOR EACH ROW EXECUTE FUNCTION guard_company();

-- What was revoked stays revoked. LB434.
CREATE FUNCTION keep_revoked() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'it was revoked at %', OLD.revoked_at USING ERRCODE = 'LB434';
END
$$;
CREATE TRIGGER keep_revoked BEFORE UPDATE ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at AND OLD.revoked_at IS NOT NULL)
    EXECUTE FUNCTION keep_revoked();
CREATE TRIGGER keep_revoked BEFORE UPDATE ON oauth_clients FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at AND OLD.revoked_at IS NOT NULL)
    EXECUTE FUNCTION keep_revoked();

-- The API asks for deliveries; what becomes of one is the worker's to say. LB435.
CREATE FUNCTION guard_delivery() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user = 'ledgerbee_app' AND NEW.status NOT IN ('pending', 'manual') THEN
        RAISE EXCEPTION 'nothing was delivered yet' USING ERRCODE = 'LB435';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_delivery BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION guard_delivery();

-- Who may call and write what. Triggers fire whoever has no right to call their function.
REVOKE DELETE ON idempotency_keys FROM ledgerbee_app;
REVOKE INSERT, UPDATE, DELETE ON number_series FROM ledgerbee_app;
REVOKE ALL ON interrupted_jobs, rate_limit_hits FROM ledgerbee_app;
ALTER FUNCTION take_rate_limit_hit(text, timestamptz, int, interval) SECURITY DEFINER;
REVOKE UPDATE ON deliveries FROM ledgerbee_app;
GRANT UPDATE (is_latest) ON deliveries TO ledgerbee_app;
GRANT UPDATE (status, updated_at) ON deliveries TO ledgerbee_worker;
REVOKE INSERT ON delivery_attempts FROM ledgerbee_app;
GRANT INSERT ON delivery_attempts TO ledgerbee_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON interrupted_jobs TO ledgerbee_worker;
DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN SELECT p.oid FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                  AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', ours);
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION purge_expired(timestamptz), silent_uploads(timestamptz),
    stale_blob_leases(timestamptz) FROM ledgerbee_app;
GRANT EXECUTE ON FUNCTION purge_expired(timestamptz), silent_uploads(timestamptz),
    stale_blob_leases(timestamptz), enter_company_for_job(uuid, text[], timestamptz, boolean) TO ledgerbee_worker;
GRANT EXECUTE ON FUNCTION current_company(), visible_company(name), enter_company(bytea[], int[], text[], timestamptz, boolean),
    enter_new_company(uuid), revoke_token(uuid, bytea), take_number(text), earliest_turn(text), rolled_up_through(bigint)
    TO ledgerbee_app;

-- What can change of an account, a VAT code and the rest is what the API changes: UPDATE of single columns.
REVOKE UPDATE ON accounts, api_keys, company_exchange_rates, credentials, document_templates, journal_categories,
    oauth_clients, vat_codes, customer_groups, vendor_groups, vendors FROM ledgerbee_app;
GRANT UPDATE (updated_at) ON vendors TO ledgerbee_app; -- to hold one
GRANT UPDATE (name, vat_code_id, is_active) ON accounts TO ledgerbee_app;
GRANT UPDATE (revoked_at) ON api_keys TO ledgerbee_app;
GRANT UPDATE (rate, updated_at) ON company_exchange_rates TO ledgerbee_app;
GRANT UPDATE (scopes, ip_allowlist, version) ON credentials TO ledgerbee_app;
-- Hashes are the key of their table over all companies. Whoever may compare them sees, by what EXPLAIN ANALYZE counts, how many
-- of all companies are less than any other.
REVOKE SELECT ON credentials FROM ledgerbee_app;
GRANT SELECT (company_id, kind, subject_id, scopes, ip_allowlist, expires_at, version, made_by)
    ON credentials TO ledgerbee_app;
GRANT UPDATE (is_default) ON document_templates, journal_categories TO ledgerbee_app;
GRANT UPDATE (name, scopes, ip_allowlist, revoked_at) ON oauth_clients TO ledgerbee_app;
GRANT UPDATE (name, is_active) ON vat_codes TO ledgerbee_app;

-- What other sessions run, with the values in their statements, is for those who look after the server; the names of a
-- session's prepared statements and cursors are for its driver; large objects and the ending of sessions
-- are nobody's business here. Takes a superuser; for other servers see docs/operations/security.md.
DO $$
BEGIN
    IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(int), pg_stat_get_backend_activity(int) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION pg_stat_get_activity(int), pg_stat_get_backend_activity(int) TO pg_read_all_stats;
        REVOKE EXECUTE ON FUNCTION pg_prepared_statement(), pg_cursor(), lo_creat(int), lo_create(oid),
            lo_from_bytea(oid, bytea) FROM PUBLIC;
        REVOKE EXECUTE ON FUNCTION pg_cancel_backend(int), pg_terminate_backend(int, bigint) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION pg_cancel_backend(int), pg_terminate_backend(int, bigint) TO pg_signal_backend;
    END IF;
END
$$;

-- The lines of a posting that the guard refuses for their account: all that have the same fault as one of `entry`, in order,
-- the first 1000 of them. A posting is the entries that the transaction adds; it has at most 1000.
CREATE FUNCTION alike_lines(company uuid, entry uuid, fault text) RETURNS json
    LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT json_build_object('alike', json_agg(json_strip_nulls(json_build_object(
        'entryId', f.entry_id, 'line', f.line_number, 'accountId', f.account_id, 'field', CASE fault WHEN 'LB416' THEN
            CASE f.control WHEN 'ACCOUNTS_RECEIVABLE' THEN 'customerId' ELSE 'vendorId' END END))))
    FROM (
        SELECT l.entry_id, l.line_number, l.account_id, a.control_account_type AS control
        FROM journal_entries own
        JOIN journal_entries e ON e.company_id = own.company_id AND e.xmin = own.xmin
            AND e.chain_position BETWEEN own.chain_position - 1000 AND own.chain_position + 1000
        JOIN journal_lines l ON l.company_id = e.company_id AND l.entry_id = e.id
        LEFT JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
        WHERE own.company_id = company AND own.id = entry AND fault = CASE
            WHEN a.id IS NULL THEN 'LB414'
            WHEN (a.ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')
                  AND (a.is_active OR e.reverses_entry_id IS NOT NULL)) IS NOT TRUE THEN 'LB415'
            WHEN CASE a.control_account_type WHEN 'ACCOUNTS_RECEIVABLE' THEN e.customer_id
                 WHEN 'ACCOUNTS_PAYABLE' THEN e.vendor_id ELSE company END IS NULL THEN 'LB416' END
        ORDER BY e.chain_position, l.line_number
        LIMIT 1000
    ) f
$$;
REVOKE EXECUTE ON FUNCTION alike_lines(uuid, uuid, text) FROM PUBLIC;

-- As in 0009, with all lines that have the same fault as the first.
CREATE OR REPLACE FUNCTION refuse_journal_line(company uuid, entry uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    line record;
    base text := (SELECT g.base_currency FROM ledgers g WHERE g.company_id = company);
BEGIN
    FOR line IN
        SELECT l.line_number, l.account_id, l.vat_code_id, a.id AS known_account, v.id AS known_vat_code,
               e.id AS known_entry, a.control_account_type AS control,
               a.ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')
                   AND (a.is_active OR e.reverses_entry_id IS NOT NULL) AS is_bookable,
               CASE a.control_account_type WHEN 'ACCOUNTS_RECEIVABLE' THEN e.customer_id
                   WHEN 'ACCOUNTS_PAYABLE' THEN e.vendor_id END AS party,
               are_tags(company, l.tag_ids) AS are_tags,
               l.currency = base AND l.amount <> l.base_amount AS differs_from_base
        FROM journal_lines l
        LEFT JOIN journal_entries e ON e.company_id = l.company_id AND e.id = l.entry_id
        LEFT JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
        LEFT JOIN vat_codes v ON v.company_id = l.company_id AND v.id = l.vat_code_id
        WHERE l.company_id = company AND l.entry_id = entry
        ORDER BY l.line_number
    LOOP
        IF line.known_account IS NULL THEN
            RAISE EXCEPTION 'no such account in the company' USING ERRCODE = 'LB414',
                DETAIL = alike_lines(company, entry, 'LB414');
        ELSIF NOT line.is_bookable THEN
            RAISE EXCEPTION 'the account can not be booked on' USING ERRCODE = 'LB415',
                DETAIL = alike_lines(company, entry, 'LB415');
        ELSIF line.control IS NOT NULL AND line.party IS NULL AND line.known_entry IS NOT NULL THEN
            RAISE EXCEPTION 'a control account needs its party' USING ERRCODE = 'LB416',
                DETAIL = alike_lines(company, entry, 'LB416');
        ELSIF line.vat_code_id IS NOT NULL AND line.known_vat_code IS NULL THEN
            RAISE EXCEPTION 'no such VAT code in the company' USING ERRCODE = 'LB417', DETAIL = json_build_object(
                'entryId', entry, 'line', line.line_number, 'field', 'vatCodeId', 'vatCodeId', line.vat_code_id);
        ELSIF NOT line.are_tags THEN
            RAISE EXCEPTION 'no such dimension value in the company' USING ERRCODE = 'LB417',
                DETAIL = json_build_object('entryId', entry, 'line', line.line_number, 'field', 'tagIds');
        ELSIF line.differs_from_base THEN
            RAISE EXCEPTION 'an amount in base currency is its own base amount' USING ERRCODE = 'LB413',
                DETAIL = json_build_object('entryId', entry, 'line', line.line_number);
        END IF;
    END LOOP;
    RAISE EXCEPTION 'an entry and its lines are written together and agree' USING ERRCODE = 'LB418',
        DETAIL = json_build_object('entryId', entry);
END
$$;

-- The job that delivers an invoice is one for documents of any kind. The queue comes after the first migration.
DO $$
BEGIN
    IF to_regclass('public.pgqueuer') IS NOT NULL THEN
        UPDATE pgqueuer SET entrypoint = 'deliver_document' WHERE entrypoint = 'deliver_invoice';
    END IF;
END
$$;
