-- Sandboxes: companies whose day can be moved ahead of the real one. And what is done for every company once a day.

ALTER TABLE companies
    ADD COLUMN is_sandbox boolean NOT NULL DEFAULT false,
    ADD COLUMN clock_offset_days int NOT NULL DEFAULT 0,
    ADD COLUMN daily_hour smallint NOT NULL DEFAULT 5,
    ADD CONSTRAINT companies_clock CHECK (clock_offset_days = 0 OR is_sandbox AND clock_offset_days BETWEEN 1 AND 36525),
    ADD CONSTRAINT companies_daily_hour CHECK (daily_hour BETWEEN 0 AND 23);
SELECT forget_values('companies');

-- As in 0024. A company is a sandbox for good, or never; the worker alone moves its day.
CREATE OR REPLACE FUNCTION guard_company() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.is_sandbox <> OLD.is_sandbox THEN
        RAISE EXCEPTION 'a company is a sandbox from its beginning' USING ERRCODE = 'LB433';
    ELSIF current_user <> 'ledgerbee_app' THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.licenses <@ '{Subscription,CustomerPortal,MeteredProducts}'::text[] AND NEW.clock_offset_days = 0 THEN
            RETURN NEW;
        END IF;
    ELSIF (NEW.licenses, NEW.base_currency, NEW.created_at, NEW.clock_offset_days)
            IS NOT DISTINCT FROM (OLD.licenses, OLD.base_currency, OLD.created_at, OLD.clock_offset_days) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'licences, currency and clock are not the API''s to change' USING ERRCODE = 'LB433';
END
$$;

-- As in 0001, with what the company's day is counted by.
DROP FUNCTION resolve_credential(bytea);
CREATE FUNCTION resolve_credential(hash bytea)
    RETURNS TABLE (company_id uuid, kind text, subject_id uuid, scopes text[], ip_allowlist text[],
                   expires_at timestamptz, version int, licenses text[], time_zone text, is_sandbox boolean,
                   clock_offset_days int)
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
               known.expires_at, known.version, c.licenses, c.time_zone, c.is_sandbox, c.clock_offset_days
        FROM companies c WHERE c.company_id = known.company_id;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
END
$$;
REVOKE ALL ON FUNCTION resolve_credential(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_credential(bytea) TO ledgerbee_app;

-- As in 0016, but ten years ahead of the company's day.
CREATE OR REPLACE FUNCTION open_fiscal_year(company uuid, day date, year_id uuid, moment timestamptz) RETURNS fiscal_years
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opened fiscal_years%ROWTYPE;
    first_known date;
    last_known date;
    year_end date;
    ahead int := coalesce((SELECT c.clock_offset_days FROM companies c WHERE c.company_id = company), 0);
BEGIN
    SELECT min(f.start_date), max(f.end_date) INTO first_known, last_known
    FROM fiscal_years f WHERE f.company_id = company;
    year_end := (last_known + 1 + interval '12 months')::date - 1;
    IF (day BETWEEN last_known + 1 AND year_end) IS NOT TRUE
            OR year_end > (moment AT TIME ZONE 'UTC')::date + ahead + interval '10 years' THEN
        RAISE EXCEPTION 'no financial year holds this date' USING ERRCODE = 'LB411', DETAIL = json_build_object(
            'date', day, 'firstKnownDay', first_known, 'lastKnownDay', last_known);
    END IF;
    INSERT INTO fiscal_years (company_id, id, start_date, end_date)
    VALUES (company, year_id, last_known + 1, year_end) RETURNING * INTO opened;
    RETURN opened;
END
$$;

-- How a sandbox's day is moved ahead: the step that is under way, or that failed. `reached` is the day that it has come to.
CREATE TABLE test_clocks (
    company_id uuid PRIMARY KEY,
    status text NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'advancing', 'failed')),
    started_on date,
    reached date,
    advancing_to date,
    failure text,
    CONSTRAINT test_clocks_step CHECK (CASE WHEN status = 'idle' THEN num_nulls(started_on, reached, advancing_to) = 3
        ELSE num_nulls(started_on, reached, advancing_to) = 0 AND reached BETWEEN started_on AND advancing_to END),
    CONSTRAINT test_clocks_failure CHECK ((status = 'failed') = (failure IS NOT NULL))
);
SELECT protect_table('test_clocks', 'SELECT, INSERT, UPDATE');

-- The days of a company whose daily tasks were begun: by whoever added the row, and nobody else. Kept for 90 days.
CREATE TABLE daily_runs (
    company_id uuid NOT NULL,
    day date NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    failure text,
    PRIMARY KEY (company_id, day),
    CONSTRAINT daily_runs_ended CHECK (finished_at IS NULL OR failure IS NULL)
);
SELECT protect_table('daily_runs', 'SELECT');
GRANT INSERT, UPDATE, DELETE ON daily_runs TO ledgerbee_worker;

-- When each company's daily tasks are to be looked at: at its hour of the day. For the worker, which looks over all companies.
-- Nobody's but the owner's, for row-level security shows one company at a time.
CREATE TABLE daily_wakes (
    company_id uuid PRIMARY KEY,
    due_at timestamptz NOT NULL
);
CREATE INDEX daily_wakes_due ON daily_wakes (due_at);
INSERT INTO daily_wakes (company_id, due_at) SELECT d.company_id, d.created_at FROM company_directory d;

-- A company that is new, or whose day begins or is worked off at another hour, is looked at soon.
CREATE FUNCTION wake_company() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO daily_wakes AS w (company_id, due_at) VALUES (NEW.company_id, NEW.updated_at)
    ON CONFLICT (company_id) DO UPDATE SET due_at = least(w.due_at, excluded.due_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_new_company AFTER INSERT ON companies FOR EACH ROW EXECUTE FUNCTION wake_company();
CREATE TRIGGER wake_company AFTER UPDATE ON companies FOR EACH ROW
    WHEN ((OLD.time_zone, OLD.daily_hour) IS DISTINCT FROM (NEW.time_zone, NEW.daily_hour))
    EXECUTE FUNCTION wake_company();

-- Companies that are to be looked at by the moment, the longest due first.
CREATE FUNCTION due_companies(moment timestamptz, most int) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT w.company_id FROM daily_wakes w WHERE w.due_at <= least(moment, latest_moment())
        ORDER BY w.due_at LIMIT most;
END
$$;

-- Says when the entered company is to be looked at next.
CREATE FUNCTION set_daily_wake(company uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_company(company);
    UPDATE daily_wakes w SET due_at = moment WHERE w.company_id = company;
END
$$;

REVOKE EXECUTE ON FUNCTION wake_company(), due_companies(timestamptz, int), set_daily_wake(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_companies(timestamptz, int), set_daily_wake(uuid, timestamptz) TO ledgerbee_worker;
