"""The company: whose books these are (contract 2.3)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Company:
    """A company with its settings. `base_currency` is what its books are kept in, `time_zone` an IANA name.

    The logo itself is read by `store.logo`: only documents need it.
    """

    company_id: UUID
    name: str
    country_code: str
    preferred_language: str
    base_currency: str
    time_zone: str
    created_at: datetime
    updated_at: datetime
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
    has_logo: bool = False
    licenses: tuple[str, ...] = ("Subscription", "CustomerPortal", "MeteredProducts")


COMPANY_NOT_FOUND = ErrorCode("COMPANY_NOT_FOUND", 404, "No such company")
