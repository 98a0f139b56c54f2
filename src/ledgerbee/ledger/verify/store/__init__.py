"""Every SQL statement of the audit, by what is verified. Each check is one statement that finds the first fault."""
