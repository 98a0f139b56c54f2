-- Metered usage: how a meter counts, what was reported to it, and which subscription it belongs to.

-- Days that usage may be late before a company bills its period.
ALTER TABLE companies ADD COLUMN usage_grace_days int NOT NULL DEFAULT 0 CHECK (usage_grace_days BETWEEN 0 AND 31);
SELECT forget_values('companies');

-- `unique_key` is the name in the events' metadata whose distinct values a UNIQUE_COUNT meter counts; null: their values.
ALTER TABLE meters
    ADD COLUMN name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    ADD COLUMN description text,
    ADD COLUMN unit text,
    ADD COLUMN aggregation text NOT NULL DEFAULT 'SUM'
        CHECK (aggregation IN ('SUM', 'COUNT', 'MAX', 'LAST', 'UNIQUE_COUNT')),
    ADD COLUMN unique_key text CHECK (unique_key IS NULL OR aggregation = 'UNIQUE_COUNT'),
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN archived_at timestamptz;
ALTER TABLE meters ALTER COLUMN created_at DROP DEFAULT;
CREATE INDEX meters_created ON meters (company_id, created_at, id) INCLUDE (status, name_key);
CREATE INDEX meters_name_key ON meters (company_id, name_key, id) INCLUDE (status);
SELECT forget_values('meters');
GRANT INSERT ON meters TO ledgerbee_app;
GRANT UPDATE (status, archived_at) ON meters TO ledgerbee_app;

-- Where the timeline of a subscription has a USAGE price: from `starts_on` until the day before `ends_on`; a pause is a gap. Written
-- with every change of a timeline. Usage of days before `billed_until` is billed; what is received after `closes_on` is too late for
-- any bill. Of the chains that cover a day the one that started first has it.
CREATE TABLE metered_spans (
    company_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    price_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    is_trial boolean NOT NULL DEFAULT false,
    chain_starts_on date NOT NULL,
    billed_until date NOT NULL,
    closes_on date,
    PRIMARY KEY (company_id, subscription_id, price_id, starts_on),
    CONSTRAINT metered_spans_days CHECK (ends_on > starts_on),
    CONSTRAINT metered_spans_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id),
    CONSTRAINT metered_spans_meter FOREIGN KEY (company_id, meter_id) REFERENCES meters (company_id, id),
    CONSTRAINT metered_spans_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id)
) WITH (fillfactor = 80);
CREATE INDEX metered_spans_of_customer ON metered_spans (company_id, customer_id, meter_id, chain_starts_on, subscription_id);
CREATE INDEX metered_spans_of_meter ON metered_spans (company_id, meter_id, subscription_id, starts_on);
SELECT protect_table('metered_spans', 'SELECT, INSERT, UPDATE, DELETE');

-- What was reported, each under its key, which is its identity for ever: `body_hash` tells the same report from another one.
-- `named_subscription_id` is the chain that its metadata names; `day` its day, `received_on` the day it came in, both in the
-- company's time zone. Customers and meters are never deleted: the statement that adds events has looked at both, and no
-- foreign key looks at them once more for each of thousands.
CREATE TABLE usage_events (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body_hash bytea NOT NULL,
    meter_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid,
    named_subscription_id uuid,
    day date NOT NULL,
    occurred_at timestamptz NOT NULL,
    value numeric NOT NULL,
    metadata jsonb,
    received_on date NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('accepted', 'too_late', 'withdrawn')),
    PRIMARY KEY (company_id, id),
    CONSTRAINT usage_events_key UNIQUE (company_id, key),
    CONSTRAINT usage_events_finite CHECK (value < 'Infinity' AND value > '-Infinity'),
    CONSTRAINT usage_events_value CHECK (abs(value) < 1000000000000 AND scale(value) <= 6),
    CONSTRAINT usage_events_too_late CHECK (state <> 'too_late' OR subscription_id IS NOT NULL)
);
CREATE INDEX usage_events_of_customer ON usage_events (company_id, customer_id, meter_id, day, id);
CREATE INDEX usage_events_by_day ON usage_events (company_id, day, id) INCLUDE (meter_id);
CREATE INDEX usage_events_unattributed ON usage_events (company_id, day, id) INCLUDE (meter_id, customer_id)
    WHERE subscription_id IS NULL AND state = 'accepted';
SELECT protect_table('usage_events', 'SELECT, INSERT');
GRANT UPDATE (subscription_id, named_subscription_id, day, occurred_at, value, metadata, state) ON usage_events TO ledgerbee_app;

-- What a day's events of a customer sum up to for a subscription (null: for none, which has zeros in the key), moved by whatever
-- adds or changes events.
-- `events`, `sum`, `max` and `last_...` are of those that count; the others are only counted.
CREATE TABLE usage_days (
    company_id uuid NOT NULL,
    subscription_id uuid,
    chain_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(subscription_id, '00000000-0000-0000-0000-000000000000')) STORED,
    meter_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    day date NOT NULL,
    events bigint NOT NULL,
    too_late bigint NOT NULL,
    withdrawn bigint NOT NULL,
    sum numeric NOT NULL,
    max numeric,
    last_value numeric,
    last_at timestamptz,
    last_id uuid,
    PRIMARY KEY (company_id, chain_id, meter_id, day, customer_id),
    CONSTRAINT usage_days_finite CHECK (sum < 'Infinity' AND sum > '-Infinity' AND max < 'Infinity' AND max > '-Infinity'
        AND last_value < 'Infinity' AND last_value > '-Infinity'),
    CHECK (events >= 0 AND too_late >= 0 AND withdrawn >= 0)
) WITH (fillfactor = 70);
CREATE INDEX usage_days_of_customer ON usage_days (company_id, customer_id, meter_id, day);
CREATE INDEX usage_days_of_meter ON usage_days (company_id, meter_id, day);
SELECT protect_table('usage_days', 'SELECT, INSERT, UPDATE');

-- Days of which a price's usage was billed before all of it was there, with how many events came after: the next bill has the
-- difference, and takes the row away.
CREATE TABLE late_usage (
    company_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    price_id uuid NOT NULL,
    day date NOT NULL,
    events bigint NOT NULL CHECK (events >= 0),
    PRIMARY KEY (company_id, subscription_id, price_id, day)
);
SELECT protect_table('late_usage', 'SELECT, INSERT, UPDATE, DELETE');
