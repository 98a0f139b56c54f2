"""Seed data of a new company's books: the Danish standard chart and VAT codes, or a plain chart elsewhere."""
