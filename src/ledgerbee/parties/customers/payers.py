"""Who pays for a customer, in SQL."""

from typing import Final

#: The id of who pays for the customer whose row is `c`: itself, or the nearest of its ancestors that pays for itself.
#: Somebody without a parent does, so there is one.
PAYER: Final = """(CASE c.billing_relationship WHEN 'self' THEN c.id ELSE (
    WITH RECURSIVE ancestors AS (
        SELECT p.id, p.billing_relationship, p.parent_customer_id FROM customers p
        WHERE p.company_id = c.company_id AND p.id = c.parent_customer_id
        UNION SELECT p.id, p.billing_relationship, p.parent_customer_id FROM ancestors a
        JOIN customers p ON p.company_id = c.company_id AND p.id = a.parent_customer_id
        WHERE a.billing_relationship = 'parent_pays')
    SELECT a.id FROM ancestors a WHERE a.billing_relationship = 'self') END)"""
