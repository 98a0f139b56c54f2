-- What entries are tagged with: dimensions, trees of values, and the projects that stand on them.

CREATE TABLE dimensions (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    -- At most one value of it in a whole entry.
    is_unique boolean NOT NULL,
    -- A project's: its values are the subprojects, at most one of them on a line.
    is_project boolean NOT NULL,
    is_archived boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CHECK (NOT (is_unique AND is_project)),
    CHECK (is_project OR NOT is_archived)
);
-- Projects may share a name, with each other and with a dimension.
CREATE UNIQUE INDEX dimensions_name ON dimensions (company_id, lower(name)) WHERE NOT is_project;
SELECT protect_table('dimensions', 'SELECT, INSERT, DELETE');
GRANT UPDATE (name, is_unique, is_archived, updated_at) ON dimensions TO ledgerbee_app;

CREATE TABLE dimension_values (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    dimension_id uuid NOT NULL,
    parent_id uuid,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT dimension_values_of_dimension UNIQUE (company_id, dimension_id, id),
    CONSTRAINT dimension_values_dimension FOREIGN KEY (company_id, dimension_id) REFERENCES dimensions (company_id, id),
    -- A parent is of the same dimension.
    CONSTRAINT dimension_values_parent FOREIGN KEY (company_id, dimension_id, parent_id)
        REFERENCES dimension_values (company_id, dimension_id, id)
);
CREATE UNIQUE INDEX dimension_values_name ON dimension_values (company_id, dimension_id, parent_id, lower(name))
    NULLS NOT DISTINCT;
SELECT protect_table('dimension_values', 'SELECT, INSERT, DELETE');
GRANT UPDATE (parent_id, name, updated_at) ON dimension_values TO ledgerbee_app;

-- No value lies below itself. Whoever gives a value a parent holds the dimension's row until COMMIT, so that two
-- moves at once can't close a circle between them. Before each row: a statement that moves several is seen step by step.
CREATE FUNCTION refuse_circle_of_values() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ancestor uuid := NEW.parent_id;
BEGIN
    PERFORM FROM dimensions d WHERE d.company_id = NEW.company_id AND d.id = NEW.dimension_id FOR NO KEY UPDATE;
    WHILE ancestor IS NOT NULL LOOP
        IF ancestor = NEW.id THEN
            RAISE EXCEPTION 'a value can not lie below itself' USING
                ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'dimension_values_no_circle';
        END IF;
        SELECT v.parent_id INTO ancestor FROM dimension_values v
        WHERE v.company_id = NEW.company_id AND v.id = ancestor;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_circle BEFORE INSERT OR UPDATE OF id, parent_id ON dimension_values FOR EACH ROW
    WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION refuse_circle_of_values();

-- What carries any of these tags, by the names that the API uses. The one place that knows: whatever else comes to
-- carry tags is added here (CREATE OR REPLACE in a later revision).
CREATE FUNCTION uses_of_tags(company uuid, tags uuid[]) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM tag_months t WHERE t.company_id = company AND t.tag_id = ANY (tags))
            THEN 'journalEntries' END
    ], NULL);
END
$$;

-- A value that something carries stays, and its dimension doesn't become stricter than what was posted. The
-- company's row in `ledgers` orders this after any posting that is under way.
CREATE FUNCTION keep_values_in_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tags uuid[] := ARRAY[OLD.id];
    used_by text[];
BEGIN
    PERFORM FROM ledgers g WHERE g.company_id = OLD.company_id FOR UPDATE;
    IF TG_TABLE_NAME = 'dimensions' THEN
        tags := ARRAY(SELECT v.id FROM dimension_values v WHERE v.company_id = OLD.company_id AND v.dimension_id = OLD.id);
    END IF;
    used_by := uses_of_tags(OLD.company_id, tags);
    IF cardinality(used_by) > 0 THEN
        RAISE EXCEPTION 'the value is in use' USING
            ERRCODE = 'foreign_key_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'dimension_values_in_use',
            DETAIL = to_json(used_by);
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER keep_used BEFORE DELETE ON dimension_values FOR EACH ROW EXECUTE FUNCTION keep_values_in_use();
CREATE TRIGGER keep_used_id BEFORE UPDATE ON dimension_values FOR EACH ROW
    WHEN ((OLD.company_id, OLD.id, OLD.dimension_id) IS DISTINCT FROM (NEW.company_id, NEW.id, NEW.dimension_id))
    EXECUTE FUNCTION keep_values_in_use();
CREATE TRIGGER keep_used_kind BEFORE UPDATE ON dimensions FOR EACH ROW
    WHEN (NEW.is_unique AND NOT OLD.is_unique OR NEW.is_project <> OLD.is_project)
    EXECUTE FUNCTION keep_values_in_use();
REVOKE ALL ON FUNCTION uses_of_tags(uuid, uuid[]), keep_values_in_use() FROM PUBLIC;

-- A project's name and whether it is archived are its dimension's; a subproject's name and times are its value's.
CREATE TABLE projects (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    dimension_id uuid NOT NULL,
    default_subproject_id uuid NOT NULL,
    currency text NOT NULL,
    customer_id uuid,
    budget_hours numeric(16, 6) CHECK (budget_hours >= 0),
    budget_amount numeric(19, 4) CHECK (budget_amount >= 0),
    start_date date,
    end_date date,
    external_reference text,
    color text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT projects_dimension UNIQUE (company_id, dimension_id),
    CONSTRAINT projects_external_reference UNIQUE (company_id, external_reference),
    CONSTRAINT projects_customer FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
    -- Checked at COMMIT: the project's row comes first, since it decides between two upserts.
    FOREIGN KEY (company_id, dimension_id) REFERENCES dimensions (company_id, id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (end_date >= start_date)
);
SELECT protect_table('projects', 'SELECT, INSERT');
GRANT UPDATE (currency, customer_id, budget_hours, budget_amount, start_date, end_date, external_reference, color,
    updated_at) ON projects TO ledgerbee_app;

CREATE TABLE subprojects (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    sort_order int NOT NULL CHECK (sort_order >= 0),
    budget_hours numeric(16, 6) CHECK (budget_hours >= 0),
    budget_amount numeric(19, 4) CHECK (budget_amount >= 0),
    PRIMARY KEY (company_id, id),
    CONSTRAINT subprojects_of_project UNIQUE (company_id, project_id, id),
    FOREIGN KEY (company_id, id) REFERENCES dimension_values (company_id, id),
    FOREIGN KEY (company_id, project_id) REFERENCES projects (company_id, id)
);
SELECT protect_table('subprojects', 'SELECT, INSERT, DELETE');
GRANT UPDATE (sort_order, budget_hours, budget_amount) ON subprojects TO ledgerbee_app;
ALTER TABLE projects ADD CONSTRAINT projects_default_subproject
    FOREIGN KEY (company_id, id, default_subproject_id) REFERENCES subprojects (company_id, project_id, id)
        DEFERRABLE INITIALLY DEFERRED;
