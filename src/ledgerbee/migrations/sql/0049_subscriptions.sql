-- Subscriptions: a chain of immutable versions each, the changes that are queued for it, and what was charged.

CREATE TABLE subscriptions (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    partner_reference_id text,
    currency text NOT NULL,
    starts_on date NOT NULL,
    -- The first day after the trial.
    trial_until date CHECK (trial_until > starts_on),
    proration_behavior text NOT NULL CHECK (proration_behavior IN ('none', 'create_prorations', 'always_invoice')),
    -- As its newest version says, for lists.
    version integer NOT NULL,
    name text NOT NULL,
    plan_id uuid NOT NULL,
    is_paused boolean NOT NULL,
    -- The first day after its end, as far as that is known.
    ends_on date CHECK (ends_on >= starts_on),
    is_cancelled boolean NOT NULL,
    payment_method_id uuid,
    automatic_billing boolean NOT NULL,
    customer_department_id uuid,
    department_contact_override_id uuid,
    awaits_payment boolean NOT NULL DEFAULT false,
    -- Days before it are billed, of the prices that recur.
    billed_until date NOT NULL,
    -- Until when starts, ends of trials and ends were told as events: the day of the newest run over it.
    emitted_until date NOT NULL,
    -- When a run has to look at it next; null: never again.
    next_run_on date,
    name_key text COLLATE "C" GENERATED ALWAYS AS (lower(left(name, 200))) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT subscriptions_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    CONSTRAINT subscriptions_plan FOREIGN KEY (company_id, plan_id) REFERENCES subscription_plans (company_id, id),
    CONSTRAINT subscriptions_department FOREIGN KEY (company_id, customer_department_id)
        REFERENCES departments (company_id, id),
    CONSTRAINT subscriptions_contact FOREIGN KEY (company_id, department_contact_override_id)
        REFERENCES contacts (company_id, id)
);
CREATE INDEX subscriptions_due ON subscriptions (company_id, next_run_on, id) WHERE next_run_on IS NOT NULL;
CREATE INDEX subscriptions_by_creation ON subscriptions (company_id, created_at, id);
CREATE INDEX subscriptions_by_customer ON subscriptions (company_id, customer_id, id);
CREATE INDEX subscriptions_by_plan ON subscriptions (company_id, plan_id, id);
CREATE INDEX subscriptions_by_name ON subscriptions (company_id, name_key, id);
CREATE INDEX subscriptions_by_reference ON subscriptions (company_id, partner_reference_id)
    WHERE partner_reference_id IS NOT NULL;
SELECT protect_table('subscriptions', 'SELECT, INSERT, UPDATE');

CREATE TABLE subscription_versions (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    number integer NOT NULL,
    reason text NOT NULL,
    -- The day from which its terms hold.
    effective_on date NOT NULL,
    ends_on date,
    is_cancelled boolean NOT NULL,
    name text NOT NULL,
    payment_method_id uuid,
    automatic_billing boolean NOT NULL,
    customer_department_id uuid,
    department_contact_override_id uuid,
    plan_id uuid NOT NULL,
    plan_version integer NOT NULL,
    billing_direction text NOT NULL CHECK (billing_direction IN ('advance', 'arrears')),
    billing_interval text NOT NULL CHECK (billing_interval IN ('day', 'week', 'month', 'year')),
    billing_interval_count integer NOT NULL CHECK (billing_interval_count > 0),
    anchor date NOT NULL,
    anchor_day integer NOT NULL CHECK (anchor_day BETWEEN 1 AND 31),
    proration text NOT NULL CHECK (proration IN ('none', 'create_prorations', 'always_invoice')),
    is_paused boolean NOT NULL,
    restarted_by uuid,
    price_ids uuid[] NOT NULL,
    quantities numeric[] NOT NULL,
    change_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT subscription_versions_number UNIQUE (company_id, subscription_id, number),
    CONSTRAINT subscription_versions_subscription FOREIGN KEY (company_id, subscription_id)
        REFERENCES subscriptions (company_id, id),
    CHECK (cardinality(price_ids) = cardinality(quantities))
);
SELECT protect_table('subscription_versions', 'SELECT, INSERT');

-- One billing schedule for each price of a subscription.
CREATE TABLE billing_schedules (
    company_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    price_id uuid NOT NULL,
    billing_period_type text NOT NULL CHECK (billing_period_type IN ('ONE_TIME', 'RECURRING', 'USAGE')),
    -- Days before it are billed.
    billed_until date NOT NULL,
    -- When the next period is billed; null: nothing is left to bill.
    next_billing_date date,
    -- Usage below zero that no period has taken yet.
    carried numeric NOT NULL CHECK (carried <= 0),
    PRIMARY KEY (company_id, subscription_id, price_id),
    CONSTRAINT billing_schedules_finite CHECK (carried > '-Infinity'),
    CONSTRAINT billing_schedules_subscription FOREIGN KEY (company_id, subscription_id)
        REFERENCES subscriptions (company_id, id),
    CONSTRAINT billing_schedules_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id)
);
SELECT protect_table('billing_schedules', 'SELECT, INSERT, UPDATE');

