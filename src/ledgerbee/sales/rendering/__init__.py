"""Billing documents as PDF: `pool.render_async(company, PrintableDocument)` gives the bytes of an archivable file.

Nothing is imported here: who asks for documents (`pool`) loads neither Typst nor the fonts, and the processes that set
them (`process`) load little else.
"""
