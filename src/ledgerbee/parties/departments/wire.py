"""Departments on the wire (contract 2.4, 2.26)."""

from typing import Any

from pydantic import Field

from ledgerbee.http.fields import NullableAddress, NullableLine
from ledgerbee.http.wire import IdText, Line, RequestModel, ResponseModel, changes_to, omitted
from ledgerbee.parties.departments.model import Department, DepartmentFields
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.wire import Flag, NullableCountry, NullableEan


class DepartmentResponse(ResponseModel):
    """A department of a customer or vendor."""

    id: IdText
    name: str = Field(examples=["Indkøb"])
    is_default: bool = Field(description="Exactly one department is the default, once there are any")
    is_active: bool = Field(description="Whether new documents can name it")
    ean_number: str | None = Field(description="Its EAN (GLN) for e-invoices", examples=["5798009811578"])
    address: str | None = Field(description="Replaces the address of the customer or vendor")
    city: str | None
    postal_code: str | None
    country_code: str | None = Field(examples=["DK"])


class CreateDepartmentRequest(RequestModel):
    """What a new department needs."""

    name: Line = Field(examples=["Indkøb"])
    is_default: Flag = Field(False, description="True makes it the default instead of the present one")
    is_active: Flag = Field(True, description="Whether new documents can name it")
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    address: NullableAddress = omitted(description="Replaces the address of the customer or vendor")
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    country_code: NullableCountry = omitted()

    def given(self) -> DepartmentFields:
        """The fields of the department that it asks for."""
        return DepartmentFields(**self.model_dump(exclude_unset=True))


class UpdateDepartmentRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    name: Line = omitted()
    is_default: Flag = omitted(description="True makes it the default instead of the present one")
    is_active: Flag = omitted(description="Whether new documents can name it")
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    address: NullableAddress = omitted(description="Replaces the address of the customer or vendor")
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    country_code: NullableCountry = omitted()


changes_of = changes_to(DepartmentFields, UpdateDepartmentRequest)


def render(department: Department) -> DepartmentResponse:
    """A department on the wire."""
    return DepartmentResponse.of_row(department)


def as_event(party: Party, department: Department) -> dict[str, Any]:
    """What events have of a department: beside its wire form whose it is."""
    return render(department).as_event() | {f"{party.kind}Id": str(party.id)}
