-- Payments that were taken back, and prices that are locked while anything uses them.

ALTER TABLE payments
    ADD COLUMN reversed_at timestamptz,
    ADD COLUMN reversal_entry_id uuid,
    ADD CONSTRAINT payments_reversal FOREIGN KEY (company_id, reversal_entry_id)
        REFERENCES journal_entries (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT payments_reversed_once CHECK (num_nonnulls(reversed_at, reversal_entry_id) <> 1);
GRANT UPDATE (reversed_at, reversal_entry_id) ON payments TO ledgerbee_app;

-- The second belt: a payment changes once, when it is taken back.
CREATE FUNCTION keep_payment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept payments%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.reversed_at IS NULL THEN
        kept.reversed_at := NEW.reversed_at;
        kept.reversal_entry_id := NEW.reversal_entry_id;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'payment % is booked and cannot be changed', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER keep_payment BEFORE UPDATE OR DELETE ON payments FOR EACH ROW EXECUTE FUNCTION keep_payment();

-- Whether anything uses a price. The one place that knows: what else comes to use prices is added here (CREATE OR
-- REPLACE in a later revision) and has a foreign key to them, which keeps a used price from being deleted.
CREATE FUNCTION price_is_used(company uuid, price uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM invoice_lines l WHERE l.company_id = company AND l.price_id = price);
END
$$;
REVOKE ALL ON FUNCTION price_is_used(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION price_is_used(uuid, uuid) TO ledgerbee_app;

-- Computed when it is asked for: a stored mark would have to follow every draft that is changed or deleted.
DROP TRIGGER keep_locked_price ON prices;
ALTER TABLE prices DROP COLUMN is_locked;
CREATE OR REPLACE FUNCTION keep_locked_price() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF price_is_used(OLD.company_id, OLD.id) THEN
        RAISE EXCEPTION 'price % is in use', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_locked_price BEFORE UPDATE ON prices FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id, OLD.product_id, OLD.billing_period_type, OLD.pricing_model, OLD.currency, OLD.tiers,
           OLD.unit_amount, OLD.billing_interval, OLD.billing_interval_count, OLD.meter_id)
          IS DISTINCT FROM
          (NEW.company_id, NEW.id, NEW.product_id, NEW.billing_period_type, NEW.pricing_model, NEW.currency, NEW.tiers,
           NEW.unit_amount, NEW.billing_interval, NEW.billing_interval_count, NEW.meter_id)
          OR NOT NEW.currency_amounts @> OLD.currency_amounts)
    EXECUTE FUNCTION keep_locked_price();
