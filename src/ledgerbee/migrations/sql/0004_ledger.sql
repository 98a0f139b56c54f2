-- The general ledger. Entries are written by post_entries() alone, once, and never change: the application has
-- no right to write these tables, and triggers hold the owner to the same rules.
--
-- Amounts are signed, debit positive. `amount` is in the entry's currency, `base_amount` in the company's.
--
-- Primary keys are added last on purpose. While a table is empty all its indexes look equally good to the planner,
-- and it takes the youngest; a session that starts then keeps that plan until the first ANALYZE, and with any other
-- index than the primary key each lookup by id would walk through all rows of the company.

-- Financial years: whole months, at most 18 of them. Numbers of entries start again in each.
CREATE TABLE fiscal_years (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    start_date date NOT NULL CHECK (extract(day FROM start_date) = 1),
    end_date date NOT NULL CHECK (extract(day FROM end_date + 1) = 1),
    last_entry_number int NOT NULL DEFAULT 0 CHECK (last_entry_number >= 0),
    CONSTRAINT fiscal_years_start UNIQUE (company_id, start_date),
    CONSTRAINT fiscal_years_end UNIQUE (company_id, end_date),
    CHECK (end_date > start_date AND end_date < start_date + interval '18 months')
) WITH (fillfactor = 50);
ALTER TABLE fiscal_years ADD PRIMARY KEY (company_id, id);
SELECT protect_table('fiscal_years', 'SELECT');

-- The one hot row of a company: whoever posts holds it until COMMIT, so numbers and the chain have no gaps.
CREATE TABLE ledgers (
    company_id uuid PRIMARY KEY,
    base_currency text NOT NULL,
    base_minor_units int NOT NULL CHECK (base_minor_units BETWEEN 0 AND 4),
    chain_position bigint NOT NULL DEFAULT 0 CHECK (chain_position >= 0),
    head_hash bytea NOT NULL CHECK (length(head_hash) = 32),
    -- The last locked day: nothing is posted on it or before it.
    locked_through date
) WITH (fillfactor = 50);
SELECT protect_table('ledgers', 'SELECT');

