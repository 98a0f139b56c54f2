"""Customer and vendor groups: which control account a party's entries stand on (contract 2.4, 2.26)."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CustomerGroup:
    """`account_id` is the receivable account (the AR leg), `discount_percent` the group's discount."""

    id: UUID
    number: str
    name: str
    discount_percent: Decimal
    account_id: UUID
    created_at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VendorGroup:
    """`account_id` is the payable account (the AP leg)."""

    id: UUID
    number: str
    name: str
    account_id: UUID
    created_at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)
