-- Functions of the owner take the company as their first argument and check it against the one that the transaction has
-- entered. Those that work before a company is known take none: migrations/README.md lists them.

-- Refuses a company that is not the one that the transaction has entered. The owner's own sessions, in which nobody
-- took another role, name theirs without a proof. LB403.
CREATE FUNCTION check_company(company uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF company = nullif(current_setting('app.company_id', true), '')::uuid
            AND (company_proof(company) = current_setting('app.company_proof', true)
                 OR current_setting('role') IN ('none', current_user)
                    AND pg_has_role(session_user, current_user, 'MEMBER')) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'the transaction has not entered the company %', company USING ERRCODE = 'LB403';
END
$$;

DROP FUNCTION open_ledger, set_lock_date, hold_ledger, add_fiscal_year, post_entries, take_number, revoke_token,
    last_turn, make_room, earliest_turn, ledger_company;

-- Opens the books of a company. The chain starts from a value that follows from the company.
CREATE FUNCTION open_ledger(
    company uuid, base_currency text, minor_units int, year_id uuid, year_start date, year_end date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    INSERT INTO ledgers (company_id, base_currency, base_minor_units, head_hash)
    VALUES (company, open_ledger.base_currency, minor_units,
            sha256(convert_to('ledgerbee:genesis:' || company::text, 'UTF8')));
    -- The first company's chart was just written: tell the planner, before sessions keep plans made without it.
    IF (SELECT c.reltuples <= 0 FROM pg_class c WHERE c.oid = 'public.accounts'::regclass) THEN
        ANALYZE accounts, vat_codes, journal_categories;
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date) VALUES (company, year_id, year_start, year_end);
END
$$;

-- Locks the books through a day (null: not at all) and answers with what it was. Waits for postings under way, so
-- that none slips in behind; moves back only when told that this is meant.
CREATE FUNCTION set_lock_date(company uuid, day date, reopen boolean) RETURNS date
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before date;
BEGIN
    PERFORM check_company(company);
    SELECT g.locked_through INTO before FROM ledgers g WHERE g.company_id = company FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the company has no books' USING ERRCODE = 'LB404';
    ELSIF before IS NOT NULL AND coalesce(day < before, true) AND NOT reopen THEN
        RAISE EXCEPTION 'the lock date would move back' USING
            ERRCODE = 'LB420', DETAIL = json_build_object('lockedThrough', before);
    END IF;
    UPDATE ledgers g SET locked_through = day WHERE g.company_id = company;
    RETURN before;
END
$$;

-- Holds the row that whoever posts or opens a year holds until COMMIT: no year comes in between.
CREATE FUNCTION hold_ledger(company uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    PERFORM FROM ledgers g WHERE g.company_id = company FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the company has no books' USING ERRCODE = 'LB404';
    END IF;
END
$$;

-- Opens a financial year right before or after another one.
CREATE FUNCTION add_fiscal_year(company uuid, year_id uuid, year_start date, year_end date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known json;
BEGIN
    PERFORM hold_ledger(company); -- checks the company
    SELECT json_build_object('firstKnownDay', min(f.start_date), 'lastKnownDay', max(f.end_date)) INTO known
    FROM fiscal_years f WHERE f.company_id = company;
    IF EXISTS (SELECT FROM fiscal_years f
               WHERE f.company_id = company AND f.start_date <= year_end AND f.end_date >= year_start) THEN
        RAISE EXCEPTION 'the financial year overlaps another one' USING ERRCODE = 'LB421', DETAIL = known;
    ELSIF NOT EXISTS (SELECT FROM fiscal_years f WHERE f.company_id = company
                      AND (f.start_date = year_end + 1 OR f.end_date = year_start - 1)) THEN
        RAISE EXCEPTION 'the financial year leaves a gap' USING ERRCODE = 'LB422', DETAIL = known;
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date) VALUES (company, year_id, year_start, year_end);
END
$$;

-- Posts entries with their lines, all or none, in the order given, and answers with their place in the books.
-- Every array has one element an entry (or, `line_...`, one a line; `line_entries` counts entries from 1). Lists
-- of tags are array literals. `spare_year_ids` are ids for financial years that have to be opened.
--
-- An entry's place: number = one more than the last of its financial year; position = one more than the last of
-- the company; hash = sha256(previous hash || position || number || content digest), the two as 8-byte
-- big-endian integers. The company's row in `ledgers` is held from the first number to the COMMIT.
--
-- Totals by tag move here and not in a trigger: most entries carry none, and only this function knows at no cost.
--
-- Looked up by primary key, row by row, whatever the planner thought of tables that were empty when it was first
-- asked: no sequential scans, and (here and in the guards) subqueries that can only be run row by row.
CREATE FUNCTION post_entries(
    company uuid, moment timestamptz, spare_year_ids uuid[],
    ids uuid[], entry_types text[], dates date[], currencies text[], rates numeric[], original_amounts numeric[],
    descriptions text[], refs text[], external_ids text[], customer_ids uuid[], vendor_ids uuid[],
    category_ids uuid[], tags text[], source_types text[], source_ids uuid[], reversed_ids uuid[],
    line_counts int[], attachment_counts int[], digests bytea[],
    line_entries int[], line_numbers int[], line_ids uuid[], line_accounts uuid[], line_debits boolean[],
    line_amounts numeric[], line_base_amounts numeric[], line_types text[], line_vat_codes uuid[],
    line_descriptions text[], line_tags text[],
    line_vat_rates numeric[] DEFAULT NULL, line_vat_differences numeric[] DEFAULT NULL,
    delivery_dates date[] DEFAULT NULL,
    OUT base_currency text, OUT first_position bigint, OUT numbers int[], OUT previous_hashes bytea[],
    OUT hashes bytea[], OUT account_ids uuid[], OUT account_numbers int[], OUT account_names text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
AS $$
DECLARE
    book ledgers%ROWTYPE;
    fiscal_year fiscal_years%ROWTYPE;
    year_ids uuid[];
    head bytea;
    opened int := 0;
BEGIN
    PERFORM check_company(company);
    PERFORM check_moment(moment);
    SELECT g.* INTO book FROM ledgers g WHERE g.company_id = company FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the company has no books' USING ERRCODE = 'LB404';
    ELSIF line_amounts <> line_amounts::numeric(19, 4)[] OR original_amounts <> original_amounts::numeric(19, 4)[]
            OR line_base_amounts <> ARRAY(
                SELECT round(b.amount, book.base_minor_units) FROM unnest(line_base_amounts) AS b (amount)) THEN
        RAISE EXCEPTION 'an amount is finer than its currency' USING ERRCODE = 'LB413', DETAIL = '{}';
    END IF;
    base_currency := book.base_currency;
    first_position := book.chain_position + 1;
    head := book.head_hash;
    FOR i IN 1 .. cardinality(ids) LOOP
        IF dates[i] <= book.locked_through THEN
            RAISE EXCEPTION 'the date is in a locked period' USING ERRCODE = 'LB410',
                DETAIL = json_build_object('entryId', ids[i], 'lockedThrough', book.locked_through);
        ELSIF currencies[i] = book.base_currency AND rates[i] <> 1 THEN
            RAISE EXCEPTION 'the rate of the base currency is 1' USING ERRCODE = 'LB413',
                DETAIL = json_build_object('entryId', ids[i]);
        ELSIF fiscal_year.id IS NULL OR dates[i] NOT BETWEEN fiscal_year.start_date AND fiscal_year.end_date THEN
            IF fiscal_year.id IS NOT NULL THEN
                UPDATE fiscal_years f SET last_entry_number = fiscal_year.last_entry_number
                WHERE f.company_id = company AND f.id = fiscal_year.id;
            END IF;
            SELECT f.* INTO fiscal_year FROM fiscal_years f
            WHERE f.company_id = company AND dates[i] BETWEEN f.start_date AND f.end_date;
            IF NOT FOUND THEN
                opened := opened + 1;
                fiscal_year := open_fiscal_year(company, dates[i], spare_year_ids[opened], moment);
            END IF;
            IF fiscal_year.id IS NULL THEN
                RAISE EXCEPTION 'no financial year holds this date' USING ERRCODE = 'LB411',
                    DETAIL = json_build_object('entryId', ids[i]);
            END IF;
        END IF;
        fiscal_year.last_entry_number := fiscal_year.last_entry_number + 1;
        numbers[i] := fiscal_year.last_entry_number;
        year_ids[i] := fiscal_year.id;
        previous_hashes[i] := head;
        head := sha256(head || int8send(book.chain_position + i) || int8send(numbers[i]) || digests[i]);
        hashes[i] := head;
    END LOOP;
    UPDATE fiscal_years f SET last_entry_number = fiscal_year.last_entry_number
    WHERE f.company_id = company AND f.id = fiscal_year.id;
    UPDATE ledgers g SET chain_position = g.chain_position + cardinality(ids), head_hash = head
    WHERE g.company_id = company;
    -- One statement for both tables: the guards run after it and see entries and lines together.
    WITH entries AS (
        INSERT INTO journal_entries (company_id, id, entry_type, entry_date, fiscal_year_id, entry_number,
            chain_position, line_count, currency, exchange_rate, original_amount, description, reference,
            external_system_id, customer_id, vendor_id, journal_category_id, tag_ids, source_type, source_id,
            reverses_entry_id, attachment_count, posted_at, previous_hash, hash, delivery_date)
        SELECT company, e.id, e.entry_type, e.entry_date, e.fiscal_year_id, e.entry_number,
               first_position + e.place - 1, e.line_count, e.currency, e.rate, e.original_amount, e.description,
               e.reference, e.external_id, e.customer_id, e.vendor_id, e.category_id, coalesce(e.tags, '{}')::uuid[],
               e.source_type, e.source_id, e.reversed_id, coalesce(e.attachment_count, 0), moment, e.previous_hash,
               e.hash, e.delivery_date
        FROM unnest(ids, entry_types, dates, year_ids, numbers, line_counts, currencies, rates, original_amounts,
                    descriptions, refs, external_ids, customer_ids, vendor_ids, category_ids, tags, source_types,
                    source_ids, reversed_ids, attachment_counts, previous_hashes, hashes, delivery_dates)
                    WITH ORDINALITY
            AS e (id, entry_type, entry_date, fiscal_year_id, entry_number, line_count, currency, rate,
                  original_amount, description, reference, external_id, customer_id, vendor_id, category_id, tags,
                  source_type, source_id, reversed_id, attachment_count, previous_hash, hash, delivery_date, place)
    )
    INSERT INTO journal_lines (company_id, entry_id, line_number, id, account_id, entry_date, is_debit, currency,
        amount, base_amount, line_type, vat_code_id, customer_id, vendor_id, description, tag_ids, vat_rate,
        vat_difference)
    SELECT company, ids[l.entry], l.line_number, l.id, l.account_id, dates[l.entry], l.is_debit, currencies[l.entry],
           CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END,
           CASE WHEN l.is_debit THEN l.base_amount ELSE -l.base_amount END,
           l.line_type, l.vat_code_id,
           CASE a.control_account_type WHEN 'ACCOUNTS_RECEIVABLE' THEN customer_ids[l.entry] END,
           CASE a.control_account_type WHEN 'ACCOUNTS_PAYABLE' THEN vendor_ids[l.entry] END,
           l.description, coalesce(l.tags, '{}')::uuid[], l.vat_rate, l.vat_difference
    FROM unnest(line_entries, line_numbers, line_ids, line_accounts, line_debits, line_amounts, line_base_amounts,
                line_types, line_vat_codes, line_descriptions, line_tags, line_vat_rates, line_vat_differences)
        AS l (entry, line_number, id, account_id, is_debit, amount, base_amount, line_type, vat_code_id,
              description, tags, vat_rate, vat_difference)
    LEFT JOIN LATERAL (SELECT * FROM accounts a
                       WHERE a.company_id = company AND a.id = l.account_id OFFSET 0) a ON true;
    IF tags IS NOT NULL OR line_tags IS NOT NULL THEN
        INSERT INTO tag_months AS m (company_id, tag_id, account_id, month, base_debit, base_credit)
        SELECT company, t.id, l.account_id, l.entry_date - (extract(day FROM l.entry_date)::int - 1) AS month,
               coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0),
               coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0)
        FROM unnest(ids) AS p (id)
        JOIN journal_entries e ON e.company_id = company AND e.id = p.id
        JOIN journal_lines l ON l.company_id = company AND l.entry_id = p.id
        CROSS JOIN LATERAL (SELECT unnest(e.tag_ids) UNION SELECT unnest(l.tag_ids)) AS t (id)
        GROUP BY t.id, l.account_id, 4
        ORDER BY t.id, l.account_id, 4
        ON CONFLICT (company_id, tag_id, account_id, month) DO UPDATE SET
            base_debit = m.base_debit + excluded.base_debit, base_credit = m.base_credit + excluded.base_credit;
    END IF;
    -- The planner learns of the tables early. While they are small, which index looks cheapest changes from page to
    -- page, and a session keeps what it planned then: another one than the primary key, and each lookup of an entry
    -- walks through all entries of its company. Every 256th position asks; once the planner has heard of so many rows,
    -- no more.
    IF book.chain_position / 256 < (book.chain_position + cardinality(ids)) / 256
            AND (SELECT c.reltuples < 256 FROM pg_class c WHERE c.oid = 'public.journal_entries'::regclass)
            AND pg_try_advisory_xact_lock(hashtextextended('analyze', 4)) THEN
        ANALYZE journal_entries, journal_lines, account_months, events, idempotency_keys;
    END IF;
    SELECT array_agg(a.id), array_agg(a.number), array_agg(a.name) INTO account_ids, account_numbers, account_names
    FROM accounts a WHERE a.company_id = company AND a.id = ANY (line_accounts);
END
$$;

-- The next numbers of a series: the last of them. What takes one and does not use it is refused at COMMIT.
CREATE FUNCTION take_numbers(company uuid, series text, how_many int, OUT last_number bigint, OUT prefix text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    IF how_many IS NULL OR how_many < 1 THEN
        RAISE EXCEPTION '% numbers cannot be taken', how_many USING ERRCODE = 'LB425';
    END IF;
    INSERT INTO number_series AS s (company_id, name, last_number) VALUES (company, series, how_many)
    ON CONFLICT (company_id, name) DO UPDATE SET last_number = s.last_number + how_many
    RETURNING s.last_number, s.prefix INTO take_numbers.last_number, take_numbers.prefix;
END
$$;

-- As in 0024, of all numbers that were taken at once: each is a document's when the transaction ends. The one place that
-- knows the series: another one is added here (CREATE OR REPLACE in a later revision). LB425.
CREATE OR REPLACE FUNCTION refuse_unused_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    last_before bigint := CASE TG_OP WHEN 'UPDATE' THEN OLD.last_number ELSE 0 END;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NEW.name <> 'invoice' OR NEW.last_number - last_before <> (
            SELECT count(*) FROM invoices i WHERE i.company_id = NEW.company_id
            AND i.number_sequence > last_before AND i.number_sequence <= NEW.last_number) THEN
        RAISE EXCEPTION 'a number up to % of the series % is no document''s', NEW.last_number, NEW.name
            USING ERRCODE = 'LB425';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;

-- Ends an access token of a client of the company; another company's stays as it is.
CREATE FUNCTION revoke_token(company uuid, client uuid, hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    DELETE FROM credentials c
    WHERE c.company_id = company AND c.subject_id = client AND c.secret_hash = hash AND c.kind = 'oauth_token';
END
$$;

-- The last turn among the jobs of a name that the company has waiting; null where it has none.
CREATE FUNCTION last_turn(company uuid, name text) RETURNS int
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    RETURN (SELECT -min(q.priority) FROM pgqueuer q
            WHERE job_company(q.payload) = company::text AND q.entrypoint = name AND q.status = 'queued');
END
$$;

-- Moves these jobs back by so many seconds, for one that goes before them; the turn that the first of them had. In
-- order of ids, so that two who do this don't wait for each other.
CREATE FUNCTION make_room(company uuid, name text, seconds int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first int;
BEGIN
    PERFORM check_company(company);
    WITH waiting AS (
        SELECT q.id, q.priority FROM pgqueuer q
        WHERE job_company(q.payload) = company::text AND q.entrypoint = name AND q.status = 'queued'
        ORDER BY q.id FOR UPDATE
    ), moved AS (
        UPDATE pgqueuer q SET priority = greatest(q.priority::bigint - seconds, -2147483647)
        FROM waiting w WHERE q.id = w.id
    )
    SELECT -max(w.priority) INTO first FROM waiting w;
    RETURN first;
END
$$;

-- The first turn that a new job of the company may have, see platform/job_turns.py: behind those that it has waiting,
-- and not before now.
CREATE FUNCTION earliest_turn(company uuid, job text) RETURNS int
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT greatest(0, last_turn(company, job) + 60, -- checks the company
                            floor(extract(epoch FROM clock_timestamp() - t.clock_tolerance
                                                     - timestamptz '2026-01-01 00:00+00')))
            FROM application_trust t);
END
$$;

-- As in 0024, with the company named to earliest_turn. LB429.
CREATE OR REPLACE FUNCTION guard_jobs() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user <> 'ledgerbee_app' THEN
        RETURN NEW;
    ELSIF ((convert_from(NEW.payload, 'UTF8')::json ->> 'companyId')::uuid = current_company()) IS NOT TRUE THEN
        RAISE EXCEPTION 'a job is of the company that asks for it' USING ERRCODE = 'LB429';
    ELSIF NEW.status <> 'queued' OR NEW.dedupe_key IS NOT NULL OR NEW.execute_after < now()
            OR -NEW.priority::bigint < earliest_turn(current_company(), NEW.entrypoint) THEN
        RAISE EXCEPTION 'a job waits for its turn' USING ERRCODE = 'LB429';
    ELSIF NEW.id > pg_sequence_last_value('public.pgqueuer_id_seq') THEN
        RAISE EXCEPTION 'the number of a job is the next one' USING ERRCODE = 'LB429';
    END IF;
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION check_company, open_ledger, set_lock_date, hold_ledger, add_fiscal_year, post_entries,
    take_numbers, revoke_token, last_turn, make_room, earliest_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_ledger, set_lock_date, hold_ledger, add_fiscal_year, post_entries, take_numbers,
    revoke_token, last_turn, make_room, earliest_turn TO ledgerbee_app;

-- Triggers learn from their first argument which table they stand on: a table's name is not always the one that it was
-- given here.

-- As in 0004.
CREATE OR REPLACE FUNCTION refuse_change_of_posted() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_ARGV[0] = 'journal_entries' THEN
        NEW.reference := OLD.reference;
        NEW.reference_key := OLD.reference_key;
        NEW.external_system_id := OLD.external_system_id;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'posted journal entries do not change: reverse them instead' USING ERRCODE = 'LB419';
END
$$;
-- After the row is written, so that NEW is what really stands there, whatever other triggers did.
CREATE OR REPLACE TRIGGER refuse_change AFTER UPDATE ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_posted('journal_entries');
CREATE OR REPLACE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted('journal_entries');
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted('journal_lines');
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted('journal_attachments');

-- What posted lines stand on stays, as in 0004: accounts keep their kind, accounts and parties can't be removed. The
-- hot row orders this after any posting that is under way.
CREATE OR REPLACE FUNCTION keep_what_is_posted_on() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used boolean;
BEGIN
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    CASE TG_ARGV[0]
        WHEN 'accounts' THEN
            used := EXISTS (SELECT FROM journal_lines l
                            WHERE l.company_id = OLD.company_id AND l.account_id = OLD.id);
        WHEN 'customers' THEN
            used := EXISTS (SELECT FROM journal_entries e
                            WHERE e.company_id = OLD.company_id AND e.customer_id = OLD.id);
        WHEN 'vendors' THEN
            used := EXISTS (SELECT FROM journal_entries e
                            WHERE e.company_id = OLD.company_id AND e.vendor_id = OLD.id);
    END CASE;
    IF used THEN
        RAISE EXCEPTION 'journal entries stand on it' USING
            ERRCODE = 'foreign_key_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'journal_lines_' || TG_ARGV[0];
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE OR REPLACE TRIGGER keep_posted_kind BEFORE UPDATE ON accounts FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id, OLD.ledger_type, OLD.control_account_type)
          IS DISTINCT FROM (NEW.company_id, NEW.id, NEW.ledger_type, NEW.control_account_type))
    EXECUTE FUNCTION keep_what_is_posted_on('accounts');
CREATE OR REPLACE TRIGGER keep_posted BEFORE DELETE ON accounts FOR EACH ROW
    EXECUTE FUNCTION keep_what_is_posted_on('accounts');
CREATE OR REPLACE TRIGGER keep_posted BEFORE DELETE ON customers FOR EACH ROW
    EXECUTE FUNCTION keep_what_is_posted_on('customers');
CREATE OR REPLACE TRIGGER keep_posted_id BEFORE UPDATE ON customers FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id) IS DISTINCT FROM (NEW.company_id, NEW.id))
    EXECUTE FUNCTION keep_what_is_posted_on('customers');
