"""ledgerbee: accounting and billing in which every commercial event ends as a journal entry."""

__version__ = "0.1.0"
