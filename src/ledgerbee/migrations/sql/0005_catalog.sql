-- What is sold: product groups (revenue account by VAT zone), products, prices.

CREATE TABLE product_groups (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    -- What lists are sorted and searched by. Under "C" one index serves both; as columns of their own, because
    -- row-level security keeps an index on lower(name) from being searched.
    number_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(number)) STORED,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    description text,
    domestic_account_id uuid NOT NULL,
    eu_account_id uuid NOT NULL,
    abroad_account_id uuid NOT NULL,
    domestic_without_vat_account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT product_groups_number UNIQUE (company_id, number),
    FOREIGN KEY (company_id, domestic_account_id) REFERENCES accounts (company_id, id),
    FOREIGN KEY (company_id, eu_account_id) REFERENCES accounts (company_id, id),
    FOREIGN KEY (company_id, abroad_account_id) REFERENCES accounts (company_id, id),
    FOREIGN KEY (company_id, domestic_without_vat_account_id) REFERENCES accounts (company_id, id)
);
CREATE INDEX product_groups_created ON product_groups (company_id, created_at, id);
CREATE INDEX product_groups_number_key ON product_groups (company_id, number_key, id);
CREATE INDEX product_groups_name_key ON product_groups (company_id, name_key, id);
SELECT protect_table('product_groups', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE products (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    number_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(number)) STORED,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    description text,
    product_group_id uuid NOT NULL,
    unit text,
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED', 'ARCHIVED')),
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT products_number UNIQUE (company_id, number),
    CONSTRAINT products_group FOREIGN KEY (company_id, product_group_id) REFERENCES product_groups (company_id, id)
);
-- They carry what lists filter by, so that the pages that are skipped are never fetched from the table.
CREATE INDEX products_created ON products (company_id, created_at, id) INCLUDE (status, product_group_id, name_key, number_key);
CREATE INDEX products_number_key ON products (company_id, number_key, id) INCLUDE (status, product_group_id, name_key);
CREATE INDEX products_name_key ON products (company_id, name_key, id) INCLUDE (status, product_group_id, number_key);
CREATE INDEX products_by_group ON products (company_id, product_group_id);
CREATE INDEX products_by_status ON products (company_id, status, created_at, id);
SELECT protect_table('products', 'SELECT, INSERT, UPDATE, DELETE');

-- What counts the units of USAGE prices.
CREATE TABLE meters (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'ARCHIVED')),
    PRIMARY KEY (company_id, id),
    CONSTRAINT meters_name UNIQUE (company_id, name)
);
SELECT protect_table('meters', 'SELECT');

CREATE TABLE prices (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    billing_period_type text NOT NULL CHECK (billing_period_type IN ('ONE_TIME', 'RECURRING', 'USAGE')),
    pricing_model text NOT NULL CHECK (pricing_model IN ('FLAT_RATE', 'PACKAGE', 'VOLUME', 'GRADUATED')),
    nickname text,
    currency text NOT NULL,
    unit_amount numeric(26, 12),
    -- [{upTo, unitAmount, flatAmount, packageSize}], decimals as strings.
    tiers jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tiers) = 'array'),
    billing_interval text CHECK (billing_interval IN ('day', 'week', 'month', 'year')),
    billing_interval_count int CHECK (billing_interval_count > 0),
    meter_id uuid,
    -- Amounts in other currencies, by code; the price's own currency is the source of truth.
    currency_amounts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(currency_amounts) = 'object'),
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED', 'ARCHIVED')),
    is_default boolean NOT NULL,
    is_locked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT prices_product FOREIGN KEY (company_id, product_id) REFERENCES products (company_id, id),
    CONSTRAINT prices_meter FOREIGN KEY (company_id, meter_id) REFERENCES meters (company_id, id),
    CHECK ((billing_interval IS NULL) = (billing_period_type = 'ONE_TIME')),
    CHECK ((billing_interval IS NULL) = (billing_interval_count IS NULL)),
    CHECK ((meter_id IS NOT NULL) = (billing_period_type = 'USAGE')),
    CHECK ((unit_amount IS NOT NULL) = (pricing_model = 'FLAT_RATE')),
    CHECK ((tiers = '[]') = (pricing_model = 'FLAT_RATE'))
);
CREATE INDEX prices_by_product ON prices (company_id, product_id, created_at, id);
CREATE UNIQUE INDEX prices_one_default ON prices (company_id, product_id) WHERE is_default;
CREATE INDEX prices_by_meter ON prices (company_id, meter_id) WHERE meter_id IS NOT NULL;
SELECT protect_table('prices', 'SELECT, INSERT, UPDATE, DELETE');

-- The database's own word on a locked price: what documents and subscriptions stand on can't change or go.
CREATE FUNCTION keep_locked_price() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.is_locked
        AND (NEW.company_id, NEW.id, NEW.product_id, NEW.billing_period_type, NEW.pricing_model, NEW.currency,
             NEW.tiers)
          = (OLD.company_id, OLD.id, OLD.product_id, OLD.billing_period_type, OLD.pricing_model, OLD.currency,
             OLD.tiers)
        AND (NEW.unit_amount, NEW.billing_interval, NEW.billing_interval_count, NEW.meter_id)
            IS NOT DISTINCT FROM
            (OLD.unit_amount, OLD.billing_interval, OLD.billing_interval_count, OLD.meter_id)
        AND NEW.currency_amounts @> OLD.currency_amounts
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'price % is locked', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER keep_locked_price BEFORE UPDATE OR DELETE ON prices
    FOR EACH ROW WHEN (OLD.is_locked) EXECUTE FUNCTION keep_locked_price();
