"""Answers to documents that came in, and statuses of their messages: written, kept, sent by the worker."""
