-- The mark of the cell that this database is. Whoever opens the database compares it with the one that it is set up with.
-- The owner writes it, at the first migration; a backup takes it along.
CREATE TABLE cell_mark (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mark text NOT NULL CHECK (mark ~ '^[0-9a-f]{2}$')
);
-- The API asks both of the cells that it serves beside its own.
GRANT SELECT ON cell_mark, alembic_version TO ledgerbee_app;
