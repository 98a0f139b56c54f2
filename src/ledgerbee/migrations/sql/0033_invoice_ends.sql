-- How invoices end that aren't paid.

-- A draft that was given up: no number, no entry, never sent. What is booked can't become one.
ALTER TABLE invoices
    DROP CONSTRAINT invoices_booked_or_draft,
    ADD CONSTRAINT invoices_booked_or_not CHECK (
        CASE WHEN status IN ('draft', 'cancelled')
            THEN num_nonnulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                              journal_entry_id) = 0 AND amount_paid = 0 AND credited_amount = 0
                AND (status = 'draft' OR sent_at IS NULL)
            ELSE num_nulls(number, number_sequence, receivable_account_id, exchange_rate, base_amount,
                           journal_entry_id) = 0
        END);

-- It stays as it was. Its lines are kept by keep_booked_invoice_lines(), which keeps those of all that is no draft. LB430.
CREATE FUNCTION keep_cancelled_invoice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'invoice % is cancelled and cannot be changed', OLD.id USING ERRCODE = 'LB430';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_cancelled_invoice() FROM PUBLIC;
CREATE TRIGGER keep_cancelled_invoice AFTER UPDATE OR DELETE ON invoices
    FOR EACH ROW WHEN (OLD.status = 'cancelled') EXECUTE FUNCTION keep_cancelled_invoice();

-- What is booked is checked and kept, as before; what was cancelled never is.
DROP TRIGGER keep_booked_invoice ON invoices;
CREATE TRIGGER keep_booked_invoice AFTER UPDATE OR DELETE ON invoices
    FOR EACH ROW WHEN (OLD.status NOT IN ('draft', 'cancelled')) EXECUTE FUNCTION keep_booked_invoice();
DROP TRIGGER check_invoice ON invoices;
CREATE CONSTRAINT TRIGGER check_invoice AFTER INSERT OR UPDATE ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status NOT IN ('draft', 'cancelled'))
    EXECUTE FUNCTION check_invoice();
