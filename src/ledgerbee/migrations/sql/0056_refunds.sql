-- Refunds of charges: a row before the provider is asked. Of a charge never more than there is of it.
CREATE TABLE refunds (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    charge_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'unclear', 'succeeded', 'failed')),
    failure_code text,
    failure_message text,
    -- When the provider was asked: from then on it is asked what it knows, before it is asked to refund.
    asked_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT refunds_finite CHECK (amount < 'Infinity'),
    CONSTRAINT refunds_reference UNIQUE (company_id, reference),
    CONSTRAINT refunds_finished CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed'))),
    CONSTRAINT refunds_failed CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
    CONSTRAINT refunds_charge FOREIGN KEY (company_id, charge_id) REFERENCES charges (company_id, id),
    CONSTRAINT refunds_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT refunds_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id)
);
CREATE INDEX refunds_of_charge ON refunds (company_id, charge_id, created_at, id);
CREATE INDEX refunds_by_provider_id ON refunds (company_id, provider, provider_id);
CREATE INDEX refunds_open ON refunds (company_id, asked_at) WHERE status IN ('pending', 'unclear');
CREATE INDEX refunds_open_of_invoice ON refunds (company_id, invoice_id) WHERE status IN ('pending', 'unclear');
SELECT protect_table('refunds', 'SELECT, INSERT');
GRANT UPDATE (provider_id, status, failure_code, failure_message, asked_at, finished_at, updated_at) ON refunds TO ledgerbee_app;

-- Disputes of charges, by the provider's ids. `won` and `lost` are final; what is lost is booked.
CREATE TABLE disputes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text NOT NULL,
    charge_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    -- What the provider takes for it, as far as it says so.
    fee numeric(19, 4) NOT NULL CHECK (fee >= 0),
    reason text NOT NULL,
    ended_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT disputes_finite CHECK (amount < 'Infinity' AND fee < 'Infinity'),
    CONSTRAINT disputes_provider_id UNIQUE (company_id, provider, provider_id),
    CONSTRAINT disputes_ended CHECK ((ended_at IS NOT NULL) = (status <> 'open')),
    CONSTRAINT disputes_charge FOREIGN KEY (company_id, charge_id) REFERENCES charges (company_id, id),
    CONSTRAINT disputes_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT disputes_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id)
);
CREATE INDEX disputes_of_charge ON disputes (company_id, charge_id);
CREATE INDEX disputes_by_creation ON disputes (company_id, created_at, id) INCLUDE (status);
CREATE INDEX disputes_open ON disputes (company_id, created_at, id) WHERE status = 'open';
SELECT protect_table('disputes', 'SELECT, INSERT');
GRANT UPDATE (status, amount, fee, reason, ended_at, updated_at) ON disputes TO ledgerbee_app;

