-- Who trades with the company: customer and vendor groups (with their control account), customers, vendors,
-- their contacts and departments.

CREATE TABLE customer_groups (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    discount_percent numeric(7, 4) NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    account_id uuid NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT customer_groups_number UNIQUE (company_id, number),
    FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id)
);
SELECT protect_table('customer_groups', 'SELECT, INSERT, UPDATE');

CREATE TABLE vendor_groups (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    account_id uuid NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT vendor_groups_number UNIQUE (company_id, number),
    FOREIGN KEY (company_id, account_id) REFERENCES accounts (company_id, id)
);
SELECT protect_table('vendor_groups', 'SELECT, INSERT, UPDATE');

CREATE TABLE customers (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    customer_type text NOT NULL CHECK (customer_type IN ('company', 'private', 'public')),
    name text NOT NULL,
    vat_zone text NOT NULL CHECK (vat_zone IN ('domestic', 'eu', 'abroad', 'domestic_without_vat')),
    customer_group_id uuid NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    billing_relationship text NOT NULL DEFAULT 'self' CHECK (billing_relationship IN ('self', 'parent_pays')),
    parent_customer_id uuid,
    include_child_details_pdf boolean NOT NULL DEFAULT false,
    email text,
    phone text,
    address text,
    city text,
    postal_code text,
    country_code text NOT NULL,
    vat_number text,
    ean_number text,
    website text,
    currency text NOT NULL,
    payment_terms_days int CHECK (payment_terms_days BETWEEN 0 AND 3650),
    language text CHECK (language IN ('da', 'en')),
    document_template_id uuid,
    external_system_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT customers_number UNIQUE (company_id, number),
    CONSTRAINT customers_external_system_id UNIQUE (company_id, external_system_id),
    CONSTRAINT customers_group FOREIGN KEY (company_id, customer_group_id) REFERENCES customer_groups (company_id, id),
    CONSTRAINT customers_parent FOREIGN KEY (company_id, parent_customer_id) REFERENCES customers (company_id, id),
    CHECK (parent_customer_id <> id),
    CHECK (billing_relationship = 'self' OR parent_customer_id IS NOT NULL)
);
CREATE INDEX customers_metadata ON customers USING gin (metadata jsonb_path_ops);
SELECT protect_table('customers', 'SELECT, INSERT, UPDATE');

CREATE TABLE vendors (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    vendor_group_id uuid NOT NULL,
    currency text NOT NULL,
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED', 'ARCHIVED')),
    email text,
    phone text,
    address text,
    city text,
    postal_code text,
    country_code text NOT NULL,
    vat_number text,
    attention text,
    payment_terms_days int CHECK (payment_terms_days BETWEEN 0 AND 3650),
    default_account_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT vendors_number UNIQUE (company_id, number),
    CONSTRAINT vendors_group FOREIGN KEY (company_id, vendor_group_id) REFERENCES vendor_groups (company_id, id),
    CONSTRAINT vendors_default_account FOREIGN KEY (company_id, default_account_id)
        REFERENCES accounts (company_id, id)
);
SELECT protect_table('vendors', 'SELECT, INSERT, UPDATE');

-- Contacts and departments hang on exactly one customer or one vendor.
CREATE TABLE contacts (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    vendor_id uuid,
    name text NOT NULL,
    email text,
    phone text,
    is_default boolean NOT NULL,
    department_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CHECK (num_nonnulls(customer_id, vendor_id) = 1),
    FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    FOREIGN KEY (company_id, vendor_id) REFERENCES vendors (company_id, id)
);
CREATE INDEX contacts_customer ON contacts (company_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX contacts_vendor ON contacts (company_id, vendor_id) WHERE vendor_id IS NOT NULL;
CREATE UNIQUE INDEX contacts_one_default_customer ON contacts (company_id, customer_id)
    WHERE is_default AND customer_id IS NOT NULL;
CREATE UNIQUE INDEX contacts_one_default_vendor ON contacts (company_id, vendor_id)
    WHERE is_default AND vendor_id IS NOT NULL;
SELECT protect_table('contacts', 'SELECT, INSERT, UPDATE');

CREATE TABLE departments (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    vendor_id uuid,
    name text NOT NULL,
    is_default boolean NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    ean_number text,
    address text,
    city text,
    postal_code text,
    country_code text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CHECK (num_nonnulls(customer_id, vendor_id) = 1),
    FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    FOREIGN KEY (company_id, vendor_id) REFERENCES vendors (company_id, id)
);
CREATE INDEX departments_customer ON departments (company_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX departments_vendor ON departments (company_id, vendor_id) WHERE vendor_id IS NOT NULL;
SELECT protect_table('departments', 'SELECT, INSERT, UPDATE');
ALTER TABLE contacts ADD CONSTRAINT contacts_department
    FOREIGN KEY (company_id, department_id) REFERENCES departments (company_id, id);
