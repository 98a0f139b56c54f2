"""The wire form of a customer: what operations answer with and what its events carry (contract 2.4)."""

from typing import Any

from pydantic import Field

from ledgerbee.http.metadata import MetadataOut
from ledgerbee.http.wire import IdText, Moment, ResponseModel
from ledgerbee.parties.customers.model import BillingRelationship, CustomerType, GroupedCustomer, VatZone
from ledgerbee.tenancy.company.wire import Language


class CustomerResponse(ResponseModel):
    """A customer."""

    id: IdText = Field(description="The unique identifier of the customer")
    customer_number: str = Field(description="Unique customer number within the company", examples=["1001"])
    customer_type: CustomerType
    name: str = Field(examples=["Nordlys ApS"])
    vat_zone: VatZone = Field(description="Where sales to the customer take place for VAT")
    customer_group_id: IdText
    customer_group_number: str = Field(examples=["1"])
    customer_group_name: str = Field(examples=["Domestic customers"])
    is_active: bool
    billing_relationship: BillingRelationship = Field(description="Who pays: the customer itself or its parent")
    parent_customer_id: IdText | None
    include_child_details_pdf: bool = Field(
        description="Attach a PDF for each child to a consolidated invoice of this parent"
    )
    email: str | None = Field(examples=["faktura@example.com"])
    phone: str | None = Field(examples=["+45 33 12 34 56"])
    address: str | None = Field(examples=["Havnegade 1"])
    city: str | None = Field(examples=["København K"])
    postal_code: str | None = Field(examples=["1058"])
    country_code: str = Field(description="ISO 3166-1 alpha-2", examples=["DK"])
    vat_number: str | None = Field(examples=["DK13585628"])
    ean_number: str | None = Field(description="EAN (GLN) for e-invoices", examples=["5798009811578"])
    website: str | None = Field(examples=["https://example.com"])
    external_system_id: str | None = Field(description="Its id in your system, unique per company", examples=["crm-17"])
    currency: str = Field(description="ISO 4217 currency of its documents", examples=["DKK"])
    payment_terms: int | None = Field(
        description="Days from the document's date to its due date; null: the company's terms", examples=[14]
    )
    language: Language | None = Field(description="Language of its documents; null: its country's")
    document_template_id: IdText | None = Field(description="Template of its documents; null: the company's default")
    metadata: MetadataOut
    created_at: Moment
    updated_at: Moment


def render(found: GroupedCustomer) -> CustomerResponse:
    """The wire form of a customer."""
    customer = found.customer
    return CustomerResponse(
        id=customer.id,
        customer_number=customer.number,
        customer_type=customer.customer_type,
        name=customer.name,
        vat_zone=customer.vat_zone,
        customer_group_id=customer.customer_group_id,
        customer_group_number=found.group_number,
        customer_group_name=found.group_name,
        is_active=customer.is_active,
        billing_relationship=customer.billing_relationship,
        parent_customer_id=customer.parent_customer_id,
        include_child_details_pdf=customer.include_child_details_pdf,
        email=customer.email,
        phone=customer.phone,
        address=customer.address,
        city=customer.city,
        postal_code=customer.postal_code,
        country_code=customer.country_code,
        vat_number=customer.vat_number,
        ean_number=customer.ean_number,
        website=customer.website,
        external_system_id=customer.external_system_id,
        currency=customer.currency,
        payment_terms=customer.payment_terms_days,
        language=Language(customer.language) if customer.language else None,
        document_template_id=customer.document_template_id,
        metadata=customer.metadata,
        created_at=customer.created_at,
        updated_at=customer.updated_at,
    )


def snapshot(found: GroupedCustomer) -> dict[str, Any]:
    """The wire form as JSON values, for an event."""
    return render(found).model_dump(mode="json")
