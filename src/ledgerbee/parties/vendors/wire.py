"""Vendors on the wire (contract 2.26)."""

from pydantic import Field

from ledgerbee.http.fields import NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.wire import (
    CountryCode,
    CurrencyCode,
    Id,
    IdOf,
    IdText,
    Line,
    MoneyText,
    RequestModel,
    ResponseModel,
    omitted,
)
from ledgerbee.parties.contacts.wire import NewContactRequest
from ledgerbee.parties.groups.model import VendorGroupId
from ledgerbee.parties.vendors.model import GroupedVendor, VendorFields, VendorStatus
from ledgerbee.parties.wire import NullablePaymentTerms, NullableVatNumber, PartyNumber


class VendorResponse(ResponseModel):
    """A vendor."""

    id: IdText
    number: str = Field(alias="vendorNumber", description="Unique vendor number within the company", examples=["2001"])
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
    payment_terms_days: int | None = Field(
        alias="paymentTerms", description="Days from a bill's date to its due date", examples=[30]
    )
    opening_balance: MoneyText = Field(
        description="What was owed to the vendor when the books were opened, in the company's base currency; positive: "
        "the company owes",
        examples=["0.00"],
    )


class CreatedVendorResponse(ResponseModel):
    """A new vendor's id and number."""

    id: IdText
    number: str = Field(alias="vendorNumber", examples=["2001"])


class CreateVendorRequest(RequestModel):
    """What a new vendor needs, and what it may bring."""

    number: PartyNumber = Field(
        alias="vendorNumber", description="Unique vendor number within the company", examples=["2001"]
    )
    name: Line = Field(examples=["Havnens Kontorforsyning A/S"])
    vendor_group_id: IdOf[VendorGroupId] = Field(description="The group, which decides the payable account")
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
    payment_terms_days: NullablePaymentTerms = omitted(
        alias="paymentTerms", description="Days from a bill's date to its due date"
    )
    default_account_id: Id | None = omitted(description="The account that its bills are usually booked on")

    def given(self) -> VendorFields:
        """The fields of the vendor that it asks for."""
        return VendorFields(**self.model_dump(exclude_unset=True, exclude={"contacts"}))


def render(vendor: GroupedVendor) -> VendorResponse:
    """A vendor on the wire."""
    return VendorResponse.of_row(vendor)
