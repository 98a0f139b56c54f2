"""The company: whose books these are (contract 2.3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class AfterLastDecline(StrEnum):
    """What becomes of subscriptions whose invoice no card pays and that is not charged again by itself."""

    KEEP = "keep"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFields:
    """What whoever keeps a company says of it. `time_zone` is an IANA name."""

    name: str
    preferred_language: str
    time_zone: str
    email: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    vat_number: str | None = None
    billing_email: str | None = None
    phone: str | None = None
    contact_person_first_name: str | None = None
    contact_person_last_name: str | None = None
    website: str | None = None
    payment_terms_days: int = 14
    bank_name: str | None = None
    bank_registration_number: str | None = None
    bank_account_number: str | None = None
    iban: str | None = None
    bic: str | None = None
    fik_creditor_number: str | None = None
    #: The hour of its day, 0 to 23, from which on its daily tasks are done.
    daily_hour: int = 5
    usage_grace_days: int = 0
    after_last_decline: AfterLastDecline = AfterLastDecline.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Company(CompanyFields):
    """A company as it is kept. `base_currency` is what its books are kept in. Moments are aware UTC.

    The logo itself is read by `store.logo`: only documents need it.
    """

    company_id: UUID
    country_code: str
    base_currency: str
    created_at: datetime
    updated_at: datetime
    has_logo: bool = False
    licenses: tuple[str, ...] = ("Subscription", "CustomerPortal", "MeteredProducts")
    is_sandbox: bool = False
    #: The days by which the clock of a sandbox is ahead.
    clock_offset_days: int = 0

    @property
    def cvr_number(self) -> int | None:
        """A Danish company's CVR number as a number (the wire's `vat`, contract 2.3), else None."""
        return int(self.vat_number) if self.country_code == "DK" and self.vat_number is not None else None


COMPANY_NOT_FOUND = ErrorCode("COMPANY_NOT_FOUND", 404, "No such company")
