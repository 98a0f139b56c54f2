-- Payment providers, saved cards and charges.

-- The address of a provider's callbacks has a secret of its own, which names the company.
ALTER TABLE credentials
    DROP CONSTRAINT credentials_kind_check,
    ADD CONSTRAINT credentials_kind_check
        CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token', 'quote_link', 'provider_callback'));

-- A company's account at a provider. Accounts of the chart that aren't named are those with the role.
CREATE TABLE payment_providers (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name IN ('stripe', 'quickpay', 'sandbox')),
    is_enabled boolean NOT NULL,
    is_default boolean NOT NULL,
    -- Encrypted: the provider's keys by name, and the secret of the address that it calls.
    keys bytea NOT NULL,
    callback_secret bytea NOT NULL,
    clearing_account_id uuid,
    fee_account_id uuid,
    unidentified_account_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT payment_providers_name UNIQUE (company_id, name),
    CONSTRAINT payment_providers_clearing FOREIGN KEY (company_id, clearing_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payment_providers_fees FOREIGN KEY (company_id, fee_account_id) REFERENCES accounts (company_id, id),
    CONSTRAINT payment_providers_unidentified FOREIGN KEY (company_id, unidentified_account_id)
        REFERENCES accounts (company_id, id)
);
CREATE UNIQUE INDEX payment_providers_default ON payment_providers (company_id) WHERE is_default;
SELECT protect_table('payment_providers', 'SELECT, INSERT, UPDATE');

-- Saved cards. One without a customer was unassigned: it lives on at the provider.
CREATE TABLE payment_methods (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    provider text NOT NULL,
    agreement_id text NOT NULL,
    label text,
    is_default boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('ACTIVE', 'EXPIRED', 'CANCELLED')),
    card_mask text,
    card_type text,
    expiry_month integer CHECK (expiry_month BETWEEN 1 AND 12),
    expiry_year integer CHECK (expiry_year BETWEEN 2000 AND 9999),
    -- The end of validity that was told as `payment_method.expiring`: once for each.
    told_expiry date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT payment_methods_agreement UNIQUE (company_id, provider, agreement_id),
    CONSTRAINT payment_methods_provider FOREIGN KEY (company_id, provider) REFERENCES payment_providers (company_id, name),
    CONSTRAINT payment_methods_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT payment_methods_no_default CHECK (NOT is_default OR (customer_id IS NOT NULL AND status = 'ACTIVE'))
);
CREATE UNIQUE INDEX payment_methods_default ON payment_methods (company_id, customer_id) WHERE is_default;
CREATE INDEX payment_methods_of_customer ON payment_methods (company_id, customer_id, created_at, id);
CREATE INDEX payment_methods_expiring ON payment_methods (company_id, expiry_year, expiry_month) WHERE status = 'ACTIVE';
SELECT protect_table('payment_methods', 'SELECT, INSERT');
GRANT UPDATE (customer_id, label, is_default, status, card_mask, card_type, expiry_month, expiry_year, told_expiry, updated_at)
    ON payment_methods TO ledgerbee_app;

ALTER TABLE subscriptions
    ADD CONSTRAINT subscriptions_payment_method FOREIGN KEY (company_id, payment_method_id)
        REFERENCES payment_methods (company_id, id);
CREATE INDEX subscriptions_by_payment_method ON subscriptions (company_id, payment_method_id)
    WHERE payment_method_id IS NOT NULL;

-- Links on which a customer saves a card: a row before the provider is asked for its page.
CREATE TABLE card_links (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    provider text NOT NULL,
    -- What the provider knows it by: short, letters and digits. Its own id comes with its answer.
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    provider_id text,
    url text,
    status text NOT NULL CHECK (status IN ('asked', 'open', 'saved', 'failed', 'expired')),
    payment_method_id uuid,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT card_links_reference UNIQUE (company_id, reference),
    CONSTRAINT card_links_saved CHECK ((payment_method_id IS NOT NULL) = (status = 'saved')),
    CONSTRAINT card_links_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT card_links_provider FOREIGN KEY (company_id, provider) REFERENCES payment_providers (company_id, name),
    CONSTRAINT card_links_method FOREIGN KEY (company_id, payment_method_id) REFERENCES payment_methods (company_id, id)
);
CREATE INDEX card_links_open ON card_links (company_id, created_at) WHERE status IN ('asked', 'open');
CREATE INDEX card_links_by_provider_id ON card_links (company_id, provider, provider_id);
SELECT protect_table('card_links', 'SELECT, INSERT');
GRANT UPDATE (provider_id, url, status, payment_method_id, updated_at) ON card_links TO ledgerbee_app;

