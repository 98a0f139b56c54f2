-- What the application's role may do and no more.
SELECT 1;
