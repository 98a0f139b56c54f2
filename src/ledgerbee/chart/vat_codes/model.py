"""VAT codes (contract 2.16, decisions "Ledger")."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class VatType(StrEnum):
    """Whether a code is for what is sold or for what is bought."""

    SALES = "SALES"
    PURCHASE = "PURCHASE"


class Principle(StrEnum):
    """Gross: an entered amount contains its VAT. Net: VAT comes on top."""

    GROSS = "Gross"
    NET = "Net"


class EInvoiceCategory(StrEnum):
    """VAT categories of EN 16931 (UNTDID 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


@dataclass(frozen=True, slots=True)
class VatCode:
    """One code. `rate` and `deductible_percent` are percent; a contra account makes it a reverse charge."""

    id: UUID
    code: str
    name: str
    rate: Decimal
    type: VatType
    principle: Principle
    deductible_percent: Decimal
    account_id: UUID | None
    contra_account_id: UUID | None
    return_box: str | None
    einvoice_category: str | None
    exemption_reason: str | None
    exemption_reason_da: str | None
    is_active: bool
    created_at: datetime


VAT_CODE_NOT_FOUND = ErrorCode("VAT_CODE_NOT_FOUND", 404, "No such VAT code in the company")
VAT_CODE_ALREADY_EXISTS = ErrorCode("VAT_CODE_ALREADY_EXISTS", 409, "Another VAT code of the company has this code")
VAT_CODE_IN_USE = ErrorCode("VAT_CODE_IN_USE", 409, "Accounts carry this VAT code")