CREATE TABLE journal_entries (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    entry_type text NOT NULL CHECK (entry_type IN
        ('JOURNAL_ENTRY', 'SUPPLIER_INVOICE', 'SUPPLIER_PAYMENT', 'CUSTOMER_INVOICE', 'CUSTOMER_PAYMENT')),
    entry_date date NOT NULL,
    fiscal_year_id uuid NOT NULL,
    entry_number int NOT NULL CHECK (entry_number > 0),
    chain_position bigint NOT NULL CHECK (chain_position > 0),
    line_count int NOT NULL CHECK (line_count >= 2),
    currency text NOT NULL,
    exchange_rate numeric(24, 12) NOT NULL CHECK (exchange_rate > 0),
    original_amount numeric(19, 4) NOT NULL,
    description text,
    reference text,
    -- What a search compares with. Columns, because row-level security keeps lower() and LIKE away from indexes (they
    -- are not leakproof; comparing is), and cut, because a whole text would not fit into an index row.
    description_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(description, 200))) STORED,
    reference_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(reference, 200))) STORED,
    external_system_id text,
    customer_id uuid,
    vendor_id uuid,
    journal_category_id uuid,
    tag_ids uuid[] NOT NULL DEFAULT '{}',
    -- The document behind the entry (its voucher), of another context.
    source_type text,
    source_id uuid,
    reverses_entry_id uuid,
    posted_at timestamptz NOT NULL,
    previous_hash bytea NOT NULL CHECK (length(previous_hash) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    CONSTRAINT journal_entries_chain UNIQUE (company_id, chain_position),
    CONSTRAINT journal_entries_number UNIQUE (company_id, fiscal_year_id, entry_number)
);
-- The list in its default order; what it is often narrowed by rides along, so that counting stays in the index.
CREATE INDEX journal_entries_list ON journal_entries (company_id, entry_date, id) INCLUDE (entry_type, original_amount);
CREATE INDEX journal_entries_customer ON journal_entries (company_id, customer_id, entry_date, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX journal_entries_vendor ON journal_entries (company_id, vendor_id, entry_date, id)
    WHERE vendor_id IS NOT NULL;
CREATE INDEX journal_entries_external ON journal_entries (company_id, external_system_id)
    WHERE external_system_id IS NOT NULL;
CREATE INDEX journal_entries_source ON journal_entries (company_id, source_id) WHERE source_id IS NOT NULL;
CREATE INDEX journal_entries_description ON journal_entries (company_id, description_key)
    WHERE description_key IS NOT NULL;
CREATE INDEX journal_entries_reference ON journal_entries (company_id, reference_key)
    WHERE reference_key IS NOT NULL;
-- An entry is reversed once.
CREATE UNIQUE INDEX journal_entries_reverses ON journal_entries (company_id, reverses_entry_id)
    WHERE reverses_entry_id IS NOT NULL;
ALTER TABLE journal_entries ADD PRIMARY KEY (company_id, id);
SELECT protect_table('journal_entries', 'SELECT');
GRANT UPDATE (reference, external_system_id) ON journal_entries TO ledgerbee_app;

-- Date, currency and (on control accounts) the party are the entry's, repeated where reports look for them.
CREATE TABLE journal_lines (
    company_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    line_number int NOT NULL CHECK (line_number > 0),
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    entry_date date NOT NULL,
    -- A line of nothing has a side too.
    is_debit boolean NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    base_amount numeric(19, 4) NOT NULL,
    line_type text NOT NULL CHECK (line_type IN ('ENTERED', 'VAT', 'VAT_CONTRA', 'CONTROL')),
    vat_code_id uuid,
    customer_id uuid,
    vendor_id uuid,
    description text,
    tag_ids uuid[] NOT NULL DEFAULT '{}',
    CONSTRAINT journal_lines_sign CHECK (
        CASE WHEN is_debit THEN amount >= 0 AND base_amount >= 0 ELSE amount <= 0 AND base_amount <= 0 END)
);
-- An account's lines by day: statements, the filter of lists, and the days of a month that a report cuts through.
CREATE INDEX journal_lines_account ON journal_lines (company_id, account_id, entry_date)
    INCLUDE (entry_id, is_debit, base_amount);
CREATE INDEX journal_lines_customer ON journal_lines (company_id, customer_id, entry_date)
    WHERE customer_id IS NOT NULL;
CREATE INDEX journal_lines_vendor ON journal_lines (company_id, vendor_id, entry_date) WHERE vendor_id IS NOT NULL;
ALTER TABLE journal_lines ADD PRIMARY KEY (company_id, entry_id, line_number);
SELECT protect_table('journal_lines', 'SELECT');

-- Turnover by month, moved in the transaction that posts: what reports read instead of all lines.
CREATE TABLE account_months (
    company_id uuid NOT NULL,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    debit numeric(28, 4) NOT NULL CHECK (debit >= 0),
    credit numeric(28, 4) NOT NULL CHECK (credit >= 0),
    base_debit numeric(28, 4) NOT NULL CHECK (base_debit >= 0),
    base_credit numeric(28, 4) NOT NULL CHECK (base_credit >= 0),
    PRIMARY KEY (company_id, account_id, currency, month)
) WITH (fillfactor = 50);
SELECT protect_table('account_months', 'SELECT');

-- The SQLSTATEs that the application knows (their DETAIL is JSON):
--   LB410 locked period      LB411 no financial year    LB412 unbalanced        LB413 amount or rate
--   LB414 no such account    LB415 not bookable         LB416 party missing     LB417 reference to nothing
--   LB418 entry and lines don't belong together         LB419 posted rows don't change
--   LB420 the lock date would move back                 LB403 no company        LB404 the books aren't open

-- Every entry has its lines, and what it refers to exists in the company.
CREATE FUNCTION guard_journal_entries() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fault record;
BEGIN
    SELECT f.id, f.field INTO fault
    FROM (
        SELECT e.id, CASE
            WHEN (SELECT l.id FROM journal_lines l
                  WHERE l.company_id = e.company_id AND l.entry_id = e.id AND l.line_number = 1) IS NULL THEN 'lines'
            WHEN e.customer_id IS NOT NULL AND (SELECT c.id FROM customers c
                  WHERE c.company_id = e.company_id AND c.id = e.customer_id) IS NULL THEN 'customerId'
            WHEN e.vendor_id IS NOT NULL AND (SELECT v.id FROM vendors v
                  WHERE v.company_id = e.company_id AND v.id = e.vendor_id) IS NULL THEN 'vendorId'
            WHEN e.journal_category_id IS NOT NULL AND (SELECT j.id FROM journal_categories j
                  WHERE j.company_id = e.company_id AND j.id = e.journal_category_id) IS NULL THEN 'journalCategoryId'
            WHEN e.reverses_entry_id IS NOT NULL AND (SELECT r.id FROM journal_entries r
                  WHERE r.company_id = e.company_id AND r.id = e.reverses_entry_id) IS NULL THEN 'reversesEntryId'
            END AS field
        FROM new_entries e
        OFFSET 0
    ) f
    WHERE f.field IS NOT NULL
    LIMIT 1;
    IF FOUND AND fault.field = 'lines' THEN
        RAISE EXCEPTION 'a journal entry is written together with its lines'
            USING ERRCODE = 'LB418', DETAIL = json_build_object('entryId', fault.id);
    ELSIF FOUND THEN
        RAISE EXCEPTION 'the entry refers to something the company does not have'
            USING ERRCODE = 'LB417', DETAIL = json_build_object('entryId', fault.id, 'field', fault.field);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER guard_journal_entries AFTER INSERT ON journal_entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION guard_journal_entries();

-- Names what is wrong with the lines just written; runs only when something is.
CREATE FUNCTION refuse_journal_line(company uuid, entry uuid) RETURNS void
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
                DETAIL = json_build_object('entryId', entry, 'line', line.line_number, 'accountId', line.account_id);
        ELSIF NOT line.is_bookable THEN
            RAISE EXCEPTION 'the account can not be booked on' USING ERRCODE = 'LB415',
                DETAIL = json_build_object('entryId', entry, 'line', line.line_number, 'accountId', line.account_id);
        ELSIF line.control IS NOT NULL AND line.party IS NULL AND line.known_entry IS NOT NULL THEN
            RAISE EXCEPTION 'a control account needs its party' USING ERRCODE = 'LB416', DETAIL = json_build_object(
                'entryId', entry, 'line', line.line_number, 'accountId', line.account_id,
                'field', CASE line.control WHEN 'ACCOUNTS_RECEIVABLE' THEN 'customerId' ELSE 'vendorId' END);
        ELSIF line.vat_code_id IS NOT NULL AND line.known_vat_code IS NULL THEN
            RAISE EXCEPTION 'no such VAT code in the company' USING ERRCODE = 'LB417', DETAIL = json_build_object(
                'entryId', entry, 'line', line.line_number, 'field', 'vatCodeId', 'vatCodeId', line.vat_code_id);
        ELSIF line.differs_from_base THEN
            RAISE EXCEPTION 'an amount in base currency is its own base amount' USING ERRCODE = 'LB413',
                DETAIL = json_build_object('entryId', entry, 'line', line.line_number);
        END IF;
    END LOOP;
    RAISE EXCEPTION 'an entry and its lines are written together and agree' USING ERRCODE = 'LB418',
        DETAIL = json_build_object('entryId', entry);
END
$$;

-- Every entry balances in both currencies and is complete, every line stands on an account that takes it (with
-- its party, where the account stands for parties); then the monthly totals move. One pass over a statement's
-- lines: foreign keys row by row cost more than half of a batch.
CREATE FUNCTION guard_journal_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fault record;
BEGIN
    SELECT l.company_id, l.entry_id, sum(l.amount) AS amount, sum(l.base_amount) AS base_amount
    INTO fault
    FROM new_lines l
    LEFT JOIN LATERAL (SELECT * FROM journal_entries e
                       WHERE e.company_id = l.company_id AND e.id = l.entry_id OFFSET 0) e ON true
    LEFT JOIN LATERAL (SELECT * FROM accounts a
                       WHERE a.company_id = l.company_id AND a.id = l.account_id OFFSET 0) a ON true
    LEFT JOIN LATERAL (SELECT * FROM ledgers g WHERE g.company_id = l.company_id OFFSET 0) g ON true
    GROUP BY l.company_id, l.entry_id, e.line_count
    HAVING sum(l.amount) <> 0
        OR sum(l.base_amount) <> 0
        OR count(*) IS DISTINCT FROM e.line_count
        OR min(l.line_number) <> 1
        OR max(l.line_number) <> count(*)
        OR NOT bool_and(coalesce(
            l.entry_date = e.entry_date
            AND l.currency = e.currency
            AND (l.amount = l.base_amount OR l.currency <> g.base_currency)
            AND a.ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS')
            AND (a.is_active OR e.reverses_entry_id IS NOT NULL)
            AND CASE a.control_account_type
                WHEN 'ACCOUNTS_RECEIVABLE' THEN l.customer_id = e.customer_id AND l.vendor_id IS NULL
                WHEN 'ACCOUNTS_PAYABLE' THEN l.vendor_id = e.vendor_id AND l.customer_id IS NULL
                ELSE l.customer_id IS NULL AND l.vendor_id IS NULL END
            AND (l.vat_code_id IS NULL OR (SELECT v.id FROM vat_codes v WHERE v.company_id = l.company_id
                                           AND v.id = l.vat_code_id) IS NOT NULL), false))
    LIMIT 1;
    IF FOUND AND (fault.amount <> 0 OR fault.base_amount <> 0) THEN
        RAISE EXCEPTION 'debits and credits differ' USING ERRCODE = 'LB412', DETAIL = json_build_object(
            'entryId', fault.entry_id, 'difference', fault.amount::text, 'baseDifference', fault.base_amount::text);
    ELSIF FOUND THEN
        PERFORM refuse_journal_line(fault.company_id, fault.entry_id);
    END IF;
    INSERT INTO account_months AS m (company_id, account_id, currency, month, debit, credit, base_debit, base_credit)
    SELECT l.company_id, l.account_id, l.currency, l.entry_date - (extract(day FROM l.entry_date)::int - 1) AS month,
           coalesce(sum(l.amount) FILTER (WHERE l.is_debit), 0), coalesce(-sum(l.amount) FILTER (WHERE NOT l.is_debit), 0),
           coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0),
           coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0)
    FROM new_lines l
    GROUP BY l.company_id, l.account_id, l.currency, 4
    ORDER BY l.company_id, l.account_id, l.currency, 4
    ON CONFLICT (company_id, account_id, currency, month) DO UPDATE SET
        debit = m.debit + excluded.debit, credit = m.credit + excluded.credit,
        base_debit = m.base_debit + excluded.base_debit, base_credit = m.base_credit + excluded.base_credit;
    RETURN NULL;
