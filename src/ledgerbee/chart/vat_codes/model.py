"""VAT codes (contract 2.16, decisions "Ledger")."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final
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


#: The first day of a rate that holds since ever.
SINCE_EVER: Final = date.min
#: Rates of one code at most.
MAX_RATES: Final = 100


@dataclass(frozen=True, slots=True)
class VatRate:
    """What a code charges and deducts from a day on: percent, and the share of the VAT that can be deducted."""

    valid_from: date
    rate: Decimal
    deductible_share: Fraction


@dataclass(frozen=True, slots=True)
class VatCode:
    """One code. `rates` are in the order of their days, the first since ever; a contra account makes it a reverse
    charge."""

    id: UUID
    code: str
    name: str
    type: VatType
    principle: Principle
    rates: tuple[VatRate, ...]
    account_id: UUID | None
    contra_account_id: UUID | None
    return_box: str | None
    einvoice_category: str | None
    exemption_reason: str | None
    exemption_reason_da: str | None
    is_active: bool
    created_at: datetime

    def rate_on(self, day: date) -> VatRate:
        """The rate that holds on a day."""
        found = self.rates[0]
        for rate in self.rates[1:]:
            if rate.valid_from > day:
                break
            found = rate
        return found

    @property
    def is_reverse_charge(self) -> bool:
        """True where the buyer accounts for the VAT: it is owed and deducted at once."""
        return self.contra_account_id is not None


VAT_CODE_NOT_FOUND = ErrorCode("VAT_CODE_NOT_FOUND", 404, "No such VAT code in the company")
VAT_CODE_ALREADY_EXISTS = ErrorCode("VAT_CODE_ALREADY_EXISTS", 409, "Another VAT code of the company has this code")
VAT_CODE_IN_USE = ErrorCode("VAT_CODE_IN_USE", 409, "Accounts carry this VAT code")
