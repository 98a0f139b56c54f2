"""Departments of a customer or vendor: an address and an EAN of their own (contract 2.4).

Once a party has any, exactly one is its default, and that one is active as long as any is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

DepartmentId = NewType("DepartmentId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFields:
    """What whoever keeps a department says of it.

    `ean_number` is its GLN for e-invoices; the address replaces the party's own.
    """

    name: str
    is_default: bool = False
    is_active: bool = True
    ean_number: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Department(DepartmentFields):
    """A department as it is kept."""

    id: DepartmentId
    created_at: datetime


DEPARTMENT_NOT_FOUND = ErrorCode("DEPARTMENT_NOT_FOUND", 404, "No such department of this customer or vendor")
DEPARTMENT_DEFAULT_REQUIRED = ErrorCode(
    "DEPARTMENT_DEFAULT_REQUIRED",
    400,
    "One of the departments must be the default, an active one if there is any: make another one the default instead",
)
