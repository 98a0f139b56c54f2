-- Draft journal entries: what is entered and not yet posted. Such a draft is booked once; from then on it is kept as it
-- was, beside the entry that it became.
--
-- Primary keys are added last on purpose, see 0004_ledger.sql.

CREATE TABLE draft_journal_entries (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'booked')),
    entry_type text NOT NULL CHECK (entry_type IN
        ('JOURNAL_ENTRY', 'SUPPLIER_INVOICE', 'SUPPLIER_PAYMENT', 'CUSTOMER_INVOICE', 'CUSTOMER_PAYMENT')),
    entry_date date NOT NULL,
    currency text NOT NULL,
    -- None: the day's, when it is booked.
    exchange_rate numeric(24, 12) CHECK (exchange_rate > 0),
    original_amount numeric(19, 4) NOT NULL,
    description text,
    reference text,
    -- What a search compares with, as in journal_entries.
    description_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(description, 200))) STORED,
    reference_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(reference, 200))) STORED,
    external_system_id text,
    customer_id uuid,
    vendor_id uuid,
    -- None: the company's default, when it is booked.
    journal_category_id uuid,
    tag_ids uuid[] NOT NULL DEFAULT '{}',
    -- Of a booked draft too: the files themselves have gone over to its entry.
    attachment_count int NOT NULL DEFAULT 0 CHECK (attachment_count BETWEEN 0 AND 10),
    journal_entry_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((status = 'booked') = (journal_entry_id IS NOT NULL)),
    FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    FOREIGN KEY (company_id, vendor_id) REFERENCES vendors (company_id, id),
    FOREIGN KEY (company_id, journal_category_id) REFERENCES journal_categories (company_id, id),
    -- Checked at COMMIT: a draft is marked as booked before its entry is posted, which comes last in a transaction.
    FOREIGN KEY (company_id, journal_entry_id) REFERENCES journal_entries (company_id, id)
        DEFERRABLE INITIALLY DEFERRED
);
-- Lists are of what isn't booked, in their default order; what they are often narrowed by rides along.
CREATE INDEX draft_journal_entries_list ON draft_journal_entries (company_id, entry_date, id)
    INCLUDE (entry_type, original_amount) WHERE status = 'draft';
CREATE INDEX draft_journal_entries_customer ON draft_journal_entries (company_id, customer_id, entry_date, id)
    WHERE status = 'draft' AND customer_id IS NOT NULL;
CREATE INDEX draft_journal_entries_vendor ON draft_journal_entries (company_id, vendor_id, entry_date, id)
    WHERE status = 'draft' AND vendor_id IS NOT NULL;
CREATE INDEX draft_journal_entries_external ON draft_journal_entries (company_id, external_system_id)
    WHERE status = 'draft' AND external_system_id IS NOT NULL;
CREATE INDEX draft_journal_entries_description ON draft_journal_entries (company_id, description_key)
    WHERE status = 'draft' AND description_key IS NOT NULL;
CREATE INDEX draft_journal_entries_reference ON draft_journal_entries (company_id, reference_key)
    WHERE status = 'draft' AND reference_key IS NOT NULL;
CREATE INDEX draft_journal_entries_tagged ON draft_journal_entries (company_id, id)
    WHERE status = 'draft' AND tag_ids <> '{}';
ALTER TABLE draft_journal_entries ADD PRIMARY KEY (company_id, id);
SELECT protect_table('draft_journal_entries', 'SELECT, INSERT, UPDATE, DELETE');

-- Amounts as entered: never negative, in the entry's currency, their VAT not yet split.
CREATE TABLE draft_journal_lines (
    company_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    line_number int NOT NULL CHECK (line_number > 0),
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    is_debit boolean NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount >= 0),
    line_type text NOT NULL CHECK (line_type IN ('ENTERED', 'CONTROL')),
    vat_code_id uuid,
    description text,
    tag_ids uuid[] NOT NULL DEFAULT '{}',
    CONSTRAINT draft_journal_lines_id UNIQUE (company_id, id),
    FOREIGN KEY (company_id, draft_id) REFERENCES draft_journal_entries (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id),
    FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id)
);
CREATE INDEX draft_journal_lines_account ON draft_journal_lines (company_id, account_id, draft_id);
CREATE INDEX draft_journal_lines_tagged ON draft_journal_lines (company_id, draft_id) WHERE tag_ids <> '{}';
ALTER TABLE draft_journal_lines ADD PRIMARY KEY (company_id, draft_id, line_number);
SELECT protect_table('draft_journal_lines', 'SELECT, INSERT, DELETE');

-- What was booked is no draft any more: neither it nor its lines change, whoever asks, and nothing more is attached to
-- it. LB431.
CREATE FUNCTION refuse_change_of_booked() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the draft is booked' USING ERRCODE = 'LB431', DETAIL = json_build_object('draftId', OLD.id);
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON draft_journal_entries FOR EACH ROW
    WHEN (OLD.status = 'booked') EXECUTE FUNCTION refuse_change_of_booked();

-- Holds the drafts until COMMIT, so that none of them is booked while its parts change.
CREATE FUNCTION refuse_parts_of_booked() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked uuid;
BEGIN
    WITH held AS (
        SELECT d.id, d.status FROM draft_journal_entries d
        WHERE (d.company_id, d.id) IN (SELECT c.company_id, c.draft_id FROM changed c)
        ORDER BY d.id FOR NO KEY UPDATE
    )
    SELECT h.id INTO booked FROM held h WHERE h.status = 'booked' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the draft is booked' USING ERRCODE = 'LB431', DETAIL = json_build_object('draftId', booked);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_insert AFTER INSERT ON draft_journal_lines REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_parts_of_booked();
CREATE TRIGGER refuse_update AFTER UPDATE ON draft_journal_lines REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_parts_of_booked();
CREATE TRIGGER refuse_delete AFTER DELETE ON draft_journal_lines REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_parts_of_booked();
CREATE TRIGGER refuse_insert AFTER INSERT ON draft_attachments REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_parts_of_booked();
REVOKE ALL ON FUNCTION refuse_change_of_booked(), refuse_parts_of_booked() FROM PUBLIC;

-- As in 0008, and drafts: a tag of theirs has to be there when they are booked. Whoever writes one holds its tags.
CREATE OR REPLACE FUNCTION uses_of_tags(company uuid, tags uuid[]) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM tag_months t WHERE t.company_id = company AND t.tag_id = ANY (tags))
            THEN 'journalEntries' END,
        CASE WHEN EXISTS (SELECT FROM draft_journal_entries d WHERE d.company_id = company AND d.status = 'draft'
                          AND d.tag_ids <> '{}' AND d.tag_ids && tags)
                OR EXISTS (SELECT FROM draft_journal_lines l
                           JOIN draft_journal_entries d ON d.company_id = l.company_id AND d.id = l.draft_id
                           WHERE l.company_id = company AND d.status = 'draft' AND l.tag_ids <> '{}'
                           AND l.tag_ids && tags)
            THEN 'draftJournalEntries' END
    ], NULL);
END
$$;