CREATE OR REPLACE TRIGGER keep_posted BEFORE DELETE ON vendors FOR EACH ROW
    EXECUTE FUNCTION keep_what_is_posted_on('vendors');
CREATE OR REPLACE TRIGGER keep_posted_id BEFORE UPDATE ON vendors FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id) IS DISTINCT FROM (NEW.company_id, NEW.id))
    EXECUTE FUNCTION keep_what_is_posted_on('vendors');

-- As in 0008: no value lies below itself. Whoever gives a value a parent holds the dimension's row until COMMIT, so
-- that two moves at once can't close a circle between them.
CREATE OR REPLACE FUNCTION refuse_circle_of_values() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ancestor uuid := NEW.parent_id;
BEGIN
    PERFORM FROM dimensions d WHERE d.company_id = NEW.company_id AND d.id = NEW.dimension_id FOR NO KEY UPDATE;
    WHILE ancestor IS NOT NULL LOOP
        IF ancestor = NEW.id THEN
            RAISE EXCEPTION 'a value can not lie below itself' USING
                ERRCODE = 'check_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'dimension_values_no_circle';
        END IF;
        SELECT v.parent_id INTO ancestor FROM dimension_values v
        WHERE v.company_id = NEW.company_id AND v.id = ancestor;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER refuse_circle BEFORE INSERT OR UPDATE OF id, parent_id ON dimension_values FOR EACH ROW
    WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION refuse_circle_of_values('dimension_values');