-- Charges of saved cards: a row before the provider is asked. Of one invoice at most one is under way.
CREATE TABLE charges (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    payment_method_id uuid NOT NULL,
    provider text NOT NULL,
    provider_id text,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'unclear', 'requires_action', 'succeeded', 'failed')),
    decline_code text,
    decline_message text,
    is_soft_decline boolean,
    action_url text,
    -- Of charges that follow each other on one invoice without success, the number; and when the next one comes.
    attempt integer NOT NULL CHECK (attempt > 0),
    retry_on date,
    -- When the provider was asked: from then on it is asked what it knows, before it is asked to charge.
    asked_at timestamptz,
    -- What it paid of its invoice, and what it was more than was due by then, which stands on unidentified receipts.
    payment_id uuid,
    unapplied_amount numeric(19, 4) NOT NULL DEFAULT 0 CHECK (unapplied_amount >= 0 AND unapplied_amount <= amount),
    unapplied_entry_id uuid,
    finished_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT charges_finite CHECK (amount < 'Infinity' AND unapplied_amount < 'Infinity'),
    CONSTRAINT charges_reference UNIQUE (company_id, reference),
    CONSTRAINT charges_finished CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed'))),
    CONSTRAINT charges_booked CHECK ((status = 'succeeded') = (payment_id IS NOT NULL OR unapplied_entry_id IS NOT NULL)),
    CONSTRAINT charges_unapplied CHECK ((unapplied_amount > 0) = (unapplied_entry_id IS NOT NULL)),
    CONSTRAINT charges_declined CHECK ((status = 'failed') = (decline_code IS NOT NULL)),
    CONSTRAINT charges_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT charges_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT charges_method FOREIGN KEY (company_id, payment_method_id) REFERENCES payment_methods (company_id, id),
    CONSTRAINT charges_payment FOREIGN KEY (company_id, payment_id) REFERENCES payments (company_id, id),
    CONSTRAINT charges_entry FOREIGN KEY (company_id, unapplied_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX charges_under_way ON charges (company_id, invoice_id)
    WHERE status IN ('pending', 'unclear', 'requires_action');
CREATE INDEX charges_of_invoice ON charges (company_id, invoice_id, created_at, id);
CREATE INDEX charges_by_provider_id ON charges (company_id, provider, provider_id);
CREATE INDEX charges_open ON charges (company_id, asked_at) WHERE status IN ('pending', 'unclear', 'requires_action');
CREATE INDEX charges_to_retry ON charges (company_id, retry_on) WHERE retry_on IS NOT NULL;
SELECT protect_table('charges', 'SELECT, INSERT');
GRANT UPDATE (provider_id, status, decline_code, decline_message, is_soft_decline, action_url, retry_on, asked_at, payment_id,
    unapplied_amount, unapplied_entry_id, finished_at, updated_at) ON charges TO ledgerbee_app;

-- `succeeded` is final, so is `failed`: only a refund or a dispute, rows of their own, take a charge back. LB450.
CREATE FUNCTION keep_finished_charge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept charges%ROWTYPE := OLD;
BEGIN
    kept.retry_on := NEW.retry_on;
    kept.updated_at := NEW.updated_at;
    IF kept IS NOT DISTINCT FROM NEW THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'charge % has ended and cannot be changed', OLD.reference USING ERRCODE = 'LB450';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_finished_charge() FROM PUBLIC;
CREATE TRIGGER keep_finished_charge BEFORE UPDATE ON charges
    FOR EACH ROW WHEN (OLD.status IN ('succeeded', 'failed')) EXECUTE FUNCTION keep_finished_charge();

-- What a charge is more than was due is booked by itself.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_source_type;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_source_type CHECK (source_type IN (
    'draft', 'import', 'invoice', 'payment', 'credit_note', 'credit_use', 'write_off', 'revenue_recognition', 'charge'))
    NOT VALID;

-- What providers told, by their own ids: each is taken once.
CREATE TABLE provider_events (
    company_id uuid NOT NULL,
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    provider_object_id text,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, provider, event_id)
);
SELECT protect_table('provider_events', 'SELECT, INSERT');
