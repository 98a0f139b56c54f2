-- What subscriptions are made from: plans and their versions.

-- What people say of a plan; `version` is the one that new subscriptions get.
CREATE TABLE subscription_plans (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    status text NOT NULL CHECK (status IN ('ACTIVE', 'ARCHIVED')),
    display_order integer NOT NULL CHECK (display_order >= 0),
    vanity text CHECK (vanity ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    version integer NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT subscription_plans_vanity UNIQUE (company_id, vanity)
);
CREATE INDEX subscription_plans_created ON subscription_plans (company_id, created_at, id) INCLUDE (status, name_key);
CREATE INDEX subscription_plans_name_key ON subscription_plans (company_id, name_key, id) INCLUDE (status);
CREATE INDEX subscription_plans_display_order ON subscription_plans (company_id, display_order, id) INCLUDE (status, name_key);
CREATE INDEX subscription_plans_by_status ON subscription_plans (company_id, status, created_at, id);
SELECT protect_table('subscription_plans', 'SELECT, INSERT');
GRANT UPDATE (name, status, display_order, vanity, version, updated_at) ON subscription_plans TO ledgerbee_app;

-- What a subscription is billed by, numbered from 1 within the plan. A version is written before its plan says that it is the
-- current one, which closes it.
CREATE TABLE subscription_plan_versions (
    company_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    currency text NOT NULL,
    trial_days integer NOT NULL CHECK (trial_days BETWEEN 0 AND 365),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, plan_id, version),
    FOREIGN KEY (company_id, plan_id) REFERENCES subscription_plans (company_id, id) DEFERRABLE INITIALLY DEFERRED
);
SELECT protect_table('subscription_plan_versions', 'SELECT, INSERT');
ALTER TABLE subscription_plans ADD FOREIGN KEY (company_id, id, version)
    REFERENCES subscription_plan_versions (company_id, plan_id, version);

-- How often it is billed: position 0 is the plan's own cadence, the others are its alternatives, which differ from it.
CREATE TABLE subscription_plan_cadences (
    company_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    billing_interval text NOT NULL CHECK (billing_interval IN ('day', 'week', 'month', 'year')),
    billing_interval_count integer NOT NULL CHECK (billing_interval_count > 0),
    PRIMARY KEY (company_id, plan_id, version, position),
    CONSTRAINT subscription_plan_cadences_differ
        UNIQUE (company_id, plan_id, version, billing_interval, billing_interval_count),
    FOREIGN KEY (company_id, plan_id, version) REFERENCES subscription_plan_versions (company_id, plan_id, version)
);
SELECT protect_table('subscription_plan_cadences', 'SELECT, INSERT');

-- What is billed in a cadence. The quantity of a USAGE price is 1: its meter counts.
CREATE TABLE subscription_plan_items (
    company_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    cadence integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    price_id uuid NOT NULL,
    quantity numeric(16, 6) NOT NULL,
    is_optional boolean NOT NULL,
    PRIMARY KEY (company_id, plan_id, version, cadence, position),
    CONSTRAINT subscription_plan_items_finite CHECK (quantity > 0 AND quantity < 'Infinity'),
    CONSTRAINT subscription_plan_items_once UNIQUE (company_id, plan_id, version, cadence, price_id),
    FOREIGN KEY (company_id, plan_id, version, cadence)
        REFERENCES subscription_plan_cadences (company_id, plan_id, version, position),
    CONSTRAINT subscription_plan_items_price FOREIGN KEY (company_id, price_id) REFERENCES prices (company_id, id)
);
CREATE INDEX subscription_plan_items_by_price ON subscription_plan_items (company_id, price_id);
SELECT protect_table('subscription_plan_items', 'SELECT, INSERT');

-- A version stays as it was written. LB451.
CREATE FUNCTION refuse_change_of_plan_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the versions of subscription plans do not change' USING ERRCODE = 'LB451';
END
$$;
REVOKE EXECUTE ON FUNCTION refuse_change_of_plan_version() FROM PUBLIC;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON subscription_plan_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_plan_version();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON subscription_plan_cadences
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_plan_version();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON subscription_plan_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_plan_version();

-- And nothing is added to it once its plan has it. LB451.
CREATE FUNCTION refuse_late_parts_of_plan() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM added n) c;
    IF EXISTS (SELECT FROM added a JOIN subscription_plans p ON p.company_id = a.company_id AND p.id = a.plan_id
               WHERE p.version >= a.version) THEN
        RAISE EXCEPTION 'the versions of subscription plans do not change' USING ERRCODE = 'LB451';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION refuse_late_parts_of_plan() FROM PUBLIC;
CREATE TRIGGER refuse_late_parts AFTER INSERT ON subscription_plan_cadences
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_parts_of_plan();
CREATE TRIGGER refuse_late_parts AFTER INSERT ON subscription_plan_items
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_parts_of_plan();

-- A plan goes from each version to the next, and never back. LB451.
CREATE FUNCTION guard_plan_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.version NOT IN (OLD.version, OLD.version + 1) THEN
        RAISE EXCEPTION 'the version after % is the next', OLD.version USING ERRCODE = 'LB451';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION guard_plan_version() FROM PUBLIC;
CREATE TRIGGER guard_plan_version AFTER UPDATE ON subscription_plans FOR EACH ROW EXECUTE FUNCTION guard_plan_version();

-- What uses a price, as the API names it in `usedBy`. The one place that knows: what else comes to use prices is added here.
CREATE FUNCTION uses_of_price(company uuid, price uuid) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM invoice_lines l WHERE l.company_id = company AND l.price_id = price)
                OR EXISTS (SELECT FROM quote_lines l WHERE l.company_id = company AND l.price_id = price)
                OR EXISTS (SELECT FROM order_confirmation_lines l WHERE l.company_id = company AND l.price_id = price)
                OR EXISTS (SELECT FROM credit_note_lines l WHERE l.company_id = company AND l.price_id = price)
            THEN 'documents' END,
        CASE WHEN EXISTS (SELECT FROM subscription_plan_items i WHERE i.company_id = company AND i.price_id = price)
            THEN 'subscriptionPlans' END
        ], NULL);
END
$$;
REVOKE ALL ON FUNCTION uses_of_price(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION uses_of_price(uuid, uuid) TO ledgerbee_app;

-- As in 0029, with what else uses prices.
CREATE OR REPLACE FUNCTION price_is_used(company uuid, price uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN cardinality(uses_of_price(company, price)) > 0;
END
$$;
