"""Answers to e-invoices: read and kept where they are to ours, written where they are to those of others."""
