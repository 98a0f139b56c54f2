"""Beancount books: read, booked and translated into journal entries.

A parser of our own, of the part of the language that says what was booked: it is small, reads a year of books in a few
hundredths of a second, and names the line of each problem while it reads on.
"""
