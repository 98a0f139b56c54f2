"""Vendors over HTTP (contract 2.26)."""

from fastapi import Response
from pydantic import Field

from ledgerbee.core.money import ZERO, format_amount
from ledgerbee.http.arrays import array_of
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.fields import NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import (
    CountryCode,
    CurrencyCode,
    Id,
    IdText,
    Line,
    MoneyText,
    RequestModel,
    ResponseModel,
    omitted,
)
from ledgerbee.parties.contacts.http import NewContactRequest
from ledgerbee.parties.contacts.model import CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS
from ledgerbee.parties.groups.model import VENDOR_GROUP_NOT_FOUND
from ledgerbee.parties.vendors import actions, store
from ledgerbee.parties.vendors.model import (
    LEDGER_NOT_FOUND,
    VENDOR_DEFAULT_ACCOUNT_INVALID,
    VENDOR_NUMBER_ALREADY_EXISTS,
    GroupedVendor,
    VendorStatus,
)
from ledgerbee.parties.wire import NullablePaymentTerms, NullableVatNumber, PartyNumber
from ledgerbee.tenancy.company import store as companies

router = resource_router("Vendors")


class VendorResponse(ResponseModel):
    """A vendor."""

    id: IdText
    vendor_number: str = Field(description="Unique vendor number within the company", examples=["2001"])
    name: str = Field(examples=["Havnens Kontorforsyning A/S"])
    vendor_group_id: IdText
    vendor_group_name: str = Field(examples=["Domestic vendors"])
    currency: str = Field(description="ISO 4217 currency of its bills", examples=["DKK"])
    status: VendorStatus
    email: str | None
    phone: str | None
    address: str | None
    city: str | None
    postal_code: str | None
    country_code: str = Field(description="ISO 3166-1 alpha-2", examples=["DK"])
    vat_number: str | None
    attention: str | None = Field(description="Whom letters go to")
    payment_terms: int | None = Field(description="Days from a bill's date to its due date", examples=[30])
    opening_balance: MoneyText = Field(
        description="What was owed to the vendor when the books were opened, in the company's base currency; positive: "
        "the company owes",
        examples=["0.00"],
    )


class CreatedVendorResponse(ResponseModel):
    """A new vendor's id and number."""

    id: IdText
    vendor_number: str = Field(examples=["2001"])


class CreateVendorRequest(RequestModel):
    """What a new vendor needs, and what it may bring."""

    vendor_number: PartyNumber = Field(description="Unique vendor number within the company", examples=["2001"])
    name: Line = Field(examples=["Havnens Kontorforsyning A/S"])
    vendor_group_id: Id = Field(description="The group, which decides the payable account")
    currency: CurrencyCode
    country_code: CountryCode
    contacts: list[NewContactRequest] = Field(
        min_length=1,
        max_length=100,
        description="Exactly one of several is the default; a single one is it by itself",
    )
    email: NullableEmail = omitted()
    phone: NullableLine = omitted()
    address: NullableAddress = omitted()
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    vat_number: NullableVatNumber = omitted(description="Spaces are removed")
    attention: NullableLine = omitted(description="Whom letters go to")
    payment_terms: NullablePaymentTerms = omitted(description="Days from a bill's date to its due date")
    default_account_id: Id | None = omitted(description="The account that its bills are usually booked on")


@form_of(GroupedVendor)
def _render(found: GroupedVendor, base_currency: str) -> VendorResponse:
    vendor = found.vendor
    return VendorResponse(
        id=vendor.id,
        vendor_number=vendor.number,
        name=vendor.name,
        vendor_group_id=vendor.vendor_group_id,
        vendor_group_name=found.group_name,
        currency=vendor.currency,
        status=vendor.status,
        email=vendor.email,
        phone=vendor.phone,
        address=vendor.address,
        city=vendor.city,
        postal_code=vendor.postal_code,
        country_code=vendor.country_code,
        vat_number=vendor.vat_number,
        attention=vendor.attention,
        payment_terms=vendor.payment_terms_days,
        # No operation brings in balances from earlier books: every vendor opens at nothing owed.
        opening_balance=format_amount(ZERO, base_currency),
    )


@router.get(
    "/v1/vendors",
    response_model=list[VendorResponse],
    **operation(
        "List vendors",
        scope="vendors-read",
        description="All vendors, by vendor number: runs of digits count as numbers, so `2` comes before `10`.",
        response="Vendors of the company",
    ),
)
async def list_vendors(context: Ctx, caller: CallerDep) -> Response:
    """List vendors."""
    base_currency = (await companies.get(context)).base_currency
    ids = await store.list_ids(context)
    return await array_of(context, caller, ids, store.list_some, lambda vendor: _render(vendor, base_currency))


@router.post(
    "/v1/vendors",
    **operation(
        "Create a vendor",
        scope="vendors-write",
        status=201,
        description="Creates a vendor with its contacts.",
        response="Vendor created successfully",
        errors=[
            VENDOR_NUMBER_ALREADY_EXISTS,
            CONTACT_DEFAULT_REQUIRED,
            CONTACT_MULTIPLE_DEFAULTS,
            VENDOR_DEFAULT_ACCOUNT_INVALID,
            VENDOR_GROUP_NOT_FOUND,
            LEDGER_NOT_FOUND,
        ],
    ),
)
async def create_vendor(context: Ctx, body: CreateVendorRequest) -> CreatedVendorResponse:
    """Create a vendor."""
    vendor = await actions.create(
        context,
        number=body.vendor_number,
        name=body.name,
        vendor_group_id=body.vendor_group_id,
        currency=body.currency,
        country_code=body.country_code,
        given_contacts=[contact.contact() for contact in body.contacts],
        email=body.email,
        phone=body.phone,
        address=body.address,
        city=body.city,
        postal_code=body.postal_code,
        vat_number=body.vat_number,
        attention=body.attention,
        payment_terms_days=body.payment_terms,
        default_account_id=body.default_account_id,
    )
    return CreatedVendorResponse(id=vendor.id, vendor_number=vendor.number)
