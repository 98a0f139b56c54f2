"""What documents are drawn up from, loaded at once."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

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
    InvoicingMode,
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


def _places() -> Iterator[tuple[str, tuple[tuple[str, ...], slice]]]:
    """The fields of each part, and where they stand in a row."""
    first = 0
    for alias, kind in _PARTS.items():
        names = names_of(kind)
        yield alias, (names, slice(first, first + len(names)))
        first += len(names)


_NAMES: Final = dict(_places())


def _columns(alias: str, kind: type[Any]) -> str:
    return ", ".join(f"{_COMPUTED.get(name, f'{alias}.{name}')} AS {alias}_{name}" for name in names_of(kind))


_SOURCES: Final = f"""
SELECT {", ".join(_columns(alias, kind) for alias, kind in _PARTS.items())},
       CASE WHEN r.place = 1 THEN ARRAY({templates.ALL}) END AS templates,
       CASE WHEN r.place = 1 THEN ({journal_categories.FOR_TYPE}) END AS journal_category_id,
       CASE WHEN r.place = 1 THEN (
           SELECT a.id FROM accounts a WHERE a.company_id = $1 AND a.role = 'DEFERRED_REVENUE'
       ) END AS deferred_revenue_account_id
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[]) WITH ORDINALITY r (customer_id, contact_id, department_id, place)
LEFT JOIN companies co ON co.company_id = $1 AND r.place = 1
LEFT JOIN customers c ON c.company_id = $1 AND c.id = r.customer_id
LEFT JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id
LEFT JOIN contacts d ON d.company_id = c.company_id AND d.customer_id = c.id AND d.is_default
LEFT JOIN contacts n ON n.company_id = c.company_id AND n.customer_id = c.id AND n.id = r.contact_id
LEFT JOIN departments p ON p.company_id = c.company_id AND p.customer_id = c.id AND p.id = r.department_id
ORDER BY r.place
"""


async def get_sources(context: Context, kind: AnyKind, document: DocumentFields) -> Sources:
    """As `get_many_sources`, of one document."""
    return (await get_many_sources(context, kind, [document]))[0]


async def get_many_sources(context: Context, kind: AnyKind, documents: Sequence[DocumentFields]) -> list[Sources]:
    """The company, the customer with its group, contacts and department, the templates, the entry's category, of each.

    One statement, whatever the documents name: what is the same for all stands in its first row. Raises
    `COMPANY_NOT_FOUND`, `CUSTOMER_NOT_FOUND`.
    """
    named = list(dict.fromkeys(_parties(document) for document in documents))
    found = await context.connection.fetch(
        _SOURCES,
        context.company_id,
        kind.entry.entry_type if kind.entry else None,
        list(JournalType),
        *(list(ids) for ids in zip(*named, strict=True)),
    )
    first = found[0]
    company_fields = _part(COMPANY_NOT_FOUND.unless(first if first["co_company_id"] else None), "co")
    company = Company(**{**company_fields, "licenses": tuple(company_fields["licenses"])})
    known_templates = tuple(templates.of_row(values) for values in first["templates"])
    by_parties = {
        parties: Sources(
            company=company,
            facts=_facts(row, parties.customer_id),
            contact=_contact(row, "n"),
            department=None if row["p_id"] is None else Department(**_part(row, "p")),
            templates=known_templates,
            journal_category_id=first["journal_category_id"],
            deferred_revenue_account_id=first["deferred_revenue_account_id"],
        )
        for parties, row in zip(named, found, strict=True)
    }
    return [by_parties[_parties(document)] for document in documents]


class _Parties(NamedTuple):
    """The people that a document names."""

    customer_id: UUID
    contact_id: UUID | None
    department_id: UUID | None


def _parties(document: DocumentFields) -> _Parties:
    return _Parties(document.customer_id, document.customer_contact_id, document.customer_department_id)


def _facts(row: asyncpg.Record, customer_id: UUID) -> BillingFacts:
    if row["c_id"] is None:
        raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", customer_id)
    customer = _part(row, "c")
    return BillingFacts(
        customer=Customer(
            **{
                **customer,
                "customer_type": CustomerType(customer["customer_type"]),
                "vat_zone": VatZone(customer["vat_zone"]),
                "billing_relationship": BillingRelationship(customer["billing_relationship"]),
                "invoicing_mode": InvoicingMode(customer["invoicing_mode"]),
            }
        ),
        group=CustomerGroup(**_part(row, "g")),
        default_contact=_contact(row, "d"),
    )


def _part(row: asyncpg.Record, alias: str) -> dict[str, Any]:
    names, columns = _NAMES[alias]
    return dict(zip(names, row[columns], strict=True))


def _contact(row: asyncpg.Record, alias: str) -> Contact | None:
    return None if row[f"{alias}_id"] is None else Contact(**_part(row, alias))
