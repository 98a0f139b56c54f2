"""What a document is drawn up from, loaded at once."""

from typing import Any, Final

import asyncpg

from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.fields import names_of
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import (
    BillingFacts,
    BillingRelationship,
    Customer,
    CustomerType,
    VatZone,
)
from ledgerbee.parties.departments.model import Department
from ledgerbee.parties.groups.model import CustomerGroup
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import DocumentFields, Sources
from ledgerbee.sales.templates import store as templates
from ledgerbee.tenancy.company.model import COMPANY_NOT_FOUND, Company

#: Where each part stands in the statement, and what of it follows from other columns.
_PARTS: Final = {
    "co": Company, "c": Customer, "g": CustomerGroup, "d": Contact, "n": Contact, "p": Department,
}  # fmt: skip
_COMPUTED: Final = {"has_logo": "co.logo_format IS NOT NULL"}


def _columns(alias: str, kind: type[Any]) -> str:
    return ", ".join(f"{_COMPUTED.get(name, f'{alias}.{name}')} AS {alias}_{name}" for name in names_of(kind))


_SOURCES: Final = f"""
SELECT {", ".join(_columns(alias, kind) for alias, kind in _PARTS.items())},
       ARRAY({templates.ALL}) AS templates,
       ({journal_categories.FOR_TYPE}) AS journal_category_id
FROM companies co
LEFT JOIN customers c ON c.company_id = co.company_id AND c.id = $4
LEFT JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id
LEFT JOIN contacts d ON d.company_id = c.company_id AND d.customer_id = c.id AND d.is_default
LEFT JOIN contacts n ON n.company_id = c.company_id AND n.customer_id = c.id AND n.id = $5
LEFT JOIN departments p ON p.company_id = c.company_id AND p.customer_id = c.id AND p.id = $6
WHERE co.company_id = $1
"""


async def get_sources(context: Context, kind: AnyKind, document: DocumentFields) -> Sources:
    """The company, the customer with its group, contacts and department, the templates, the entry's category.

    One statement, whatever the document names. Raises `COMPANY_NOT_FOUND`, `CUSTOMER_NOT_FOUND`.
    """
    found = await context.connection.fetchrow(
        _SOURCES,
        context.company_id,
        kind.entry.entry_type if kind.entry else None,
        list(JournalType),
        document.customer_id,
        document.customer_contact_id,
        document.customer_department_id,
    )
    row = COMPANY_NOT_FOUND.unless(found)
    if row["c_id"] is None:
        raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", document.customer_id)
    company, customer = _part(row, "co"), _part(row, "c")
    return Sources(
        company=Company(**{**company, "licenses": tuple(company["licenses"])}),
        facts=BillingFacts(
            customer=Customer(
                **{
                    **customer,
                    "customer_type": CustomerType(customer["customer_type"]),
                    "vat_zone": VatZone(customer["vat_zone"]),
                    "billing_relationship": BillingRelationship(customer["billing_relationship"]),
                }
            ),
            group=CustomerGroup(**_part(row, "g")),
            default_contact=_contact(row, "d"),
        ),
        contact=_contact(row, "n"),
        department=None if row["p_id"] is None else Department(**_part(row, "p")),
        templates=tuple(templates.of_row(values) for values in row["templates"]),
        journal_category_id=row["journal_category_id"],
    )


def _part(row: asyncpg.Record, alias: str) -> dict[str, Any]:
    return {name: row[f"{alias}_{name}"] for name in names_of(_PARTS[alias])}


def _contact(row: asyncpg.Record, alias: str) -> Contact | None:
    return None if row[f"{alias}_id"] is None else Contact(**_part(row, alias))
