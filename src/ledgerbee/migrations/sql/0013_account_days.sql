-- Turnover by day: what reports read for the days of a month that they cut through.
--
-- Moving it with every entry would cost each posting what the monthly totals cost. So it is rolled up by strides of 256
-- positions of the company's chain, in the transaction that posts the last entry of a stride. What a stride still lacks
-- is read from its lines: at most 255 entries, found by position, whatever their date.

CREATE TABLE account_days (
    company_id uuid NOT NULL,
    day date NOT NULL,
    account_id uuid NOT NULL,
    base_debit numeric(28, 4) NOT NULL CHECK (base_debit >= 0),
    base_credit numeric(28, 4) NOT NULL CHECK (base_credit >= 0),
    -- The day first: a report wants all accounts of a few days.
    PRIMARY KEY (company_id, day, account_id)
) WITH (fillfactor = 80);
SELECT protect_table('account_days', 'SELECT');

-- The last position of a chain, that is so long, that the totals by day count.
CREATE FUNCTION rolled_up_through(chain_position bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN chain_position - chain_position % 256;

-- Adds the lines of the entries on these positions, both inclusive, to the totals by day.
--
-- Planned anew each time, for what the tables are by then: that costs a stride less than a single entry, and no session
-- keeps what it planned while they were small. Lines are looked up by primary key, entry by entry, see 0004_ledger.sql.
CREATE FUNCTION roll_up_days(company uuid, first_position bigint, last_position bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off
AS $$
BEGIN
    INSERT INTO account_days AS d (company_id, day, account_id, base_debit, base_credit)
    SELECT company, l.entry_date, l.account_id,
           coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0),
           coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0)
    FROM journal_entries e
    CROSS JOIN LATERAL (SELECT * FROM journal_lines l
                        WHERE l.company_id = company AND l.entry_id = e.id OFFSET 0) l
    WHERE e.company_id = company AND e.chain_position BETWEEN first_position AND last_position
    GROUP BY l.entry_date, l.account_id
    ORDER BY l.entry_date, l.account_id
    ON CONFLICT (company_id, day, account_id) DO UPDATE SET
        base_debit = d.base_debit + excluded.base_debit, base_credit = d.base_credit + excluded.base_credit;
END
$$;

CREATE FUNCTION roll_up_stride() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM roll_up_days(NEW.company_id, NEW.chain_position - 255, NEW.chain_position);
    RETURN NULL;
END
$$;
-- Entries are written together with their lines, so both are there after the statement; and in the order of their
-- positions under the row in `ledgers`, so a stride is whole when its last entry is written.
CREATE TRIGGER roll_up_stride AFTER INSERT ON journal_entries FOR EACH ROW
    WHEN (NEW.chain_position % 256 = 0) EXECUTE FUNCTION roll_up_stride();
REVOKE ALL ON FUNCTION roll_up_days(uuid, bigint, bigint), roll_up_stride() FROM PUBLIC;

-- The books that there are, company by company: the owner, too, sees one at a time.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        PERFORM roll_up_days(company, 1, rolled_up_through(g.chain_position))
        FROM ledgers g WHERE g.company_id = company;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
