"""Rows of subscriptions: whole chains for billing, lists and changes for their operations."""