-- As in 0008: a value that something carries stays, and its dimension doesn't become stricter than what was posted. The
-- company's row in `ledgers` orders this after any posting that is under way.
CREATE OR REPLACE FUNCTION keep_values_in_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tags uuid[] := ARRAY[OLD.id];
    used_by text[];
BEGIN
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    IF TG_ARGV[0] = 'dimensions' THEN
        tags := ARRAY(SELECT v.id FROM dimension_values v
                      WHERE v.company_id = OLD.company_id AND v.dimension_id = OLD.id);
    END IF;
    used_by := uses_of_tags(OLD.company_id, tags);
    IF cardinality(used_by) > 0 THEN
        RAISE EXCEPTION 'the value is in use' USING
            ERRCODE = 'foreign_key_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'dimension_values_in_use',
            DETAIL = to_json(used_by);
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE OR REPLACE TRIGGER keep_used BEFORE DELETE ON dimension_values FOR EACH ROW
    EXECUTE FUNCTION keep_values_in_use('dimension_values');
CREATE OR REPLACE TRIGGER keep_used_id BEFORE UPDATE ON dimension_values FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id, OLD.dimension_id) IS DISTINCT FROM (NEW.company_id, NEW.id, NEW.dimension_id))
    EXECUTE FUNCTION keep_values_in_use('dimension_values');