-- What went back of a charge, by a refund that succeeded or a dispute that was lost: where it was taken from. Written once.
CREATE TABLE charge_returns (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    charge_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    refund_id uuid,
    dispute_id uuid,
    returned_on date NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    -- Base units per unit on the day, and what it comes to on clearing.
    exchange_rate numeric NOT NULL CHECK (exchange_rate > 0),
    base_amount numeric(19, 4) NOT NULL CHECK (base_amount >= 0),
    -- Off what is paid of the invoice: first off its credit, then it is due again.
    settled_amount numeric(19, 4) NOT NULL CHECK (settled_amount >= 0),
    base_settled numeric(19, 4) NOT NULL CHECK (base_settled >= 0),
    -- Off what the charge was more than was due.
    unapplied_amount numeric(19, 4) NOT NULL CHECK (unapplied_amount >= 0),
    base_unapplied numeric(19, 4) NOT NULL CHECK (base_unapplied >= 0),
    -- What neither had any more.
    unidentified_amount numeric(19, 4) NOT NULL CHECK (unidentified_amount >= 0),
    base_unidentified numeric(19, 4) NOT NULL CHECK (base_unidentified >= 0),
    unidentified_account_id uuid,
    fee numeric(19, 4) NOT NULL CHECK (fee >= 0),
    base_fee numeric(19, 4) NOT NULL CHECK (base_fee >= 0),
    fee_account_id uuid,
    clearing_account_id uuid NOT NULL,
    journal_entry_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT charge_returns_finite CHECK (amount < 'Infinity' AND exchange_rate < 'Infinity' AND base_amount < 'Infinity'
        AND settled_amount < 'Infinity' AND base_settled < 'Infinity' AND unapplied_amount < 'Infinity'
        AND base_unapplied < 'Infinity' AND unidentified_amount < 'Infinity' AND base_unidentified < 'Infinity'
        AND fee < 'Infinity' AND base_fee < 'Infinity'),
    CONSTRAINT charge_returns_why CHECK (num_nonnulls(refund_id, dispute_id) = 1),
    CONSTRAINT charge_returns_parts CHECK (amount = settled_amount + unapplied_amount + unidentified_amount),
    CONSTRAINT charge_returns_unidentified CHECK ((unidentified_amount > 0) = (unidentified_account_id IS NOT NULL)),
    CONSTRAINT charge_returns_fee CHECK ((fee > 0) = (fee_account_id IS NOT NULL)),
    CONSTRAINT charge_returns_refund UNIQUE (company_id, refund_id),
    CONSTRAINT charge_returns_dispute UNIQUE (company_id, dispute_id),
    CONSTRAINT charge_returns_entry UNIQUE (company_id, journal_entry_id),
    CONSTRAINT charge_returns_of_charge FOREIGN KEY (company_id, charge_id) REFERENCES charges (company_id, id),
    CONSTRAINT charge_returns_of_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT charge_returns_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT charge_returns_of_refund FOREIGN KEY (company_id, refund_id) REFERENCES refunds (company_id, id),
    CONSTRAINT charge_returns_of_dispute FOREIGN KEY (company_id, dispute_id) REFERENCES disputes (company_id, id),
    CONSTRAINT charge_returns_clearing FOREIGN KEY (company_id, clearing_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT charge_returns_unidentified_account FOREIGN KEY (company_id, unidentified_account_id)
        REFERENCES accounts (company_id, id),
    CONSTRAINT charge_returns_fee_account FOREIGN KEY (company_id, fee_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT charge_returns_posted FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX charge_returns_by_charge ON charge_returns (company_id, charge_id);
CREATE INDEX charge_returns_by_invoice ON charge_returns (company_id, invoice_id);
SELECT protect_table('charge_returns', 'SELECT, INSERT');

ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type CHECK (source_type IN (
    'draft', 'import', 'invoice', 'payment', 'credit_note', 'credit_use', 'write_off', 'revenue_recognition', 'charge',
    'refund', 'dispute')) NOT VALID;

-- Refunds that are under way or succeeded, and disputes that were lost, are never more than the charge: of two at once the second
-- waits for the first. LB460.
CREATE FUNCTION guard_refund() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    refunded charges%ROWTYPE;
BEGIN
    PERFORM check_row_company(NEW.company_id);
    SELECT c.* INTO refunded FROM charges c
    WHERE c.company_id = NEW.company_id AND c.id = NEW.charge_id FOR NO KEY UPDATE;
    IF refunded.status IS DISTINCT FROM 'succeeded'
        OR (refunded.invoice_id, refunded.customer_id, refunded.provider, refunded.currency)
            IS DISTINCT FROM (NEW.invoice_id, NEW.customer_id, NEW.provider, NEW.currency)
        OR NEW.status <> 'pending'
        OR NEW.amount > refunded.amount
            - (SELECT coalesce(sum(r.amount), 0) FROM refunds r
               WHERE r.company_id = NEW.company_id AND r.charge_id = NEW.charge_id AND r.status <> 'failed')
            - (SELECT coalesce(sum(d.amount), 0) FROM disputes d
               WHERE d.company_id = NEW.company_id AND d.charge_id = NEW.charge_id AND d.status = 'lost') THEN
        RAISE EXCEPTION 'refund % is not of a charge that has so much left', NEW.reference USING ERRCODE = 'LB460';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_refund BEFORE INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION guard_refund();

-- The second belt: what has ended stays as it ended, and what went back is never changed. LB461.
CREATE FUNCTION keep_charge_return() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what went back of a charge, or did not (%), cannot be changed', OLD.id USING ERRCODE = 'LB461';
END
$$;
CREATE TRIGGER keep_finished_refund BEFORE UPDATE ON refunds
    FOR EACH ROW WHEN (OLD.status IN ('succeeded', 'failed')) EXECUTE FUNCTION keep_charge_return();
CREATE TRIGGER keep_ended_dispute BEFORE UPDATE ON disputes
    FOR EACH ROW WHEN (OLD.status <> 'open') EXECUTE FUNCTION keep_charge_return();
CREATE TRIGGER keep_charge_return BEFORE UPDATE OR DELETE ON charge_returns
    FOR EACH ROW EXECUTE FUNCTION keep_charge_return();

-- What went back of what was paid on an invoice.
CREATE FUNCTION returned_of(company uuid, invoice uuid) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(r.settled_amount), 0) FROM charge_returns r WHERE r.company_id = company AND r.invoice_id = invoice
$$;

-- What is wrong with what went back of a charge; null: nothing. It is a refund that succeeded or a dispute that was lost, takes no
-- more than the charge paid and left over, and by account its entry says where it was taken from.
CREATE FUNCTION fault_in_charge_return(gone charge_returns) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH charged AS (
        SELECT c.*, i.receivable_account_id, coalesce(p.amount, 0) AS paid,
               (SELECT l.account_id FROM journal_lines l WHERE l.company_id = gone.company_id
                AND l.entry_id = c.unapplied_entry_id AND NOT l.is_debit) AS unapplied_account_id
        FROM charges c JOIN invoices i ON i.company_id = gone.company_id AND i.id = c.invoice_id
        LEFT JOIN payments p ON p.company_id = gone.company_id AND p.id = c.payment_id
        WHERE c.company_id = gone.company_id AND c.id = gone.charge_id AND c.status = 'succeeded'
          AND (c.invoice_id, c.customer_id, c.currency) = (gone.invoice_id, gone.customer_id, gone.currency)
    ), moved AS (
        SELECT receivable_account_id AS account_id, gone.settled_amount AS amount, gone.base_settled AS base_amount
        FROM charged
        UNION ALL
        SELECT unapplied_account_id, gone.unapplied_amount, gone.base_unapplied FROM charged
        UNION ALL
        SELECT gone.unidentified_account_id, gone.unidentified_amount, gone.base_unidentified
        UNION ALL
        SELECT gone.fee_account_id, gone.fee, gone.base_fee
        UNION ALL
        SELECT gone.clearing_account_id, -gone.amount - gone.fee, -gone.base_amount - gone.base_fee
        UNION ALL
        SELECT l.account_id, -l.amount, -l.base_amount FROM journal_lines l
        WHERE l.company_id = gone.company_id AND l.entry_id = gone.journal_entry_id AND l.amount <> 0
    )
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM charged)
            THEN 'it is of no charge that succeeded'
        WHEN NOT EXISTS (
                SELECT FROM refunds r WHERE r.company_id = gone.company_id AND r.id = gone.refund_id
                AND r.charge_id = gone.charge_id AND r.amount = gone.amount AND r.status = 'succeeded' AND gone.fee = 0
                UNION ALL
                SELECT FROM disputes d WHERE d.company_id = gone.company_id AND d.id = gone.dispute_id
                AND d.charge_id = gone.charge_id AND (d.amount, d.fee) = (gone.amount, gone.fee) AND d.status = 'lost')
            THEN 'it is of no refund that succeeded and of no dispute that was lost'
        WHEN (SELECT sum(r.settled_amount) > c.paid OR sum(r.unapplied_amount) > c.unapplied_amount
              FROM charged c JOIN charge_returns r ON r.company_id = gone.company_id AND r.charge_id = c.id
              GROUP BY c.paid, c.unapplied_amount)
            THEN 'more goes back than there is'
        WHEN NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.company_id = gone.company_id AND e.id = gone.journal_entry_id
                AND e.source_type = CASE WHEN gone.refund_id IS NULL THEN 'dispute' ELSE 'refund' END
                AND e.source_id = coalesce(gone.refund_id, gone.dispute_id) AND e.customer_id = gone.customer_id
                AND e.currency = gone.currency AND e.entry_date = gone.returned_on
                AND e.original_amount = gone.amount AND e.exchange_rate = round(gone.exchange_rate, 12))
            THEN 'its entry is not of it'
        WHEN EXISTS (
                SELECT FROM moved GROUP BY account_id HAVING sum(amount) <> 0 OR sum(base_amount) <> 0)
            THEN 'it is not booked as it says'
    END
