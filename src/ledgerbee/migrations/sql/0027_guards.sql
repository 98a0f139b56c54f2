-- Row-level security asks at the start of a statement which company was entered, and a guard that looks at tables asks
-- again when it runs. In between the statement itself can write app.company_id, and the guard would see no rows of the
-- company that it guards. So each guard on a table that the API's role may write asks first whether it sees them.

-- Refuses a row of a company whose rows the caller doesn't see now: what it looked for would seem not to be there. Whom
-- row-level security doesn't bind sees all. (By the role and not by row_security_active(): the checks of foreign keys run
-- without policies, but plans that were made with them are kept.) LB403.
CREATE FUNCTION check_row_company(company uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF company = visible_company(current_user) OR EXISTS (
            SELECT FROM pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls)) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'a row of the company % was written, which is not the one that is entered now', company
        USING ERRCODE = 'LB403', HINT = 'A statement must not change app.company_id while it runs.';
END
$$;
REVOKE EXECUTE ON FUNCTION check_row_company(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_row_company(uuid) TO ledgerbee_app;

-- As in 0024, for a company that is entered now. LB430.
CREATE OR REPLACE FUNCTION keep_booked_invoice_lines() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM changed n) c;
    IF EXISTS (SELECT FROM changed c JOIN invoices i ON i.company_id = c.company_id AND i.id = c.invoice_id
               WHERE i.status <> 'draft') THEN
        RAISE EXCEPTION 'the lines of a booked invoice cannot be changed' USING ERRCODE = 'LB430';
    END IF;
    RETURN NULL;
END
$$;

-- As in 0012, for a company that is entered now. LB431.
CREATE OR REPLACE FUNCTION refuse_parts_of_booked() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    booked uuid;
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM changed n) c;
    WITH held AS (
        SELECT d.id, d.status FROM draft_journal_entries d
        WHERE (d.company_id, d.id) IN (SELECT c.company_id, c.draft_id FROM changed c)
        ORDER BY d.id FOR NO KEY UPDATE
    )
    SELECT h.id INTO booked FROM held h WHERE h.status = 'booked' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the draft is booked' USING ERRCODE = 'LB431', DETAIL = json_build_object('draftId', booked);
    END IF;
    RETURN NULL;
END
$$;

-- As in 0017, for a company that is entered now: asked at each row, between two of which a statement can change it.
CREATE OR REPLACE FUNCTION keep_locked_price() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_row_company(OLD.company_id);
    IF price_is_used(OLD.company_id, OLD.id) THEN
        RAISE EXCEPTION 'price % is in use', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

-- As in 0025, for a company that is entered now.
CREATE OR REPLACE FUNCTION keep_what_is_posted_on() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used boolean;
BEGIN
    PERFORM check_row_company(OLD.company_id);
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    CASE TG_ARGV[0]
        WHEN 'accounts' THEN
            used := EXISTS (SELECT FROM journal_lines l
                            WHERE l.company_id = OLD.company_id AND l.account_id = OLD.id);
        WHEN 'customers' THEN
            used := EXISTS (SELECT FROM journal_entries e
                            WHERE e.company_id = OLD.company_id AND e.customer_id = OLD.id);
        WHEN 'vendors' THEN
            used := EXISTS (SELECT FROM journal_entries e
                            WHERE e.company_id = OLD.company_id AND e.vendor_id = OLD.id);
    END CASE;
    IF used THEN
        RAISE EXCEPTION 'journal entries stand on it' USING
            ERRCODE = 'foreign_key_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'journal_lines_' || TG_ARGV[0];
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

-- As in 0025, for a company that is entered now. A circle that is there already (the owner can remove the trigger and
-- make one) is refused too, wherever it lies above the value: it has no end to walk to.
CREATE OR REPLACE FUNCTION refuse_circle_of_values() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ancestor uuid := NEW.parent_id;
    seen uuid[] := ARRAY[NEW.id];
BEGIN
    PERFORM check_row_company(NEW.company_id);
    PERFORM FROM dimensions d WHERE d.company_id = NEW.company_id AND d.id = NEW.dimension_id FOR NO KEY UPDATE;
    WHILE ancestor IS NOT NULL LOOP
        IF ancestor = ANY (seen) THEN
            RAISE EXCEPTION 'a value can not lie below itself' USING
                ERRCODE = 'check_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'dimension_values_no_circle';
        END IF;
        seen := seen || ancestor;
        SELECT v.parent_id INTO ancestor FROM dimension_values v
        WHERE v.company_id = NEW.company_id AND v.id = ancestor;
    END LOOP;
    RETURN NEW;
END
$$;

-- As in 0025, for a company that is entered now.
CREATE OR REPLACE FUNCTION keep_values_in_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tags uuid[] := ARRAY[OLD.id];
    used_by text[];
BEGIN
    PERFORM check_row_company(OLD.company_id);
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    IF TG_ARGV[0] = 'dimensions' THEN
        tags := ARRAY(SELECT v.id FROM dimension_values v
                      WHERE v.company_id = OLD.company_id AND v.dimension_id = OLD.id);
    END IF;
    used_by := uses_of_tags(OLD.company_id, tags);
    IF cardinality(used_by) > 0 THEN
        RAISE EXCEPTION 'the value is in use' USING
            ERRCODE = 'foreign_key_violation', TABLE = TG_ARGV[0], CONSTRAINT = 'dimension_values_in_use',
            DETAIL = to_json(used_by);
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

-- As in 0025, for a company that is entered now. SQLSTATEs: LB421 the blob has no lease; LB417 there is no such entry.
CREATE OR REPLACE FUNCTION guard_attachments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fault record;
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM new_attachments n) c;
    WITH held AS (
        SELECT l.company_id, l.hash FROM blob_leases l
        WHERE (l.company_id, l.hash) IN (SELECT n.company_id, n.hash FROM new_attachments n)
        FOR KEY SHARE
    )
    SELECT n.id INTO fault FROM new_attachments n
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.company_id = n.company_id AND h.hash = n.hash)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an attachment is written under a lease of its blob'
            USING ERRCODE = 'LB421', DETAIL = json_build_object('attachmentId', fault.id);
    END IF;
    IF TG_ARGV[0] = 'journal_attachments' THEN
        SELECT n.id, n.entry_id INTO fault FROM new_attachments n
        WHERE (SELECT e.id FROM journal_entries e
               WHERE e.company_id = n.company_id AND e.id = n.entry_id) IS NULL
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'no such journal entry in the company' USING ERRCODE = 'LB417',
                DETAIL = json_build_object('entryId', fault.entry_id, 'field', 'attachments');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- As in 0024, for a company that is entered now. An entry that isn't found was posted without files. LB432.
CREATE OR REPLACE FUNCTION refuse_late_attachments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    late uuid;
BEGIN
    PERFORM check_row_company(c.company_id) FROM (SELECT DISTINCT n.company_id FROM new_attachments n) c;
    SELECT n.entry_id INTO late FROM new_attachments n
    WHERE n.position > coalesce((SELECT e.attachment_count FROM journal_entries e
                                 WHERE e.company_id = n.company_id AND e.id = n.entry_id), 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entry was posted without this file'
            USING ERRCODE = 'LB432', DETAIL = json_build_object('entryId', late);
    END IF;
    RETURN NULL;
END
$$;

-- Columns that 0026 added: what companies write in them is kept out of the planner's notes, as that of the others.
SELECT forget_values('document_templates');