CREATE TABLE subscription_changes (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    type text NOT NULL CHECK (type IN ('cancel', 'replace_plan', 'change_cadence', 'change_direction', 'edit_products',
        'pause', 'resume')),
    effective_on date NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'applied', 'cancelled', 'failed')),
    payload jsonb NOT NULL,
    proration_behavior text CHECK (proration_behavior IN ('none', 'create_prorations', 'always_invoice')),
    restarts_period boolean NOT NULL,
    failure text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT subscription_changes_subscription FOREIGN KEY (company_id, subscription_id)
        REFERENCES subscriptions (company_id, id)
);
CREATE UNIQUE INDEX subscription_changes_pending ON subscription_changes (company_id, subscription_id, type)
    WHERE status = 'pending';
CREATE INDEX subscription_changes_of ON subscription_changes (company_id, subscription_id, effective_on);
SELECT protect_table('subscription_changes', 'SELECT, INSERT, UPDATE');

-- What was charged and credited. A second charge for the same period of a price is impossible.
CREATE TABLE subscription_charges (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    price_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('recurring', 'one_time', 'usage', 'usage_difference', 'proration')),
    period_start date NOT NULL,
    period_end date NOT NULL CHECK (period_end >= period_start),
    part integer NOT NULL,
    change_id uuid,
    service_start date NOT NULL,
    service_end date NOT NULL CHECK (service_end >= service_start),
    quantity numeric NOT NULL,
    -- What the whole period costs, less discount, unrounded.
    period_amount numeric NOT NULL,
    discount_percent numeric NOT NULL,
    net numeric(19, 4) NOT NULL CHECK (credits_charge_id IS NULL OR net <= 0),
    events bigint NOT NULL,
    -- Of usage, how much more its quantity is than what was counted: above zero what it left to the next period to take
    -- off, below zero what an earlier period left to it.
    carried numeric NOT NULL DEFAULT 0,
    credits_charge_id uuid,
    -- It waits for an invoice to stand on; null and false: nothing of it is to be paid.
    waits boolean NOT NULL,
    invoice_id uuid,
    invoice_line_id uuid,
    -- Of a credit: the note, and what it takes of it, which the invoice has no room for; positive.
    credit_note_id uuid,
    credit_note_net numeric(19, 4) NOT NULL CHECK (credit_note_net BETWEEN 0 AND abs(net)),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT subscription_charges_once UNIQUE NULLS NOT DISTINCT
        (company_id, subscription_id, price_id, kind, period_start, part, change_id, credits_charge_id),
    CONSTRAINT subscription_charges_subscription FOREIGN KEY (company_id, subscription_id)
        REFERENCES subscriptions (company_id, id),
    CONSTRAINT subscription_charges_invoice FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
    CONSTRAINT subscription_charges_note FOREIGN KEY (company_id, credit_note_id)
        REFERENCES credit_notes (company_id, id),
    CONSTRAINT subscription_charges_finite CHECK (abs(quantity) < 'Infinity' AND abs(period_amount) < 'Infinity'
        AND abs(discount_percent) < 'Infinity' AND abs(net) < 'Infinity' AND abs(carried) < 'Infinity'
        AND credit_note_net < 'Infinity'),
    CHECK (num_nonnulls(invoice_id, invoice_line_id) <> 1),
    CHECK (NOT waits OR (invoice_id IS NULL AND credit_note_id IS NULL))
);
CREATE INDEX subscription_charges_of ON subscription_charges (company_id, subscription_id, service_end);
CREATE INDEX subscription_charges_of_invoice ON subscription_charges (company_id, invoice_id)
    WHERE invoice_id IS NOT NULL;
CREATE INDEX subscription_charges_credits ON subscription_charges (company_id, credits_charge_id)
    WHERE credits_charge_id IS NOT NULL;
CREATE INDEX subscription_charges_waiting ON subscription_charges (company_id, subscription_id) WHERE waits;
SELECT protect_table('subscription_charges', 'SELECT, INSERT');
-- The net of a credit that waited is what notes could take of it, in the end.
GRANT UPDATE (net, waits, invoice_id, invoice_line_id, credit_note_id, credit_note_net) ON subscription_charges TO ledgerbee_app;