$$;

-- At COMMIT, when all is there. LB462.
CREATE FUNCTION check_charge_return() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
    fault text;
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    -- Held, so that of two that give back of the same charge the second sees the first.
    PERFORM FROM invoices i WHERE i.company_id = NEW.company_id AND i.id = NEW.invoice_id FOR NO KEY UPDATE;
    fault := fault_in_charge_return(NEW);
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'return % of a charge: %', NEW.id, fault USING ERRCODE = 'LB462';
    END IF;
    PERFORM check_booked_invoice(NEW.company_id, NEW.invoice_id);
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_charge_return AFTER INSERT ON charge_returns
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_charge_return();

-- At COMMIT: what succeeded or was lost is booked. LB463.
CREATE FUNCTION check_given_back() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    caller_company text := current_setting('app.company_id', true);
BEGIN
    PERFORM set_config('app.company_id', NEW.company_id::text, true);
    IF NOT EXISTS (
            SELECT FROM charge_returns r
            WHERE r.company_id = NEW.company_id AND NEW.id IN (r.refund_id, r.dispute_id) AND r.charge_id = NEW.charge_id) THEN
        RAISE EXCEPTION 'what went back of a charge by % is not booked', NEW.id USING ERRCODE = 'LB463';
    END IF;
    PERFORM set_config('app.company_id', coalesce(caller_company, ''), true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER check_refund AFTER INSERT OR UPDATE ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'succeeded') EXECUTE FUNCTION check_given_back();