END
$$;
CREATE TRIGGER guard_journal_lines AFTER INSERT ON journal_lines
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION guard_journal_lines();

-- Posted is posted, for the owner too.
CREATE FUNCTION refuse_change_of_posted() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'journal_entries' THEN
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
CREATE TRIGGER refuse_change AFTER UPDATE ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_posted();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_posted();

-- What posted lines stand on stays: accounts keep their kind, accounts and parties can't be removed. The hot row
-- orders this after any posting that is under way.
CREATE FUNCTION keep_what_is_posted_on() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used boolean;
BEGIN
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    CASE TG_TABLE_NAME
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
            ERRCODE = 'foreign_key_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'journal_lines_' || TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER keep_posted_kind BEFORE UPDATE ON accounts FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id, OLD.ledger_type, OLD.control_account_type)
          IS DISTINCT FROM (NEW.company_id, NEW.id, NEW.ledger_type, NEW.control_account_type))
    EXECUTE FUNCTION keep_what_is_posted_on();
CREATE TRIGGER keep_posted BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION keep_what_is_posted_on();
CREATE TRIGGER keep_posted BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION keep_what_is_posted_on();
CREATE TRIGGER keep_posted_id BEFORE UPDATE ON customers FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id) IS DISTINCT FROM (NEW.company_id, NEW.id))
    EXECUTE FUNCTION keep_what_is_posted_on();
