-- What the audit trail keeps of each change.
SELECT 1;
