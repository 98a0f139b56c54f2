-- Imports of entries: how far each has come, and what was wrong with which row.
SELECT;
