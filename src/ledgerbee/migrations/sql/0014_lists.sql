-- Lists of entries and drafts count by month. These indexes take the place of others that lacked a column for it: posting
-- makes as many index rows as before.

-- What a search finds, with its day: it is counted without a look into the table. Equal texts of a day share an index row.
DROP INDEX journal_entries_description, journal_entries_reference,
    draft_journal_entries_description, draft_journal_entries_reference;
CREATE INDEX journal_entries_description ON journal_entries (company_id, description_key, entry_date)
    WHERE description_key IS NOT NULL;
CREATE INDEX journal_entries_reference ON journal_entries (company_id, reference_key, entry_date)
    WHERE reference_key IS NOT NULL;
CREATE INDEX draft_journal_entries_description ON draft_journal_entries (company_id, description_key, entry_date)
    WHERE status = 'draft' AND description_key IS NOT NULL;
CREATE INDEX draft_journal_entries_reference ON draft_journal_entries (company_id, reference_key, entry_date)
    WHERE status = 'draft' AND reference_key IS NOT NULL;

-- An account's lines by day and entry: its entries, each once, are in the order of the index. The amounts that stood beside
-- them were for the days that reports cut through, which are read from account_days now. The primary key is made again
-- because it has to be the youngest, see 0004_ledger.sql.
ALTER TABLE journal_lines DROP CONSTRAINT journal_lines_pkey;
DROP INDEX journal_lines_account;
CREATE INDEX journal_lines_account ON journal_lines (company_id, account_id, entry_date, entry_id);
ALTER TABLE journal_lines ADD PRIMARY KEY (company_id, entry_id, line_number);
