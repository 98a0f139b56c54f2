-- Draft journal entries: what is entered and not yet posted.
SELECT;