CREATE OR REPLACE TRIGGER keep_used_kind BEFORE UPDATE ON dimensions FOR EACH ROW
    WHEN (NEW.is_unique AND NOT OLD.is_unique OR NEW.is_project <> OLD.is_project)
    EXECUTE FUNCTION keep_values_in_use('dimensions');

-- As in 0010. SQLSTATEs: LB421 the blob has no lease; LB417 there is no such entry.
CREATE OR REPLACE FUNCTION guard_attachments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fault record;
BEGIN
    WITH held AS (
        SELECT l.company_id, l.hash FROM blob_leases l
        WHERE (l.company_id, l.hash) IN (SELECT n.company_id, n.hash FROM new_attachments n)
        FOR KEY SHARE
    )
    SELECT n.id INTO fault FROM new_attachments n
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.company_id = n.company_id AND h.hash = n.hash)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an attachment is written under a lease of its blob'
            USING ERRCODE = 'LB421', DETAIL = json_build_object('attachmentId', fault.id);
    END IF;
    IF TG_ARGV[0] = 'journal_attachments' THEN
        SELECT n.id, n.entry_id INTO fault FROM new_attachments n
        WHERE (SELECT e.id FROM journal_entries e
               WHERE e.company_id = n.company_id AND e.id = n.entry_id) IS NULL
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'no such journal entry in the company' USING ERRCODE = 'LB417',
                DETAIL = json_build_object('entryId', fault.entry_id, 'field', 'attachments');
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER guard_attachments AFTER INSERT ON journal_attachments
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION guard_attachments('journal_attachments');
CREATE OR REPLACE TRIGGER guard_attachments AFTER INSERT ON draft_attachments
    REFERENCING NEW TABLE AS new_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION guard_attachments('draft_attachments');