CREATE TRIGGER keep_posted BEFORE DELETE ON vendors FOR EACH ROW EXECUTE FUNCTION keep_what_is_posted_on();
CREATE TRIGGER keep_posted_id BEFORE UPDATE ON vendors FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id) IS DISTINCT FROM (NEW.company_id, NEW.id))
    EXECUTE FUNCTION keep_what_is_posted_on();

-- The company whose transaction this is.
CREATE FUNCTION ledger_company() RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_company() IS NULL THEN
        RAISE EXCEPTION 'app.company_id names no company' USING ERRCODE = 'LB403';
    END IF;
    RETURN current_company();
END
$$;

-- The company's financial year that holds `day`, whether it was opened yet or not. Years that nobody has opened
-- follow the nearest one before (or, before them all, run backwards from the first) in steps of twelve months
-- from that one anchor, so they never drift.
CREATE FUNCTION fiscal_year_around(company uuid, day date, OUT start_date date, OUT end_date date)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    anchor date;
    later date;
    years int;
BEGIN
    SELECT f.start_date, f.end_date INTO start_date, end_date
    FROM fiscal_years f WHERE f.company_id = company AND day BETWEEN f.start_date AND f.end_date;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT coalesce(max(f.end_date) FILTER (WHERE f.end_date < day) + 1, min(f.start_date)),
           min(f.start_date) FILTER (WHERE f.start_date > day)
    INTO anchor, later FROM fiscal_years f WHERE f.company_id = company;
    years := extract(year FROM day) - extract(year FROM anchor);
    IF anchor + make_interval(years => years) > day THEN
        years := years - 1;
    END IF;
    start_date := anchor + make_interval(years => years);
    end_date := least((anchor + make_interval(years => years + 1))::date, later) - 1;
