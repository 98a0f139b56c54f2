"""Customers on the wire: what requests bring, what operations answer with and what events carry (contract 2.4)."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.metadata import Metadata, MetadataOut
from ledgerbee.http.wire import (
    CountryCode,
    CurrencyCode,
    Id,
    IdOf,
    IdText,
    Line,
    Moment,
    RequestModel,
    ResponseModel,
    changes_to,
    omitted,
)
from ledgerbee.parties.contacts.wire import NewContactRequest
from ledgerbee.parties.customers import rules
from ledgerbee.parties.customers.model import (
    BillingRelationship,
    CustomerFields,
    CustomerType,
    GroupedCustomer,
    InvoicingMode,
    VatZone,
)
from ledgerbee.parties.groups.model import CustomerGroupId
from ledgerbee.parties.party.model import CustomerId
from ledgerbee.parties.wire import (
    ExternalId,
    Flag,
    NullableEan,
    NullableEndpoint,
    NullablePaymentTerms,
    NullableVatNumber,
    NullableWebsite,
    PartyNumber,
)
from ledgerbee.tenancy.company.wire import Language

_NUMBER: Final = "Unique customer number within the company"
_ZONE: Final = "Where sales to the customer take place for VAT"
_PAYER: Final = "`parent_pays` needs a parentCustomerId. The nearest ancestor that pays for itself is invoiced"
_MODE: Final = (
    "How this customer is invoiced for the subscriptions of children that it pays for: all of a billing date and "
    "currency on one invoice, or an invoice for each subscription (extension)"
)
_CHILD_PDF: Final = (
    "Mail a zip with a PDF for each child along with consolidated invoices of this parent, in the mode `single_invoice`"
)
_EXTERNAL_ID: Final = "Its id in your system, unique per company"
_ENDPOINT: Final = "Where e-invoices go without an EAN: scheme (Peppol's list) and number, its check digits right"
_TERMS: Final = "Days from the document's date to its due date; null: the company's terms"
_VAT_NUMBER: Final = "Spaces are removed. In the VAT zone `eu` it must have the form of a member state's number."


class CustomerResponse(ResponseModel):
    """A customer."""

    id: IdText = Field(description="The unique identifier of the customer")
    number: str = Field(alias="customerNumber", description=_NUMBER, examples=["1001"])
    customer_type: CustomerType
    name: str = Field(examples=["Nordlys ApS"])
    vat_zone: VatZone = Field(description="Where sales to the customer take place for VAT")
    customer_group_id: IdText
    customer_group_number: str = Field(examples=["1"])
    customer_group_name: str = Field(examples=["Domestic customers"])
    is_active: bool
    billing_relationship: BillingRelationship = Field(description="Who pays: the customer itself or its parent")
    parent_customer_id: IdText | None
    invoicing_mode: InvoicingMode = Field(description=_MODE)
    include_child_details_pdf: bool = Field(description=_CHILD_PDF)
    email: str | None = Field(examples=["faktura@example.com"])
    phone: str | None = Field(examples=["+45 33 12 34 56"])
    address: str | None = Field(examples=["Havnegade 1"])
    city: str | None = Field(examples=["København K"])
    postal_code: str | None = Field(examples=["1058"])
    country_code: str = Field(description="ISO 3166-1 alpha-2", examples=["DK"])
    vat_number: str | None = Field(examples=["DK13585628"])
    ean_number: str | None = Field(description="EAN (GLN) for e-invoices", examples=["5798009811578"])
    endpoint_id: str | None = Field(
        description="Where e-invoices go without an EAN: scheme and number, as Peppol has them",
        examples=["0198:DK13585628"],
    )
    website: str | None = Field(examples=["https://example.com"])
    external_system_id: str | None = Field(description="Its id in your system, unique per company", examples=["crm-17"])
    currency: str = Field(description="ISO 4217 currency of its documents", examples=["DKK"])
    payment_terms_days: int | None = Field(
        alias="paymentTerms",
        description="Days from the document's date to its due date; null: the company's terms",
        examples=[14],
    )
    language: Language | None = Field(description="Language of its documents; null: its country's")
    document_template_id: IdText | None = Field(description="Template of its documents; null: the company's default")
    metadata: MetadataOut
    created_at: Moment
    updated_at: Moment


class CreateCustomerRequest(RequestModel):
    """What a new customer needs, and what it may bring."""

    number: PartyNumber = Field(alias="customerNumber", description=_NUMBER, examples=["1001"])
    customer_type: CustomerType
    name: Line = Field(examples=["Nordlys ApS"])
    country_code: CountryCode
    vat_zone: VatZone = Field(description=_ZONE)
    customer_group_id: IdOf[CustomerGroupId] = Field(description="The group, which decides the receivable account")
    currency: CurrencyCode = omitted(description="Currency of its documents; the company's unless given")
    is_active: Flag = True
    billing_relationship: BillingRelationship = Field(BillingRelationship.SELF, description=_PAYER)
    parent_customer_id: IdOf[CustomerId] | None = omitted(description="The customer it belongs to")
    invoicing_mode: InvoicingMode = Field(InvoicingMode.SINGLE_INVOICE, description=_MODE)
    include_child_details_pdf: Flag = Field(False, description=_CHILD_PDF)
    email: NullableEmail = omitted()
    phone: NullableLine = omitted(examples=["+45 33 12 34 56"])
    address: NullableAddress = omitted(examples=["Havnegade 1"])
    city: NullableLine = omitted(examples=["København K"])
    postal_code: NullableLine = omitted(examples=["1058"])
    vat_number: NullableVatNumber = omitted(description=_VAT_NUMBER)
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    endpoint_id: NullableEndpoint = omitted(description=_ENDPOINT)
    website: NullableWebsite = omitted()
    external_system_id: ExternalId = omitted(description=_EXTERNAL_ID)
    payment_terms_days: NullablePaymentTerms = omitted(alias="paymentTerms", description=_TERMS)
    language: Language | None = omitted(description="Language of its documents; null: its country's")
    document_template_id: Id | None = omitted(description="Template of its documents; null: the company's default")
    metadata: Metadata = Field(default_factory=dict)
    contacts: list[NewContactRequest] = Field(
        default_factory=list,
        max_length=100,
        description="Exactly one of several is the default; a single one is it by itself",
    )

    def given(self) -> CustomerFields:
        """The fields of the customer that it asks for."""
        return CustomerFields(**self.model_dump(exclude_unset=True, exclude={"contacts"}))

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its VAT number in its zone, and who pays."""
        yield lambda: rules.check_vat_number(self)
        yield lambda: rules.check_payer(self)


class UpdateCustomerRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    keeps_what_is_left_out = True

    number: PartyNumber = omitted(alias="customerNumber", description=_NUMBER)
    customer_type: CustomerType = omitted()
    name: Line = omitted()
    country_code: CountryCode = omitted()
    vat_zone: VatZone = omitted(description=_ZONE)
    customer_group_id: IdOf[CustomerGroupId] = omitted()
    currency: CurrencyCode = omitted(description="Currency of its documents")
    is_active: Flag = omitted()
    billing_relationship: BillingRelationship = omitted(description=_PAYER)
    parent_customer_id: IdOf[CustomerId] | None = omitted(description="The customer it belongs to")
    invoicing_mode: InvoicingMode = omitted(description=_MODE)
    include_child_details_pdf: Flag = omitted(description=_CHILD_PDF)
    email: NullableEmail = omitted()
    phone: NullableLine = omitted()
    address: NullableAddress = omitted()
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    vat_number: NullableVatNumber = omitted(description=_VAT_NUMBER)
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    endpoint_id: NullableEndpoint = omitted(description=_ENDPOINT)
    website: NullableWebsite = omitted()
    external_system_id: ExternalId = omitted(description=_EXTERNAL_ID)
    payment_terms_days: NullablePaymentTerms = omitted(alias="paymentTerms", description=_TERMS)
    language: Language | None = omitted(description="Language of its documents; null: its country's")
    document_template_id: Id | None = omitted(description="Template of its documents; null: the company's default")
    metadata: Metadata = omitted()

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its VAT number in its zone, and who pays."""
        yield lambda: rules.check_vat_number(self)
        yield lambda: rules.check_payer(self)


changes_of = changes_to(CustomerFields, UpdateCustomerRequest)


def render(customer: GroupedCustomer) -> CustomerResponse:
    """A customer on the wire."""
    return CustomerResponse.of_row(customer)
