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
