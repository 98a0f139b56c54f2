"""Every SQL statement of usage, split by what it is for."""
