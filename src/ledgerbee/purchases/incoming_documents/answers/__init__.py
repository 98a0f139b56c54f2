"""Answers to documents that came in: written, kept, sent by the worker."""
