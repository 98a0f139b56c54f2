-- filled by its context
SELECT 1;
