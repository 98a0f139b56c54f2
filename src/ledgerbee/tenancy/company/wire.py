"""Companies on the wire (contract 2.3; changing one is ours)."""

import base64
import binascii
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.changes import Changes
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import BLANK_IS_NULL, NullableAddress, NullableEmail, NullableLine
from ledgerbee.http.wire import (
    IdText,
    Line,
    Moment,
    RequestModel,
    ResponseModel,
    Trimmed,
    Whole,
    changes_to,
    omitted,
)
from ledgerbee.tenancy.company import rules
from ledgerbee.tenancy.company.logo import MAX_LOGO_BYTES
from ledgerbee.tenancy.company.model import AfterLastDecline, Company, CompanyFields

_AFTER_LAST_DECLINE: Final = (
    "What becomes of subscriptions with `automaticBilling` when the charge of their invoice was declined and is not "
    "tried again by itself: `keep` them as they are, `pause` them from that day on, or `cancel` them at once"
)
_BASE64_LENGTH: Final = 4 * -(-MAX_LOGO_BYTES // 3)


class Language(StrEnum):
    """Languages that documents and mails are written in."""

    DANISH = "da"
    ENGLISH = "en"


def _to_bytes(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > _BASE64_LENGTH:
            raise PydanticCustomError("maxSize", f"must be at most {MAX_LOGO_BYTES} bytes")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise PydanticCustomError("isBase64", "must be base64 encoded")


#: Of a company's own address.
EXAMPLE_EMAIL: Final = "regnskab@example.com"
#: Identifiers (VAT number, bank account): the rules say what they must be.
NullableIdentifier = Annotated[Annotated[str, Trimmed(50)] | None, BLANK_IS_NULL]
#: Days from a document's date to its due date.
PaymentTerms = Annotated[int, Field(strict=True, ge=0, le=3_650, examples=[14]), Whole]
#: An hour of the day.
DailyHour = Annotated[int, Field(strict=True, ge=0, le=23, examples=[5]), Whole]
#: Days that usage may be late.
UsageGrace = Annotated[int, Field(strict=True, ge=0, le=31, examples=[2]), Whole]
#: The content of a logo's file.
LogoContent = Annotated[
    bytes,
    BeforeValidator(_to_bytes),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": _BASE64_LENGTH}),
]
#: A time zone's name; the rules say which ones there are.
TimeZoneName = Annotated[str, StringConstraints(strict=True, max_length=100), Field(examples=["Europe/Copenhagen"])]


class SellerFields(RequestModel):
    """What documents say of a company as their seller, and where they ask to be paid."""

    email: NullableEmail = omitted(description="Where customers' answers go", examples=[EXAMPLE_EMAIL])
    address: NullableAddress = omitted(description="Street and number; needed on invoices")
    postal_code: NullableLine = omitted(description="Needed on invoices of a company in the EU")
    city: NullableLine = omitted(description="Needed on invoices")
    vat_number: NullableIdentifier = omitted(
        description="Needed on invoices unless all they sell is exempt or outside the scope of VAT. A Danish company's "
        "is checked: CVR, eight digits"
    )
    bank_name: NullableLine = omitted()
    bank_registration_number: NullableIdentifier = omitted(description="Danish: four digits")
    bank_account_number: NullableIdentifier = omitted(description="Danish: up to ten digits")
    iban: NullableIdentifier = omitted(examples=["DK5000400440116243"])
    bic: NullableIdentifier = omitted(examples=["DABADKKK"])
    fik_creditor_number: NullableIdentifier = omitted(
        description="Eight digits, from the bank: invoices in DKK are paid by payment slip (FIK)", examples=["12345674"]
    )


class CompanyResponse(ResponseModel):
    """The company behind the credential. What it hasn't told is null."""

    company_id: IdText = Field(alias="id")
    name: str = Field(examples=["Nordlys ApS"])
    email: str | None
    address: str | None
    cvr_number: int | None = Field(
        alias="vat", description="CVR number of a Danish company, as a number", examples=[13585628]
    )
    billing_email: str | None
    city: str | None
    postal_code: str | None
    country_code: str = Field(description="ISO 3166-1 alpha-2", examples=["DK"])
    phone: str | None
    preferred_language: Language
    contact_person_first_name: str | None
    contact_person_last_name: str | None
    vat_number: str | None = Field(description="VAT number of a company in any country", examples=["13585628"])
    website: str | None
    base_currency: str = Field(description="Currency that the books are kept in", examples=["DKK"])
    time_zone: str = Field(description="IANA time zone of the company's days", examples=["Europe/Copenhagen"])
    payment_terms_days: int = Field(
        alias="paymentTerms", description="Days from a document's date to its due date", examples=[14]
    )
    bank_name: str | None
    bank_registration_number: str | None
    bank_account_number: str | None
    iban: str | None
    bic: str | None
    fik_creditor_number: str | None = Field(
        description="Creditor number of Danish payment slips (FIK)", examples=["12345674"]
    )
    daily_hour: int = Field(
        description="The hour of its day, 0 to 23, from which on the day's tasks are done: billing and the like",
        examples=[5],
    )
    usage_grace_days: int = Field(
        description="Days that a period's usage may come in late before the period is billed", examples=[0]
    )
    after_last_decline: AfterLastDecline = Field(description=_AFTER_LAST_DECLINE)
    has_logo: bool
    is_sandbox: bool = Field(description="Whether it is for tests: see `GET /v1/test-clock`")
    licenses: list[str] = Field(examples=[["Subscription", "CustomerPortal", "MeteredProducts"]])
    created_at: Moment
    updated_at: Moment


class CompanyTodayResponse(CompanyResponse):
    """The company behind the credential, with its day."""

    today: date = Field(
        description="The company's day, in its time zone; a sandbox's is as far ahead as its clock was moved",
        examples=["2026-03-16"],
    )


class CompanySettings(SellerFields):
    """The settings to change, but for the logo."""

    keeps_what_is_left_out = True

    name: Line = omitted()
    billing_email: NullableEmail = omitted(description="Where the company's own bills go", examples=[EXAMPLE_EMAIL])
    phone: NullableLine = omitted()
    website: NullableLine = omitted()
    contact_person_first_name: NullableLine = omitted()
    contact_person_last_name: NullableLine = omitted()
    preferred_language: Language = omitted()
    payment_terms_days: PaymentTerms = omitted(
        alias="paymentTerms", description="Days from a document's date to its due date"
    )
    time_zone: TimeZoneName = omitted(description="IANA time zone")
    daily_hour: DailyHour = omitted(
        description="The hour of its day, 0 to 23, from which on the day's tasks are done; 5 unless it was changed"
    )
    usage_grace_days: UsageGrace = omitted(
        description="Days that a period's usage may come in late before the period is billed, 0 to 31"
    )
    after_last_decline: AfterLastDecline = omitted(description=_AFTER_LAST_DECLINE)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """What documents and banks ask of its identifiers; the country stays."""
        yield from rules.seller_checks(self, lambda: facts.country_code)
        yield lambda: rules.check_time_zone(self.time_zone)


class UpdateCompanyRequest(CompanySettings):
    """The settings to change; the others stay as they are, null clears one."""

    logo: LogoContent | None = omitted(
        description="A PNG or JPEG file of at most 500 kB and 8 million pixels. Kept as it is printed, without "
        "metadata; null removes it"
    )


_settings_of = changes_to(CompanyFields, CompanySettings)


def changes_of(body: UpdateCompanyRequest) -> Changes[CompanyFields]:
    """The settings that the body names; its logo is apart."""
    return Changes({name: value for name, value in _settings_of(body).fields.items() if name != "logo"})


def render(company: Company) -> CompanyResponse:
    """A company on the wire."""
    return CompanyResponse.of_row(company)


def render_with_day(company: Company, today: date) -> CompanyTodayResponse:
    """A company on the wire, with its day."""
    shown = {**dict(render(company)), "today": today}
    return CompanyTodayResponse.model_validate(shown, by_name=True, by_alias=False)