CREATE CONSTRAINT TRIGGER check_dispute AFTER INSERT OR UPDATE ON disputes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'lost') EXECUTE FUNCTION check_given_back();

REVOKE EXECUTE ON FUNCTION guard_refund(), keep_charge_return(), returned_of(uuid, uuid), fault_in_charge_return(charge_returns),
    check_charge_return(), check_given_back() FROM PUBLIC;

-- As in 0044, but that charges of saved cards may have been given back. LB426.
CREATE OR REPLACE FUNCTION check_booked_invoice(company uuid, invoice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked invoices%ROWTYPE;
    settled numeric;
    fault text;
BEGIN
    SELECT i.* INTO booked FROM invoices i WHERE i.company_id = company AND i.id = invoice;
    IF NOT FOUND OR booked.status = 'draft' OR (booked.status = 'cancelled' AND booked.journal_entry_id IS NULL) THEN
        RETURN;
    END IF;
    settled := booked.amount_paid + booked.credited_amount + booked.applied_credit;
    fault := CASE
        WHEN NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.company_id = company AND e.id = booked.journal_entry_id
                AND e.source_type = 'invoice' AND e.source_id = invoice AND e.customer_id = booked.customer_id
                AND e.currency = booked.currency
                AND (booked.amount, booked.base_amount) = (
                    SELECT sum(l.amount), sum(l.base_amount) FROM journal_lines l
                    WHERE l.company_id = company AND l.entry_id = e.id AND l.line_type = 'CONTROL'
                      AND l.account_id = booked.receivable_account_id))
            THEN 'its entry is not of it'
        WHEN NOT EXISTS (
                SELECT FROM number_series s WHERE s.company_id = company AND s.name = 'invoice'
                AND s.last_number >= booked.number_sequence)
            THEN 'its number was not taken from the series'
        WHEN booked.amount_paid <> (
                SELECT coalesce(sum(p.amount), 0) FROM payments p
                WHERE p.company_id = company AND p.invoice_id = invoice AND p.reversed_at IS NULL)
                - returned_of(company, invoice)
            THEN 'what is paid is not the sum of its payments'
        WHEN booked.credited_amount <> (
                SELECT coalesce(-sum(n.amount), 0) FROM credit_notes n
                WHERE n.company_id = company AND n.invoice_id = invoice
                  AND n.status IN ('scheduled', 'sending', 'sent'))
            THEN 'what is credited is not the sum of its credit notes'
        WHEN booked.applied_credit <> credit_applied_to(company, invoice)
            THEN 'the credit that is used on it is not what was used'
        WHEN excess_used_of(company, invoice) > greatest(settled - booked.amount, 0)
            THEN 'more is used of what it has too much than there is'
        WHEN booked.written_off_amount <> written_off_of(company, invoice)
            THEN 'what is written off is not what was given up'
        WHEN NOT CASE
                WHEN booked.written_off_amount > 0
                    THEN booked.status = 'uncollectible' AND settled + booked.written_off_amount = booked.amount
                WHEN booked.status = 'credited' THEN booked.credited_amount = booked.amount AND EXISTS (
                    SELECT FROM credit_notes n WHERE n.company_id = company AND n.invoice_id = invoice
                    AND n.journal_entry_id IS NOT NULL)
                WHEN booked.credited_amount > 0 AND booked.credited_amount = booked.amount AND NOT EXISTS (
                    SELECT FROM invoice_lines l WHERE l.company_id = company AND l.invoice_id = invoice
                    AND l.prepayment_invoice_id IS NOT NULL)
                    THEN false
                WHEN settled >= booked.amount THEN booked.status = 'paid'
                WHEN booked.amount_paid + booked.applied_credit > 0 THEN booked.status = 'partially_paid'
                ELSE booked.status IN ('scheduled', 'sending', 'sent') END
            THEN format('it is not %s', booked.status)
        END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'invoice %: %', booked.number, fault USING ERRCODE = 'LB426';
    END IF;
END
$$;
