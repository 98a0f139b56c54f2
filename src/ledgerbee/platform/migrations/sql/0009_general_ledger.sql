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
