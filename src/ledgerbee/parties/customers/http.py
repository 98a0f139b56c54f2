"""Customers over HTTP (contract 2.4)."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import Path, Query, Response
from pydantic import Field

from ledgerbee.http.arrays import array_of
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.metadata import Metadata, matching_objects
from ledgerbee.http.metadata_filters import MetadataFilters, with_metadata_filters
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import CountryCode, CurrencyCode, Id, Line, RequestModel, changes_of, omitted
from ledgerbee.parties.contacts.http import NewContactRequest
from ledgerbee.parties.contacts.model import CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS
from ledgerbee.parties.customers import actions, rules, store
from ledgerbee.parties.customers.model import (
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
    CUSTOMER_NOT_FOUND,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    CUSTOMER_PARENT_INVALID,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    BillingRelationship,
    CustomerType,
    VatZone,
)
from ledgerbee.parties.customers.wire import CustomerResponse, render
from ledgerbee.parties.groups.model import CUSTOMER_GROUP_NOT_FOUND
from ledgerbee.parties.wire import (
    ExternalId,
    Flag,
    NullableEan,
    NullablePaymentTerms,
    NullableVatNumber,
    NullableWebsite,
    PartyNumber,
)
from ledgerbee.tenancy.company.wire import Language

router = resource_router("Customers")

CustomerId = Annotated[Id, Path(alias="customerId", description="Customer ID")]

#: Fields whose name on the wire isn't that of the domain.
_DOMAIN_NAMES: Final = {"customer_number": "number", "payment_terms": "payment_terms_days"}
_REFERENCE_ERRORS: Final = (
    CUSTOMER_NOT_FOUND,
    CUSTOMER_GROUP_NOT_FOUND,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
)
_NUMBER: Final = "Unique customer number within the company"
_ZONE: Final = "Where sales to the customer take place for VAT"
_PAYER: Final = "`parent_pays` needs a parentCustomerId"
_CHILD_PDF: Final = "Attach a PDF for each child to a consolidated invoice of this parent"
_EXTERNAL_ID: Final = "Its id in your system, unique per company"
_TERMS: Final = "Days from the document's date to its due date; null: the company's terms"
_VAT_NUMBER: Final = "Spaces are removed. In the VAT zone `eu` it must have the form of a member state's number."


class CreateCustomerRequest(RequestModel):
    """What a new customer needs, and what it may bring."""

    customer_number: PartyNumber = Field(description=_NUMBER, examples=["1001"])
    customer_type: CustomerType
    name: Line = Field(examples=["Nordlys ApS"])
    country_code: CountryCode
    vat_zone: VatZone = Field(description=_ZONE)
    customer_group_id: Id = Field(description="The group, which decides the receivable account")
    currency: CurrencyCode = omitted(description="Currency of its documents; the company's unless given")
    is_active: Flag = True
    billing_relationship: BillingRelationship = Field(BillingRelationship.SELF, description=_PAYER)
    parent_customer_id: Id | None = omitted(description="The customer it belongs to")
    include_child_details_pdf: Flag = Field(False, description=_CHILD_PDF)
    email: NullableEmail = omitted()
    phone: NullableLine = omitted(examples=["+45 33 12 34 56"])
    address: NullableAddress = omitted(examples=["Havnegade 1"])
    city: NullableLine = omitted(examples=["København K"])
    postal_code: NullableLine = omitted(examples=["1058"])
    vat_number: NullableVatNumber = omitted(description=_VAT_NUMBER)
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    website: NullableWebsite = omitted()
    external_system_id: ExternalId = omitted(description=_EXTERNAL_ID)
    payment_terms: NullablePaymentTerms = omitted(description=_TERMS)
    language: Language | None = omitted(description="Language of its documents; null: its country's")
    document_template_id: Id | None = omitted(description="Template of its documents; null: the company's default")
    metadata: Metadata = Field(default_factory=dict)
    contacts: list[NewContactRequest] = Field(
        default_factory=list,
        max_length=100,
        description="Exactly one of several is the default; a single one is it by itself",
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its VAT number in its zone, and who pays."""
        yield lambda: rules.check_vat_number(self)
        yield lambda: rules.check_payer(self)


class UpdateCustomerRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    keeps_what_is_left_out = True

    customer_number: PartyNumber = omitted(description=_NUMBER)
    customer_type: CustomerType = omitted()
    name: Line = omitted()
    country_code: CountryCode = omitted()
    vat_zone: VatZone = omitted(description=_ZONE)
    customer_group_id: Id = omitted()
    currency: CurrencyCode = omitted(description="Currency of its documents")
    is_active: Flag = omitted()
    billing_relationship: BillingRelationship = omitted(description=_PAYER)
    parent_customer_id: Id | None = omitted(description="The customer it belongs to")
    include_child_details_pdf: Flag = omitted(description=_CHILD_PDF)
    email: NullableEmail = omitted()
    phone: NullableLine = omitted()
    address: NullableAddress = omitted()
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    vat_number: NullableVatNumber = omitted(description=_VAT_NUMBER)
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    website: NullableWebsite = omitted()
    external_system_id: ExternalId = omitted(description=_EXTERNAL_ID)
    payment_terms: NullablePaymentTerms = omitted(description=_TERMS)
    language: Language | None = omitted(description="Language of its documents; null: its country's")
    document_template_id: Id | None = omitted(description="Template of its documents; null: the company's default")
    metadata: Metadata = omitted()

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its VAT number in its zone, and who pays."""
        yield lambda: rules.check_vat_number(self)
        yield lambda: rules.check_payer(self)


def _in_domain_names(fields: dict[str, Any]) -> dict[str, Any]:
    return {_DOMAIN_NAMES.get(name, name): value for name, value in fields.items()}


@router.get(
    "/v1/customers",
    response_model=list[CustomerResponse],
    **with_metadata_filters(
        operation(
            "List customers",
            scope="customers-read",
            description="All customers that match every filter, by customer number: runs of digits count as numbers, "
            "so `2` comes before `10` and `K9` before `K10`.",
            response="Customers of the company",
        )
    ),
)
async def list_customers(
    context: Ctx,
    caller: CallerDep,
    metadata: MetadataFilters,
    customer_number: Annotated[
        str | None, Query(alias="customerNumber", description="Exact customer number", examples=["1001"])
    ] = None,
    external_system_id: Annotated[
        str | None, Query(alias="externalSystemId", description="Exact id in your system", examples=["crm-17"])
    ] = None,
) -> Response:
    """List customers."""
    found = await store.list_ids(
        context,
        number=customer_number,
        external_system_id=external_system_id,
        metadata=[matching_objects(key, text) for key, text in metadata],
    )
    return await array_of(context, caller, found, store.list_some, render)


@router.post(
    "/v1/customers",
    **operation(
        "Create a customer",
        scope="customers-write",
        status=201,
        description="Creates a customer, with contacts if you like.",
        response="Customer created successfully",
        errors=[*_REFERENCE_ERRORS, CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS],
    ),
)
async def create_customer(context: Ctx, body: CreateCustomerRequest) -> CustomerResponse:
    """Create a customer."""
    fields = _in_domain_names({name: value for name, value in body if name != "contacts"})
    given_contacts = [contact.contact() for contact in body.contacts]
    return render(await actions.create(context, given_contacts=given_contacts, **fields))


@router.get(
    "/v1/customers/{customerId}",
    **operation(
        "Get a single customer",
        scope="customers-read",
        description="Returns one customer.",
        response="The customer",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def get_customer(context: Ctx, customer_id: CustomerId) -> CustomerResponse:
    """Get a single customer."""
    return render(await store.read(context, customer_id))


@router.patch(
    "/v1/customers/{customerId}",
    **operation(
        "Update a customer",
        scope="customers-write",
        description="Only the fields provided in the request are changed; null clears a field that may be null. "
        "`metadata` is replaced as a whole.",
        response="Customer updated successfully",
        errors=[*_REFERENCE_ERRORS, CUSTOMER_PARENT_INVALID],
    ),
)
async def update_customer(context: Ctx, customer_id: CustomerId, body: UpdateCustomerRequest) -> CustomerResponse:
    """Update a customer."""
    return render(await actions.update(context, customer_id, _in_domain_names(changes_of(body))))
