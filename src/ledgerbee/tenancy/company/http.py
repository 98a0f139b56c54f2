"""The company over HTTP (contract 2.3; changing it is ours)."""

from collections.abc import Iterable
from dataclasses import asdict

from fastapi import Response
from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.fields import NullableEmail, NullableLine
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdText, Line, Moment, ResponseModel, changes_of, omitted
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import actions, rules, store
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.company.wire import (
    EXAMPLE_EMAIL,
    Language,
    LogoContent,
    PaymentTerms,
    SellerFields,
    TimeZoneName,
)

router = resource_router("Company")


class CompanyResponse(ResponseModel):
    """The company behind the credential. What it hasn't told is null."""

    id: IdText
    name: str = Field(examples=["Nordlys ApS"])
    email: str | None
    address: str | None
    vat: int | None = Field(description="CVR number of a Danish company, as a number", examples=[13585628])
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
    payment_terms: int = Field(description="Days from a document's date to its due date", examples=[14])
    bank_name: str | None
    bank_registration_number: str | None
    bank_account_number: str | None
    iban: str | None
    bic: str | None
    has_logo: bool
    licenses: list[str] = Field(examples=[["Subscription", "CustomerPortal", "MeteredProducts"]])
    created_at: Moment
    updated_at: Moment


class UpdateCompanyRequest(SellerFields):
    """The settings to change; the others stay as they are, null clears one."""

    keeps_what_is_left_out = True

    name: Line = omitted()
    billing_email: NullableEmail = omitted(description="Where the company's own bills go", examples=[EXAMPLE_EMAIL])
    phone: NullableLine = omitted()
    website: NullableLine = omitted()
    contact_person_first_name: NullableLine = omitted()
    contact_person_last_name: NullableLine = omitted()
    preferred_language: Language = omitted()
    payment_terms: PaymentTerms = omitted(description="Days from a document's date to its due date")
    time_zone: TimeZoneName = omitted(description="IANA time zone")
    logo: LogoContent | None = omitted(
        description="A PNG or JPEG file of at most 500 kB and 8 million pixels. Kept as it is printed, without "
        "metadata; null removes it"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """What documents and banks ask of its identifiers; the country stays."""
        yield from rules.seller_checks(self, lambda: facts.country_code)
        yield lambda: rules.check_time_zone(self.time_zone)


@form_of(Company)
def _render(company: Company) -> CompanyResponse:
    fields = asdict(company)
    fields["id"] = fields.pop("company_id")
    fields["payment_terms"] = fields.pop("payment_terms_days")
    return CompanyResponse(vat=rules.cvr_number(company), **fields)


@router.get(
    "/v1/company",
    **operation(
        "Get company details",
        scope="company-read",
        description="The company that the credential belongs to. A good first call: it shows that it works.",
    ),
)
async def get_company(context: Ctx) -> CompanyResponse:
    """Get company details."""
    return _render(await store.get(context))


@router.patch(
    "/v1/company",
    response_model=CompanyResponse,
    **operation(
        "Update the company",
        scope="company-write",
        extension=True,
        description="Changes the settings that are sent. Country and base currency stay as they are: the books are "
        "kept in them.",
        response="Company updated",
        opens_transaction=False,
    ),
)
async def update_company(caller: CallerDep, body: UpdateCompanyRequest) -> Response:
    """Update the company."""
    changes = changes_of(body)
    if changes.get("logo") is not None:  # before the transaction: it takes its time
        changes["logo"] = await actions.drawn_logo(caller.principal.company_id, changes["logo"])
    if "payment_terms" in changes:
        changes["payment_terms_days"] = changes.pop("payment_terms")

    async def work(context: Context) -> Response:
        return Response(
            _render(await actions.update(context, changes)).model_dump_json(), media_type="application/json"
        )

    return await caller.command(work)
