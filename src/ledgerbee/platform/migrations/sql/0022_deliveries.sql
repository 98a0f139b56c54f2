-- Jobs that gave up and mails that were refused.
SELECT 1;
