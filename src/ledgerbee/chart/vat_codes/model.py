"""VAT codes (contract 2.16, decisions "Ledger")."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import (
    VAT_CODE_NOT_FOUND as VAT_CODE_NOT_FOUND,  # noqa: PLC0414  also for whoever takes codes from here
)
from ledgerbee.chart.accounts.model import AccountLabel
from ledgerbee.core.errors import ErrorCode

VatCodeId = NewType("VatCodeId", UUID)


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

#: Boxes of a VAT return that take VAT amounts. The Danish return (momslovens § 57, stk. 1) has the first four,
#: other countries' REVERSE_CHARGE_VAT instead of the two for purchases abroad.
VAT_BOXES: Final = frozenset(
    {"OUTPUT_VAT", "FOREIGN_GOODS_VAT", "FOREIGN_SERVICES_VAT", "INPUT_VAT", "REVERSE_CHARGE_VAT"}
)
#: Boxes that take the net value. RUBRIK_* are the Danish rubrics A, B and C; B_GOODS and B_SERVICES must equal the
#: EU sales list, B_GOODS_UNLISTED is the part of rubric B that does not belong on it.
BASE_BOXES: Final = frozenset(
    {
        "RUBRIK_A_GOODS",
        "RUBRIK_A_SERVICES",
        "RUBRIK_B_GOODS",
        "RUBRIK_B_GOODS_UNLISTED",
        "RUBRIK_B_SERVICES",
        "RUBRIK_C",
        "EU_GOODS_PURCHASES",
        "EU_GOODS_SALES",
        "EU_SERVICES_PURCHASES",
        "EU_SERVICES_SALES",
        "EXEMPT_SALES",
        "EXPORTS",
        "REVERSE_CHARGE_SALES",
        "ZERO_RATED_SALES",
    }
)
#: Not on the VAT return: the one-stop-shop return, triangular trade on the EU sales list, purchases that make up the
#: basis of margin taxation, and the two refund procedures.
OTHER_REPORTS: Final = frozenset(
    {"OSS_RETURN", "EU_LIST_TRIANGULAR", "SPECIAL_BASIS", "FOREIGN_VAT_REFUND", "PUBLIC_VAT_REFUND"}
)
RETURN_BOXES: Final = VAT_BOXES | BASE_BOXES | OTHER_REPORTS


@dataclass(frozen=True, slots=True)
class VatRate:
    """What a code charges and deducts from a day on: percent, and the share of the VAT that can be deducted."""

    valid_from: date
    rate: Decimal
    deductible_share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCodeFields:
    """What a company says of a VAT code beside its rates. A contra account makes it a reverse charge.

    `return_box`: keys of `RETURN_BOXES`, joined by `+`.
    """

    code: str
    name: str
    type: VatType
    principle: Principle
    account_id: UUID | None = None
    contra_account_id: UUID | None = None
    return_box: str | None = None
    einvoice_category: str | None = None
    exemption_reason: str | None = None
    exemption_reason_da: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCodeRow(VatCodeFields):
    """A code's own row: its rates have rows of their own."""

    id: VatCodeId
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCode(VatCodeRow):
    """A code as it is kept. `rates` are in the order of their days, the first since ever."""

    rates: tuple[VatRate, ...]

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


@dataclass(frozen=True, slots=True)
class LabelledVatCode:
    """A code with the labels of the accounts that it is booked on."""

    code: VatCode
    account: AccountLabel | None
    contra_account: AccountLabel | None


VAT_CODE_ALREADY_EXISTS = ErrorCode("VAT_CODE_ALREADY_EXISTS", 409, "Another VAT code of the company has this code")
VAT_CODE_IN_USE = ErrorCode("VAT_CODE_IN_USE", 409, "Accounts carry this VAT code")
