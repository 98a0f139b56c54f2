-- VAT rates are dated, a line can say what VAT its voucher states, and lines know the rate they were taxed by.

-- The rates of a code, each from a day on; the first holds since ever. What can be deducted is an exact fraction:
-- two thirds is no decimal.
CREATE TABLE vat_code_rates (
    company_id uuid NOT NULL,
    vat_code_id uuid NOT NULL,
    valid_from date NOT NULL,
    rate numeric(7, 4) NOT NULL CHECK (rate BETWEEN 0 AND 100),
    deductible_part bigint NOT NULL CHECK (deductible_part >= 0),
    deductible_whole bigint NOT NULL CHECK (deductible_whole > 0),
    PRIMARY KEY (company_id, vat_code_id, valid_from),
    FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id),
    CHECK (deductible_part <= deductible_whole)
);
SELECT protect_table('vat_code_rates', 'SELECT, INSERT, DELETE');
-- Only the release before this one still reads these.
ALTER TABLE vat_codes ALTER COLUMN rate SET DEFAULT 0;

-- Of a line with a VAT code: the rate it was taxed by, in percent; of an entered line whose voucher states another VAT than
-- the rate makes: the stated VAT less the computed one, in the entry's currency.
ALTER TABLE journal_lines
    ADD COLUMN vat_rate numeric(7, 4),
    ADD COLUMN vat_difference numeric(19, 4);
-- The tax point of an entry, where it isn't its date.
ALTER TABLE journal_entries ADD COLUMN delivery_date date;
ALTER TABLE draft_journal_entries ADD COLUMN delivery_date date;
ALTER TABLE draft_journal_lines
    ADD COLUMN vat_included boolean,
    ADD COLUMN vat_amount numeric(19, 4);

-- The first entry of a company whose lines are converted one by one. In those before it each side was converted as a whole.
ALTER TABLE ledgers ADD COLUMN converted_by_line_from bigint NOT NULL DEFAULT 1;

-- A document says when it was delivered, which decides its VAT, and each line how it is taxed.
ALTER TABLE invoices ADD COLUMN delivery_date date;
ALTER TABLE invoice_lines
    ADD COLUMN account_id uuid,
    ADD COLUMN vat_code_id uuid,
    ADD CONSTRAINT invoice_lines_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    ADD CONSTRAINT invoice_lines_vat_code FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id);

-- What stands already, company by company: row-level security holds the owner too.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        INSERT INTO vat_code_rates (company_id, vat_code_id, valid_from, rate, deductible_part, deductible_whole)
        SELECT v.company_id, v.id, '-infinity', v.rate, d.part / gcd(d.part, d.whole), d.whole / gcd(d.part, d.whole)
        FROM vat_codes v
        CROSS JOIN LATERAL (
            SELECT CASE v.deductible_percent WHEN 66.66666667 THEN 2 WHEN 33.33333333 THEN 1
                       ELSE v.deductible_percent * 100000000 END::bigint AS part,
                   CASE WHEN v.deductible_percent IN (66.66666667, 33.33333333) THEN 3
                       ELSE 10000000000 END AS whole
        ) d
        WHERE v.company_id = company;
        UPDATE ledgers g SET converted_by_line_from = g.chain_position + 1 WHERE g.company_id = company;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;

-- As in 0009, with the new columns of entries and lines. The release before this one calls it without them.
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

REVOKE ALL ON FUNCTION post_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_entries TO ledgerbee_app;
