"""Companies made over HTTP: onboarding knows every context, so the route lives with it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Final
from uuid import UUID

from pydantic import Field

from ledgerbee.app.config import Settings
from ledgerbee.app.onboarding import create_company, language_in, time_zone_in
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import given
from ledgerbee.http.wire import CountryCode, CurrencyCode, IdText, Line, ResponseModel, omitted
from ledgerbee.ledger.periods.rules import first_year
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.outbox import flush
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company, CompanyFields
from ledgerbee.tenancy.company.rules import check_time_zone, seller_checks
from ledgerbee.tenancy.company.wire import Language, SellerFields, TimeZoneName, render

router = resource_router("Company")

#: Sandboxes that one company may create over the API.
MAX_SANDBOXES: Final = 10
SANDBOX_LIMIT_REACHED: Final = ErrorCode(
    "SANDBOX_LIMIT_REACHED", 409, f"A company can create {MAX_SANDBOXES} sandboxes, and this one has"
)
COMPANY_LIMIT_REACHED: Final = ErrorCode(
    "COMPANY_LIMIT_REACHED", 429, "Too many companies were created in the last 24 hours"
)


class CreateCompanyRequest(SellerFields):
    """What a new company needs, and what its invoices will say of it."""

    name: Line = Field(examples=["Nordlys ApS"])
    country_code: CountryCode = Field(description="ISO 3166-1 alpha-2. DK gets the Danish standard chart.")
    base_currency: CurrencyCode = omitted(description="Currency of its books; left out: the country's")
    time_zone: TimeZoneName = omitted(description="IANA time zone; left out: the country's")
    preferred_language: Language = omitted(description="Left out: Danish in Denmark, else English")
    sandbox: bool = Field(
        default=False,
        strict=True,
        description="Whether it is for tests: its day can be moved ahead (`POST /v1/test-clock/advance`), what it "
        "sends is marked, and its e-invoices never leave. It stays one",
    )
    fiscal_year_start: BookDay = omitted(
        description="First day of its first financial year, the first of a month; left out: 1 January of this year",
        examples=["2026-07-01"],
    )
    fiscal_year_end: BookDay = omitted(
        description="Its last day, 6 to 18 months later; left out: twelve months later", examples=["2027-06-30"]
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """What documents and banks ask of its identifiers, and its first year."""
        yield from seller_checks(self, lambda: self.country_code)
        yield lambda: check_time_zone(given(self.time_zone))
        yield lambda: first_year(self.fiscal_year_start, self.fiscal_year_end, facts.today)


class CreatedCompanyResponse(ResponseModel):
    """A new company and the way into it."""

    id: IdText
    name: str
    country_code: str = Field(examples=["DK"])
    base_currency: str = Field(examples=["DKK"])
    time_zone: str = Field(examples=["Europe/Copenhagen"])
    preferred_language: Language
    vat_number: str | None
    is_sandbox: bool = Field(description="Whether it is for tests")
    api_key_id: IdText
    key: str | None = Field(description="Its first API key. Shown this once: a replayed answer has null here.")


@router.post(
    "/v1/companies",
    **operation(
        "Create a company",
        scope="companies-write",
        status=201,
        extension=True,
        description="Creates another company with everything it needs to sell: chart of accounts, VAT codes, journal "
        "categories, groups and templates. The caller's credential stays bound to its own company; the answer has the "
        "new one's first API key, which carries every scope but `companies-write`. How many companies one company may "
        "create in 24 hours is the operator's to set.\n\nWith `sandbox: true` it is one for tests, of which a company "
        "can create ten.",
        response="Company created",
        errors=[COMPANY_LIMIT_REACHED, SANDBOX_LIMIT_REACHED],
        secret_fields=("key",),
    ),
)
async def create_another_company(context: Ctx, body: CreateCompanyRequest) -> CreatedCompanyResponse:
    await _check_limit(context)
    if body.sandbox and await companies.count_sandboxes(context) >= MAX_SANDBOXES:
        raise SANDBOX_LIMIT_REACHED.error(limit=MAX_SANDBOXES)
    async with _inside(context, new_id()) as other:
        company = await create_requested(other, body)
        key, secret = await api_keys.create(
            other, name="first key", scopes=[scope for scope in SCOPES if scope != "companies-write"]
        )
    # In the trail of the company that it was made from too: there its makers are known.
    context.emit("company.created", company.company_id, render(company).as_event())
    return CreatedCompanyResponse(**fields_of(company), id=company.company_id, api_key_id=key.id, key=secret)


def allow_new_companies(in_24_hours: int) -> None:
    """Let each company make so many others over the API within 24 hours. For the process, at its start."""
    global _allowed  # noqa: PLW0603  a setting of the process
    _allowed = in_24_hours


#: The time in which new companies are counted.
_WINDOW: Final = timedelta(hours=24)
_allowed: int = Settings.model_fields["max_new_companies"].default


async def _check_limit(context: Context) -> None:
    """Raises `COMPANY_LIMIT_REACHED`, which says when there is room again. Several at once wait for each other."""
    creations = await companies.latest_creations(context, context.now - _WINDOW, _allowed)
    if len(creations) >= _allowed:
        fault = COMPANY_LIMIT_REACHED.error(limit=_allowed)
        free = (creations[-1] if creations else context.now) + _WINDOW
        fault.retry_after = max(1, ceil((free - context.now).total_seconds()))
        raise fault


async def create_requested(context: Context, body: CreateCompanyRequest) -> Company:
    """Create the context's company as it was asked for. Raises what `create_company` raises."""
    return await create_company(
        context,
        CompanyFields(
            name=body.name,
            time_zone=body.time_zone or time_zone_in(body.country_code),
            preferred_language=body.preferred_language or language_in(body.country_code),
            **body.model_dump(exclude_unset=True, include=set(SellerFields.model_fields)),
        ),
        country_code=body.country_code,
        base_currency=body.base_currency,
        fiscal_year=(body.fiscal_year_start, body.fiscal_year_end),
        is_sandbox=body.sandbox,
    )


@asynccontextmanager
async def _inside(context: Context, company_id: UUID) -> AsyncIterator[Context]:
    """The same transaction, as another company: both commit or neither does.

    So the caller's idempotency key, reserved and kept as its own company's row, holds for what is made here. On an
    error the whole transaction rolls back, and its company with it.
    """
    other = replace(
        context,
        company_id=company_id,
        company_cache=None,
        events=[],
        jobs=[],
        answer=None,
        is_sandbox=False,
        clock_offset=0,
    )
    entered = await companies.entered(context)
    await companies.enter_new(context, company_id)
    yield other
    await flush([other], REACTIONS)
    await companies.enter_again(context, entered)
