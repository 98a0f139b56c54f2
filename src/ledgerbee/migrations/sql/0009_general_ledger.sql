-- The general ledger's second half: totals by tag, drafts, and posting that knows both.

-- Turnover by tag and month, in base currency, moved in the transaction that posts. A tag of an entry counts for each of
-- its lines, a tag of a line for that line; a line that carries a tag both ways counts once.
CREATE TABLE tag_months (
    company_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    account_id uuid NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    base_debit numeric(28, 4) NOT NULL CHECK (base_debit >= 0),
    base_credit numeric(28, 4) NOT NULL CHECK (base_credit >= 0),
    PRIMARY KEY (company_id, tag_id, account_id, month)
) WITH (fillfactor = 50);
SELECT protect_table('tag_months', 'SELECT');

-- Told once, read seldom, never searched: kept as the text that it comes as. Big answers are kept as they are, since
-- compressing them costs more than writing them.
ALTER TABLE events ALTER COLUMN data TYPE json USING data::text::json;
ALTER TABLE idempotency_keys ALTER COLUMN body SET STORAGE EXTERNAL;

-- Holds idempotency keys (each as the hexadecimal digits of its bytes) for the transaction. LB440: the first request with
-- one is still running; LB441: an answer is kept under one. Called in the first round trip of a write.
CREATE FUNCTION reserve_idempotency_keys(keys text[], moment timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid := current_company();
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY keys LOOP
        wanted := convert_from(decode(wanted, 'hex'), 'UTF8');
        IF NOT pg_try_advisory_xact_lock(hashtextextended(company || '/' || wanted, 1)) THEN
            RAISE EXCEPTION 'the idempotency key is in use' USING ERRCODE = 'LB440';
        ELSIF EXISTS (SELECT FROM idempotency_keys k WHERE k.company_id = company AND k.key = wanted
                      AND k.created_at > moment - interval '24 hours') THEN
            RAISE EXCEPTION 'the idempotency key has its answer' USING ERRCODE = 'LB441';
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION reserve_idempotency_keys(text[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_idempotency_keys(text[], timestamptz) TO ledgerbee_app;

-- How much is attached to an entry; what it is hashes to is part of the entry's digest.
ALTER TABLE journal_entries ADD COLUMN attachment_count int NOT NULL DEFAULT 0 CHECK (attachment_count >= 0);

-- True if the company has all of these dimension values.
CREATE FUNCTION are_tags(company uuid, tags uuid[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(*) FROM dimension_values v WHERE v.company_id = company AND v.id = ANY (tags))
        = (SELECT count(DISTINCT t.id) FROM unnest(tags) AS t (id));
END
$$;

-- The guards of 0004, which now know tags.
CREATE OR REPLACE FUNCTION guard_journal_entries() RETURNS trigger
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
            WHEN e.tag_ids <> '{}' AND NOT are_tags(e.company_id, e.tag_ids) THEN 'tagIds'
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

CREATE OR REPLACE FUNCTION guard_journal_lines() RETURNS trigger
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
                                           AND v.id = l.vat_code_id) IS NOT NULL)
            AND (l.tag_ids = '{}' OR are_tags(l.company_id, l.tag_ids)), false))
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

DROP FUNCTION post_entries;
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
    moment timestamptz, spare_year_ids uuid[],
    ids uuid[], entry_types text[], dates date[], currencies text[], rates numeric[], original_amounts numeric[],
    descriptions text[], refs text[], external_ids text[], customer_ids uuid[], vendor_ids uuid[],
    category_ids uuid[], tags text[], source_types text[], source_ids uuid[], reversed_ids uuid[],
    line_counts int[], attachment_counts int[], digests bytea[],
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
            reverses_entry_id, attachment_count, posted_at, previous_hash, hash)
        SELECT company, e.id, e.entry_type, e.entry_date, e.fiscal_year_id, e.entry_number,
               first_position + e.place - 1, e.line_count, e.currency, e.rate, e.original_amount, e.description,
               e.reference, e.external_id, e.customer_id, e.vendor_id, e.category_id, coalesce(e.tags, '{}')::uuid[],
               e.source_type, e.source_id, e.reversed_id, coalesce(e.attachment_count, 0), moment, e.previous_hash,
               e.hash
        FROM unnest(ids, entry_types, dates, year_ids, numbers, line_counts, currencies, rates, original_amounts,
                    descriptions, refs, external_ids, customer_ids, vendor_ids, category_ids, tags, source_types,
                    source_ids, reversed_ids, attachment_counts, previous_hashes, hashes) WITH ORDINALITY
            AS e (id, entry_type, entry_date, fiscal_year_id, entry_number, line_count, currency, rate,
                  original_amount, description, reference, external_id, customer_id, vendor_id, category_id, tags,
                  source_type, source_id, reversed_id, attachment_count, previous_hash, hash, place)
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
    -- The planner learns of the tables early. While they are small, which index looks cheapest changes from page to page,
    -- and a session keeps what it planned then: another one than the primary key, and each lookup of an entry walks
    -- through all entries of its company. Every 256th position asks; once the planner has heard of so many rows, no more.
    IF book.chain_position / 256 < (book.chain_position + cardinality(ids)) / 256
            AND (SELECT c.reltuples < 256 FROM pg_class c WHERE c.oid = 'public.journal_entries'::regclass)
            AND pg_try_advisory_xact_lock(hashtextextended('analyze', 4)) THEN
        ANALYZE journal_entries, journal_lines, account_months, events, idempotency_keys;
    END IF;
    SELECT array_agg(a.id), array_agg(a.number), array_agg(a.name) INTO account_ids, account_numbers, account_names
    FROM accounts a WHERE a.company_id = company AND a.id = ANY (line_accounts);
END
$$;

REVOKE ALL ON FUNCTION are_tags(uuid, uuid[]), post_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_entries TO ledgerbee_app;
