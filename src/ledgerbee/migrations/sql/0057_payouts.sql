-- Payouts of payment providers: what moved on the company's account there, what was paid out of it, and what doesn't agree.

-- Where a provider pays out to; without one it is the account with the role BANK.
ALTER TABLE payment_providers
    ADD COLUMN bank_account_id uuid,
    ADD CONSTRAINT payment_providers_bank FOREIGN KEY (company_id, bank_account_id) REFERENCES accounts (company_id, id);

-- A payout, above zero what came to the bank. It is booked when all of it is known, and never changes from then on.
CREATE TABLE payouts (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    -- What the provider's movements call it.
    provider_id text NOT NULL,
    -- The account that the bank has for it, where the request that brought it named one.
    named_account_id uuid,
    amount numeric(19, 4) NOT NULL CHECK (amount <> 0),
    currency text NOT NULL,
    paid_at timestamptz NOT NULL,
    paid_on date NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'paid')),
    -- Why it isn't booked: a code of ours.
    waits_for text,
    -- What of it was booked: fees, what nobody knows, and what left the clearing account, that in the company's currency too. `left_`
    -- is what its movements put there and it did not pay out.
    fee_amount numeric(19, 4) NOT NULL DEFAULT 0,
    unidentified_amount numeric(19, 4) NOT NULL DEFAULT 0,
    cleared_amount numeric(19, 4) NOT NULL DEFAULT 0,
    cleared_base_amount numeric(19, 4) NOT NULL DEFAULT 0,
    left_amount numeric(19, 4) NOT NULL DEFAULT 0,
    left_base_amount numeric(19, 4) NOT NULL DEFAULT 0,
    base_amount numeric(19, 4) NOT NULL DEFAULT 0,
    exchange_rate numeric CHECK (exchange_rate > 0),
    bank_account_id uuid,
    clearing_account_id uuid,
    journal_entry_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT payouts_provider_id UNIQUE (company_id, provider, provider_id),
    CONSTRAINT payouts_finite CHECK (
        amount > '-Infinity' AND amount < 'Infinity' AND base_amount > '-Infinity' AND base_amount < 'Infinity'
        AND fee_amount > '-Infinity' AND fee_amount < 'Infinity'
        AND unidentified_amount > '-Infinity' AND unidentified_amount < 'Infinity'
        AND cleared_amount > '-Infinity' AND cleared_amount < 'Infinity'
        AND cleared_base_amount > '-Infinity' AND cleared_base_amount < 'Infinity'
        AND left_amount > '-Infinity' AND left_amount < 'Infinity'
        AND left_base_amount > '-Infinity' AND left_base_amount < 'Infinity'
        AND exchange_rate < 'Infinity'),
    CONSTRAINT payouts_booked CHECK ((status = 'paid') = (
        journal_entry_id IS NOT NULL AND exchange_rate IS NOT NULL AND bank_account_id IS NOT NULL
        AND clearing_account_id IS NOT NULL)),
    CONSTRAINT payouts_waits CHECK ((status = 'pending') = (waits_for IS NOT NULL)),
    CONSTRAINT payouts_adds_up CHECK (cleared_amount = CASE status WHEN 'paid' THEN amount + fee_amount - unidentified_amount ELSE 0 END),
    CONSTRAINT payouts_provider FOREIGN KEY (company_id, provider) REFERENCES payment_providers (company_id, name),
    CONSTRAINT payouts_named_account FOREIGN KEY (company_id, named_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payouts_bank FOREIGN KEY (company_id, bank_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payouts_clearing FOREIGN KEY (company_id, clearing_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payouts_entry FOREIGN KEY (company_id, journal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX payouts_list ON payouts (company_id, paid_on, id) INCLUDE (provider, status);
CREATE INDEX payouts_pending ON payouts (company_id, provider) WHERE status = 'pending';
CREATE INDEX payouts_left ON payouts (company_id, clearing_account_id, currency)
    INCLUDE (left_amount, left_base_amount) WHERE status = 'paid';
SELECT protect_table('payouts', 'SELECT, INSERT');
GRANT UPDATE (named_account_id, status, waits_for, fee_amount, unidentified_amount, cleared_amount,
    cleared_base_amount, left_amount, left_base_amount, base_amount, exchange_rate, bank_account_id, clearing_account_id,
    journal_entry_id, updated_at) ON payouts TO ledgerbee_app;

-- What moved on the account at the provider, by the provider's own id: each once, whatever brings it. Above zero what comes in.
CREATE TABLE payout_movements (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text NOT NULL,
    type text NOT NULL CHECK (type IN ('charge', 'refund', 'dispute', 'dispute_reversed', 'fee', 'payout', 'other')),
    amount numeric(19, 4) NOT NULL,
    fee numeric(19, 4) NOT NULL,
    currency text NOT NULL,
    moved_at timestamptz NOT NULL,
    object_id text,
    -- Of a dispute the charge, where the provider tells it beside.
    charge_object_id text,
    reference text,
    -- The payout that the provider says it was paid out with; and the one that it was booked with, or will be.
    payout_name text,
    payout_id uuid,
    description text NOT NULL,
    -- What of ours it is, once it is booked: of a dispute its charge, and itself where the provider has told of it. What was taken off the
    -- account that it stood on, in its currency and the company's; and what of the movement is nobody's.
    charge_id uuid,
    refund_id uuid,
    dispute_id uuid,
    account_id uuid,
    cleared_amount numeric(19, 4) NOT NULL DEFAULT 0,
    base_amount numeric(19, 4) NOT NULL DEFAULT 0,
    unidentified_amount numeric(19, 4) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT payout_movements_provider_id UNIQUE (company_id, provider, provider_id),
    CONSTRAINT payout_movements_finite CHECK (
        amount > '-Infinity' AND amount < 'Infinity' AND fee > '-Infinity' AND fee < 'Infinity'
        AND cleared_amount > '-Infinity' AND cleared_amount < 'Infinity'
        AND base_amount > '-Infinity' AND base_amount < 'Infinity'
        AND unidentified_amount > '-Infinity' AND unidentified_amount < 'Infinity'),
    CONSTRAINT payout_movements_ours CHECK (
        num_nonnulls(charge_id, refund_id) = num_nonnulls(account_id)
        AND (dispute_id IS NULL OR (charge_id IS NOT NULL AND type IN ('dispute', 'dispute_reversed')))
        AND (account_id IS NOT NULL OR (cleared_amount = 0 AND base_amount = 0))),
    CONSTRAINT payout_movements_provider FOREIGN KEY (company_id, provider) REFERENCES payment_providers (company_id, name),
    CONSTRAINT payout_movements_payout FOREIGN KEY (company_id, payout_id) REFERENCES payouts (company_id, id),
    CONSTRAINT payout_movements_charge FOREIGN KEY (company_id, charge_id) REFERENCES charges (company_id, id),
    CONSTRAINT payout_movements_refund FOREIGN KEY (company_id, refund_id) REFERENCES refunds (company_id, id),
    CONSTRAINT payout_movements_dispute FOREIGN KEY (company_id, dispute_id) REFERENCES disputes (company_id, id),
    CONSTRAINT payout_movements_account FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id)
);
-- A charge is paid out once, and so is a refund and a dispute, which may come back once.
CREATE UNIQUE INDEX payout_movements_of_charge ON payout_movements (company_id, charge_id) WHERE charge_id IS NOT NULL AND type = 'charge';
CREATE UNIQUE INDEX payout_movements_of_refund ON payout_movements (company_id, refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX payout_movements_of_dispute ON payout_movements (company_id, dispute_id, type) WHERE dispute_id IS NOT NULL;
CREATE INDEX payout_movements_of_disputed ON payout_movements (company_id, charge_id) WHERE charge_id IS NOT NULL AND type <> 'charge';
CREATE INDEX payout_movements_of_payout ON payout_movements (company_id, payout_id, moved_at, id) WHERE payout_id IS NOT NULL;
CREATE INDEX payout_movements_loose ON payout_movements (company_id, provider, moved_at) WHERE payout_id IS NULL;
SELECT protect_table('payout_movements', 'SELECT, INSERT');
GRANT UPDATE (payout_name, payout_id, charge_id, refund_id, dispute_id, account_id, cleared_amount, base_amount, unidentified_amount,
    updated_at) ON payout_movements TO ledgerbee_app;

-- Once it is booked a payout stays as it is, and so do its movements; a disputed charge's may be told its dispute later. LB470, LB471.
CREATE FUNCTION keep_paid_payout() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'payout % is booked and cannot be changed', OLD.provider_id USING ERRCODE = 'LB470';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_paid_payout() FROM PUBLIC;
CREATE TRIGGER keep_paid_payout BEFORE UPDATE ON payouts
    FOR EACH ROW WHEN (OLD.status = 'paid') EXECUTE FUNCTION keep_paid_payout();

CREATE FUNCTION keep_paid_movement() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.dispute_id IS NULL AND OLD.charge_id IS NOT NULL AND OLD.type IN ('dispute', 'dispute_reversed')
        AND to_jsonb(NEW) - 'dispute_id' - 'updated_at' = to_jsonb(OLD) - 'dispute_id' - 'updated_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'movement % is booked and cannot be changed', OLD.provider_id USING ERRCODE = 'LB471';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_paid_movement() FROM PUBLIC;
CREATE TRIGGER keep_paid_movement BEFORE UPDATE ON payout_movements
    FOR EACH ROW WHEN (OLD.payout_id IS NOT NULL) EXECUTE FUNCTION keep_paid_movement();

ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type CHECK (source_type IN (
    'draft', 'import', 'invoice', 'payment', 'credit_note', 'credit_use', 'write_off', 'revenue_recognition', 'charge',
    'refund', 'dispute', 'payout')) NOT VALID;

-- A look at a provider's own list, and why it failed where it did.
CREATE TABLE reconciliations (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    movements integer NOT NULL CHECK (movements >= 0),
    failure text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT reconciliations_provider FOREIGN KEY (company_id, provider) REFERENCES payment_providers (company_id, name)
);
CREATE INDEX reconciliations_last ON reconciliations (company_id, provider, created_at, id);
SELECT protect_table('reconciliations', 'SELECT, INSERT');

-- What one side of it lacks, or has otherwise.
CREATE TABLE reconciliation_differences (
    company_id uuid NOT NULL,
    reconciliation_id uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    kind text NOT NULL CHECK (kind IN (
        'missing_at_provider', 'unknown_here', 'undecided_here', 'failed_here', 'amount_differs', 'movement_differs',
        'payout_waits')),
    charge_id uuid,
    movement_id text,
    movement_type text,
    object_id text,
    reference text,
    amount numeric(19, 4),
    provider_amount numeric(19, 4),
    currency text NOT NULL,
    PRIMARY KEY (company_id, reconciliation_id, position),
    CONSTRAINT reconciliation_differences_finite CHECK (
        amount > '-Infinity' AND amount < 'Infinity' AND provider_amount > '-Infinity' AND provider_amount < 'Infinity'),
    CONSTRAINT reconciliation_differences_of FOREIGN KEY (company_id, reconciliation_id)
        REFERENCES reconciliations (company_id, id),
    CONSTRAINT reconciliation_differences_charge FOREIGN KEY (company_id, charge_id) REFERENCES charges (company_id, id)
);
SELECT protect_table('reconciliation_differences', 'SELECT, INSERT');

SELECT forget_values('payment_providers');
