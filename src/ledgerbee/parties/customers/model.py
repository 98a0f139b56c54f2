"""Customers (contract 2.4)."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.groups.model import CustomerGroup, CustomerGroupId
from ledgerbee.parties.party.model import CustomerId


class CustomerType(StrEnum):
    """What kind of buyer it is."""

    COMPANY = "company"
    PRIVATE = "private"
    PUBLIC = "public"


class VatZone(StrEnum):
    """Where a sale to the customer takes place for VAT."""

    DOMESTIC = "domestic"
    EU = "eu"
    ABROAD = "abroad"
    DOMESTIC_WITHOUT_VAT = "domestic_without_vat"


class BillingRelationship(StrEnum):
    """Who pays: the customer itself or its parent."""

    SELF = "self"
    PARENT_PAYS = "parent_pays"


class InvoicingMode(StrEnum):
    """How a customer is invoiced for the children that it pays for: all of a day at once, or each by itself."""

    SINGLE_INVOICE = "single_invoice"
    PER_CHILD = "per_child"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFields:
    """What whoever keeps a customer says of it.

    `currency` (ISO 4217) may be left out of a new customer only: it is the company's base currency then.
    `invoicing_mode` is about the children that it pays for.
    `endpoint_id` is where e-invoices go without an EAN (`parties.endpoints`).
    `payment_terms_days` and `language` fall back to the company's when None.
    """

    number: str
    customer_type: CustomerType
    name: str
    vat_zone: VatZone
    customer_group_id: CustomerGroupId
    country_code: str
    currency: str | None = None
    is_active: bool = True
    billing_relationship: BillingRelationship = BillingRelationship.SELF
    parent_customer_id: CustomerId | None = None
    invoicing_mode: InvoicingMode = InvoicingMode.SINGLE_INVOICE
    include_child_details_pdf: bool = False
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    vat_number: str | None = None
    ean_number: str | None = None
    endpoint_id: str | None = None
    website: str | None = None
    payment_terms_days: int | None = None
    language: str | None = None
    document_template_id: UUID | None = None
    external_system_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(CustomerFields):
    """A customer as it is kept. Moments are aware UTC."""

    id: CustomerId
    currency: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedCustomer(Customer):
    """A customer with what is shown of its group."""

    customer_group_number: str
    customer_group_name: str

    @classmethod
    def of(cls, customer: Customer, group: CustomerGroup) -> "GroupedCustomer":
        """The customer with its group."""
        values = {one.name: getattr(customer, one.name) for one in fields(Customer)}
        return cls(**values, customer_group_number=group.number, customer_group_name=group.name)


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """What a document for the customer needs of it.

    `group.account_id` is the receivable account, `group.discount_percent` the group's discount in percent;
    `default_contact` is None for a customer without contacts.
    """

    customer: Customer
    group: CustomerGroup
    default_contact: Contact | None


CUSTOMER_NUMBER_ALREADY_EXISTS = ErrorCode(
    "CUSTOMER_NUMBER_ALREADY_EXISTS", 409, "Another customer of the company has this number"
)
CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS = ErrorCode(
    "CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS", 409, "Another customer of the company has this externalSystemId"
)
CUSTOMER_PARENT_INVALID = ErrorCode(
    "CUSTOMER_PARENT_INVALID", 400, "A customer can't be its own parent, nor have one of its descendants as parent"
)
#: A customer names one, and so does each document that is sold to it.
DOCUMENT_TEMPLATE_NOT_FOUND = ErrorCode("DOCUMENT_TEMPLATE_NOT_FOUND", 404, "No such document template in the company")
