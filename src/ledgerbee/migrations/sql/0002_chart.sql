-- The books' master data: VAT codes, accounts, journal categories, document templates.

CREATE TABLE vat_codes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    rate numeric(7, 4) NOT NULL CHECK (rate BETWEEN 0 AND 100),
    type text NOT NULL CHECK (type IN ('SALES', 'PURCHASE')),
    principle text NOT NULL CHECK (principle IN ('Gross', 'Net')),
    deductible_percent numeric(11, 8) NOT NULL DEFAULT 100 CHECK (deductible_percent BETWEEN 0 AND 100),
    account_id uuid,
    contra_account_id uuid,
    return_box text,
    einvoice_category text,
    exemption_reason text,
    exemption_reason_da text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT vat_codes_code UNIQUE (company_id, code)
);

CREATE TABLE accounts (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number int NOT NULL CHECK (number > 0),
    name text NOT NULL,
    standard_number int NOT NULL,
    ledger_type text NOT NULL CHECK (ledger_type IN
        ('BALANCE_SHEET', 'HEADING_BREAK', 'HEADING', 'PROFIT_AND_LOSS', 'TOTAL_FROM', 'TOTAL_INTERVALS')),
    classification text CHECK (classification IN ('ASSET', 'LIABILITY', 'EQUITY', 'REVENUE', 'EXPENSE')),
    control_account_type text CHECK (control_account_type IN ('ACCOUNTS_RECEIVABLE', 'ACCOUNTS_PAYABLE')),
    vat_code_id uuid,
    -- The one account the system itself books on for a purpose (BANK, FX_GAIN, ...).
    role text,
    sum_from int,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT accounts_number UNIQUE (company_id, number),
    CONSTRAINT accounts_role UNIQUE (company_id, role),
    CONSTRAINT accounts_vat_code FOREIGN KEY (company_id, vat_code_id) REFERENCES vat_codes (company_id, id)
);
CREATE INDEX accounts_order ON accounts (company_id, standard_number, number);
ALTER TABLE vat_codes
    ADD CONSTRAINT vat_codes_account FOREIGN KEY (company_id, account_id)
        REFERENCES accounts (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT vat_codes_contra_account FOREIGN KEY (company_id, contra_account_id)
        REFERENCES accounts (company_id, id) DEFERRABLE INITIALLY DEFERRED;
SELECT protect_table('vat_codes', 'SELECT, INSERT, UPDATE');
SELECT protect_table('accounts', 'SELECT, INSERT, UPDATE');

CREATE TABLE journal_categories (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    is_default boolean NOT NULL,
    allowed_journal_types text[] NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT journal_categories_name UNIQUE (company_id, name)
);
CREATE UNIQUE INDEX journal_categories_one_default ON journal_categories (company_id) WHERE is_default;
SELECT protect_table('journal_categories', 'SELECT, INSERT, UPDATE');
