-- Billing runs: what was billed up to which day, for whom, and for whom not.

CREATE TABLE billing_runs (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed')),
    trigger text NOT NULL CHECK (trigger IN ('requested', 'daily', 'change')),
    as_of date NOT NULL,
    is_dry_run boolean NOT NULL,
    confirms_catch_up boolean NOT NULL,
    -- Only these; null: all that are due.
    subscription_ids uuid[],
    -- Subscriptions that were looked at, and what came of them.
    processed bigint NOT NULL,
    invoices bigint NOT NULL,
    credit_notes bigint NOT NULL,
    skipped bigint NOT NULL,
    refused bigint NOT NULL,
    -- Why all of it failed.
    code text,
    message text,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);
CREATE INDEX billing_runs_by_creation ON billing_runs (company_id, created_at, id);
CREATE INDEX billing_runs_unfinished ON billing_runs (company_id, as_of, id) WHERE status IN ('queued', 'running');
SELECT protect_table('billing_runs', 'SELECT, INSERT, UPDATE');

-- An invoice or credit note that was made, or why none was. Of a dry run there are no documents.
CREATE TABLE billing_run_results (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    billing_run_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('invoiced', 'credited', 'advanced', 'skipped', 'refused')),
    invoice_id uuid,
    credit_note_id uuid,
    -- What the document has of the subscription, without VAT, and the days that it is for; the second is the first
    -- day after them.
    amount numeric(19, 4),
    currency text,
    service_start date,
    service_end date,
    code text,
    message text,
    PRIMARY KEY (company_id, id),
    CONSTRAINT billing_run_results_finite CHECK (abs(amount) < 'Infinity'),
    CONSTRAINT billing_run_results_run FOREIGN KEY (company_id, billing_run_id)
        REFERENCES billing_runs (company_id, id)
);
CREATE INDEX billing_run_results_of ON billing_run_results (company_id, billing_run_id, id);
CREATE INDEX billing_run_results_faults ON billing_run_results (company_id, billing_run_id)
    WHERE outcome IN ('skipped', 'refused');
SELECT protect_table('billing_run_results', 'SELECT, INSERT');
