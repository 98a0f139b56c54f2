"""Every SQL statement of journal entries, split by what it is for."""
