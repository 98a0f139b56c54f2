-- What one company may take of a shared installation.
SELECT 1;