END
$$;

-- Opens the financial year that holds `day`: none before 1900, none that ends more than ten years after the
-- moment of posting (a mistyped year is likelier than a posting that far ahead). Answers null then.
CREATE FUNCTION open_fiscal_year(company uuid, day date, year_id uuid, moment timestamptz) RETURNS fiscal_years
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opened fiscal_years%ROWTYPE;
    latest date := (moment AT TIME ZONE 'UTC')::date + interval '10 years';
    bounds record;
BEGIN
    IF day NOT BETWEEN '1900-01-01' AND latest THEN
        RETURN NULL;  -- also the infinite dates, which no year can be computed around
    END IF;
    SELECT * INTO bounds FROM fiscal_year_around(company, day);
    IF bounds.start_date IS NULL OR bounds.start_date < '1900-01-01' OR bounds.end_date > latest OR year_id IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date)
    VALUES (company, year_id, bounds.start_date, bounds.end_date) RETURNING * INTO opened;
    RETURN opened;
END
$$;

-- Opens the books of the transaction's company. The chain starts from a value that follows from the company.
CREATE FUNCTION open_ledger(base_currency text, minor_units int, year_id uuid, year_start date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid := ledger_company();
BEGIN
    INSERT INTO ledgers (company_id, base_currency, base_minor_units, head_hash)
    VALUES (company, open_ledger.base_currency, minor_units,
            sha256(convert_to('ledgerbee:genesis:' || company::text, 'UTF8')));
    -- The first company's chart was just written: tell the planner, before sessions keep plans made without it.
    IF (SELECT c.reltuples <= 0 FROM pg_class c WHERE c.oid = 'public.accounts'::regclass) THEN
        ANALYZE accounts, vat_codes, journal_categories;
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date)
    VALUES (company, year_id, year_start, (year_start + interval '12 months')::date - 1);
END
$$;

-- Locks the books through a day (null: not at all) and answers with what it was. Waits for postings under way, so
-- that none slips in behind; moves back only when told that this is meant.
CREATE FUNCTION set_lock_date(day date, reopen boolean) RETURNS date
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid := ledger_company();
    before date;
BEGIN
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

