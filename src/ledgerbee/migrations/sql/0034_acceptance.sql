-- The buyer of a quote answers it by a link of its own: a page that takes no other credential than the link's secret.

-- What the buyer said beside "no".
ALTER TABLE quotes
    ADD COLUMN answer_comment text,
    ADD CONSTRAINT quotes_answer_comment CHECK (answer_comment IS NULL OR status = 'rejected');
SELECT forget_values('quotes');

-- A link enters its company as every credential does: by the hash of its secret, which alone is looked up.
ALTER TABLE credentials
    DROP CONSTRAINT credentials_kind_check,
    ADD CONSTRAINT credentials_kind_check CHECK (kind IN ('api_key', 'oauth_client', 'oauth_token', 'quote_link'));

-- The link of a quote that was sent; `id` is the credential's subject. The secret itself is here because the seller reads the
-- address again, and mails it: it opens one quote, which whoever reads this table reads anyway. Revoking deletes both rows.
CREATE TABLE quote_links (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    quote_id uuid NOT NULL,
    secret text NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT quote_links_one UNIQUE (company_id, quote_id),
    CONSTRAINT quote_links_quote FOREIGN KEY (company_id, quote_id) REFERENCES quotes (company_id, id)
);
SELECT protect_table('quote_links', 'SELECT, INSERT, DELETE');

-- As in 0028, with the comment, which comes with the answer. LB436.
CREATE OR REPLACE FUNCTION keep_sent_quote() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept quotes%ROWTYPE := OLD;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' THEN
        kept.updated_at := NEW.updated_at;
        IF OLD.list_status = 'sent' THEN
            kept.status := NEW.status;
            kept.valid_until := NEW.valid_until;
            kept.answered_at := NEW.answered_at;
            kept.answered_by := NEW.answered_by;
            kept.answer_comment := NEW.answer_comment;
        END IF;
        IF OLD.list_status <> 'converted' THEN
            kept.converted_to_order_confirmation_id := NEW.converted_to_order_confirmation_id;
            kept.converted_to_invoice_id := NEW.converted_to_invoice_id;
            kept.list_status := NEW.list_status;
        END IF;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'quote % is sent and cannot be changed', OLD.number USING ERRCODE = 'LB436';
END
$$;
