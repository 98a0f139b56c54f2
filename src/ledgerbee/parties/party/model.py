"""Whom contacts and departments belong to: a customer or a vendor, whose rules for them are the same."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

CustomerId = NewType("CustomerId", UUID)
VendorId = NewType("VendorId", UUID)


class PartyKind(StrEnum):
    """The two kinds of party."""

    CUSTOMER = "customer"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Party:
    """One customer or vendor of the company."""

    kind: PartyKind
    id: UUID

    @classmethod
    def customer(cls, customer_id: UUID) -> "Party":
        """The customer with this id."""
        return cls(PartyKind.CUSTOMER, customer_id)

    @classmethod
    def vendor(cls, vendor_id: UUID) -> "Party":
        """The vendor with this id."""
        return cls(PartyKind.VENDOR, vendor_id)


CUSTOMER_NOT_FOUND = ErrorCode("CUSTOMER_NOT_FOUND", 404, "No such customer in the company")
VENDOR_NOT_FOUND = ErrorCode("VENDOR_NOT_FOUND", 404, "No such vendor in the company")
