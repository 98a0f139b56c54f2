-- Financial years are opened on purpose. Posting opens the year of twelve months that follows the newest one, and no other;
-- more are opened by add_fiscal_year(). Years that are there stay as they are, with the gaps that may lie between them.
--
-- SQLSTATEs that the application knows (their DETAIL is JSON), beside those of 0004_ledger.sql:
--   LB421 the year overlaps another    LB422 the year touches no other

-- Opens the financial year that holds `day` for posting, if it is the one after the newest. No year that ends more than ten
-- years after the moment of posting opens by itself, whatever entries follow each other.
CREATE OR REPLACE FUNCTION open_fiscal_year(company uuid, day date, year_id uuid, moment timestamptz) RETURNS fiscal_years
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opened fiscal_years%ROWTYPE;
    first_known date;
    last_known date;
    year_end date;
BEGIN
    SELECT min(f.start_date), max(f.end_date) INTO first_known, last_known
    FROM fiscal_years f WHERE f.company_id = company;
    year_end := (last_known + 1 + interval '12 months')::date - 1;
    IF (day BETWEEN last_known + 1 AND year_end) IS NOT TRUE
            OR year_end > (moment AT TIME ZONE 'UTC')::date + interval '10 years' THEN
        RAISE EXCEPTION 'no financial year holds this date' USING ERRCODE = 'LB411', DETAIL = json_build_object(
            'date', day, 'firstKnownDay', first_known, 'lastKnownDay', last_known);
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date)
    VALUES (company, year_id, last_known + 1, year_end) RETURNING * INTO opened;
    RETURN opened;
END
$$;

-- Holds the row that whoever posts or opens a year holds until COMMIT: no year comes in between.
CREATE FUNCTION hold_ledger() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM ledgers g WHERE g.company_id = ledger_company() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the company has no books' USING ERRCODE = 'LB404';
    END IF;
END
$$;

-- Opens a financial year right before or after another one.
CREATE FUNCTION add_fiscal_year(year_id uuid, year_start date, year_end date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid := ledger_company();
    known json;
BEGIN
    PERFORM hold_ledger();
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

-- As before, with a first year of any length that fiscal_years takes.
DROP FUNCTION open_ledger(text, int, uuid, date);
CREATE FUNCTION open_ledger(base_currency text, minor_units int, year_id uuid, year_start date, year_end date) RETURNS void
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
    INSERT INTO fiscal_years (company_id, id, start_date, end_date) VALUES (company, year_id, year_start, year_end);
END
$$;

-- The days whose financial years an import opens where they are missing, as it was decided when it began. Those that are
-- under way opened whatever could be opened.
ALTER TABLE journal_imports
    ADD COLUMN opens_from date NOT NULL DEFAULT '1900-01-01',
    ADD COLUMN opens_through date NOT NULL DEFAULT current_date + 3653;
ALTER TABLE journal_imports ALTER COLUMN opens_from DROP DEFAULT, ALTER COLUMN opens_through DROP DEFAULT;

REVOKE ALL ON FUNCTION hold_ledger(), add_fiscal_year(uuid, date, date), open_ledger(text, int, uuid, date, date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_ledger(), add_fiscal_year(uuid, date, date), open_ledger(text, int, uuid, date, date)
    TO ledgerbee_app;