-- Posts entries with their lines, all or none, in the order given, and answers with their place in the books.
-- Every array has one element an entry (or, `line_...`, one a line; `line_entries` counts entries from 1). Lists
-- of tags are array literals. `spare_year_ids` are ids for financial years that have to be opened.
--
-- An entry's place: number = one more than the last of its financial year; position = one more than the last of
-- the company; hash = sha256(previous hash || position || number || content digest), the two as 8-byte
-- big-endian integers. The company's row in `ledgers` is held from the first number to the COMMIT.
--
-- Looked up by primary key, row by row, whatever the planner thought of tables that were empty when it was first
-- asked: no sequential scans, and (here and in the guards) subqueries that can only be run row by row.
CREATE FUNCTION post_entries(
    moment timestamptz, spare_year_ids uuid[],
    ids uuid[], entry_types text[], dates date[], currencies text[], rates numeric[], original_amounts numeric[],
    descriptions text[], refs text[], external_ids text[], customer_ids uuid[], vendor_ids uuid[],
    category_ids uuid[], tags text[], source_types text[], source_ids uuid[], reversed_ids uuid[],
    line_counts int[], digests bytea[],
    line_entries int[], line_numbers int[], line_ids uuid[], line_accounts uuid[], line_debits boolean[],
    line_amounts numeric[], line_base_amounts numeric[], line_types text[], line_vat_codes uuid[],
    line_descriptions text[], line_tags text[],
    OUT base_currency text, OUT first_position bigint, OUT numbers int[], OUT previous_hashes bytea[],
    OUT hashes bytea[], OUT account_ids uuid[], OUT account_numbers int[], OUT account_names text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
AS $$
DECLARE
    company uuid := ledger_company();
    book ledgers%ROWTYPE;
    fiscal_year fiscal_years%ROWTYPE;
    year_ids uuid[];
    head bytea;
    opened int := 0;
BEGIN
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
            reverses_entry_id, posted_at, previous_hash, hash)
        SELECT company, e.id, e.entry_type, e.entry_date, e.fiscal_year_id, e.entry_number,
               first_position + e.place - 1, e.line_count, e.currency, e.rate, e.original_amount, e.description,
               e.reference, e.external_id, e.customer_id, e.vendor_id, e.category_id, coalesce(e.tags, '{}')::uuid[],
               e.source_type, e.source_id, e.reversed_id, moment, e.previous_hash, e.hash
        FROM unnest(ids, entry_types, dates, year_ids, numbers, line_counts, currencies, rates, original_amounts,
                    descriptions, refs, external_ids, customer_ids, vendor_ids, category_ids, tags, source_types,
                    source_ids, reversed_ids, previous_hashes, hashes) WITH ORDINALITY
            AS e (id, entry_type, entry_date, fiscal_year_id, entry_number, line_count, currency, rate,
                  original_amount, description, reference, external_id, customer_id, vendor_id, category_id, tags,
                  source_type, source_id, reversed_id, previous_hash, hash, place)
    )
    INSERT INTO journal_lines (company_id, entry_id, line_number, id, account_id, entry_date, is_debit, currency,
        amount, base_amount, line_type, vat_code_id, customer_id, vendor_id, description, tag_ids)
    SELECT company, ids[l.entry], l.line_number, l.id, l.account_id, dates[l.entry], l.is_debit, currencies[l.entry],
           CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END,
           CASE WHEN l.is_debit THEN l.base_amount ELSE -l.base_amount END,
           l.line_type, l.vat_code_id,
           CASE a.control_account_type WHEN 'ACCOUNTS_RECEIVABLE' THEN customer_ids[l.entry] END,
           CASE a.control_account_type WHEN 'ACCOUNTS_PAYABLE' THEN vendor_ids[l.entry] END,
           l.description, coalesce(l.tags, '{}')::uuid[]
    FROM unnest(line_entries, line_numbers, line_ids, line_accounts, line_debits, line_amounts, line_base_amounts,
                line_types, line_vat_codes, line_descriptions, line_tags)
        AS l (entry, line_number, id, account_id, is_debit, amount, base_amount, line_type, vat_code_id,
              description, tags)
    LEFT JOIN LATERAL (SELECT * FROM accounts a
                       WHERE a.company_id = company AND a.id = l.account_id OFFSET 0) a ON true;
    SELECT array_agg(a.id), array_agg(a.number), array_agg(a.name) INTO account_ids, account_numbers, account_names
    FROM accounts a WHERE a.company_id = company AND a.id = ANY (line_accounts);
END
$$;

REVOKE ALL ON FUNCTION refuse_journal_line(uuid, uuid), keep_what_is_posted_on(), ledger_company(),
    fiscal_year_around(uuid, date), open_fiscal_year(uuid, date, uuid, timestamptz),
    open_ledger(text, int, uuid, date), set_lock_date(date, boolean), post_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fiscal_year_around(uuid, date), open_ledger(text, int, uuid, date),
    set_lock_date(date, boolean), post_entries TO ledgerbee_app;
