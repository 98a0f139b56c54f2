-- Danish companies have the accounts of payment providers: they get the roles where nothing else has them. None is added: who has
-- none is told so when it is needed.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE accounts a SET role = given.role
        FROM (VALUES (6331, 6330, 'ASSET', 'PAYMENT_CLEARING'), (8042, 8040, 'LIABILITY', 'UNIDENTIFIED_RECEIPTS'))
                 given (number, standard_number, classification, role),
             companies c
        WHERE a.company_id = company AND c.company_id = company AND c.country_code = 'DK'
          AND a.number = given.number AND a.standard_number = given.standard_number
          AND a.classification = given.classification AND a.ledger_type = 'BALANCE_SHEET' AND a.role IS NULL
          AND a.control_account_type IS NULL AND a.is_active
          AND NOT EXISTS (SELECT FROM accounts o WHERE o.company_id = company AND o.role = given.role);
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;

-- The provider that is built in, with which no money moves. Its pages have secrets of their own, which name the company.
ALTER TABLE credentials
    DROP CONSTRAINT credentials_kind_check,
    ADD CONSTRAINT credentials_kind_check
        CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token', 'quote_link', 'provider_callback', 'sandbox_page'));

-- A card that is to be saved on a page, or was. Of a number nothing is kept but its last four digits.
CREATE TABLE sandbox_cards (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    status text NOT NULL CHECK (status IN ('pending', 'active', 'failed', 'cancelled')),
    language text NOT NULL CHECK (language IN ('da', 'en')),
    customer_name text NOT NULL,
    return_url text NOT NULL,
    cancel_url text NOT NULL,
    -- How it behaves when it is charged: what its number stands for.
    behavior text,
    mask text,
    type text,
    expiry_month integer,
    expiry_year integer,
    page_secret text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT sandbox_cards_reference UNIQUE (company_id, reference),
    CONSTRAINT sandbox_cards_behavior CHECK (status <> 'active' OR behavior IS NOT NULL)
);
SELECT protect_table('sandbox_cards', 'SELECT, INSERT');
GRANT UPDATE (status, behavior, mask, type, expiry_month, expiry_year, updated_at) ON sandbox_cards TO ledgerbee_app;

CREATE TABLE sandbox_charges (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    card_id uuid NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    description text NOT NULL,
    status text NOT NULL CHECK (status IN ('requires_action', 'succeeded', 'failed')),
    decline_code text,
    fee numeric(19, 4) NOT NULL,
    page_secret text,
    disputed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT sandbox_charges_reference UNIQUE (company_id, reference),
    CONSTRAINT sandbox_charges_card FOREIGN KEY (company_id, card_id) REFERENCES sandbox_cards (company_id, id),
    CONSTRAINT sandbox_charges_declined CHECK ((status = 'failed') = (decline_code IS NOT NULL)),
    CONSTRAINT sandbox_charges_finite CHECK (amount > '-Infinity' AND amount < 'Infinity' AND fee > '-Infinity' AND fee < 'Infinity')
);
CREATE INDEX sandbox_charges_of_card ON sandbox_charges (company_id, card_id);
CREATE INDEX sandbox_charges_by_time ON sandbox_charges (company_id, updated_at);
SELECT protect_table('sandbox_charges', 'SELECT, INSERT');
GRANT UPDATE (status, decline_code, disputed_at, updated_at) ON sandbox_charges TO ledgerbee_app;

CREATE TABLE sandbox_refunds (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL CHECK (reference ~ '^[A-Z0-9]{4,20}$'),
    charge_id uuid NOT NULL,
    amount numeric(19, 4) NOT NULL CHECK (amount > 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT sandbox_refunds_reference UNIQUE (company_id, reference),
    CONSTRAINT sandbox_refunds_charge FOREIGN KEY (company_id, charge_id) REFERENCES sandbox_charges (company_id, id),
    CONSTRAINT sandbox_refunds_finite CHECK (amount > '-Infinity' AND amount < 'Infinity')
);
CREATE INDEX sandbox_refunds_of_charge ON sandbox_refunds (company_id, charge_id);
CREATE INDEX sandbox_refunds_by_time ON sandbox_refunds (company_id, created_at);
SELECT protect_table('sandbox_refunds', 'SELECT, INSERT');

-- What the provider has to tell, in the order in which it happened.
CREATE TABLE sandbox_events (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL CHECK (subject IN ('agreement', 'charge', 'refund', 'dispute')),
    object_id text NOT NULL,
    reference text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
SELECT protect_table('sandbox_events', 'SELECT, INSERT');
