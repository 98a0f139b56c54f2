"""Beancount books: read by Beancount's own tools, translated into the JSON Lines that imports take.

The tools are GPL: they run as separate programs and are never imported (docs/decisions/0015).
"""
