"""Routes of the company (contract 2.3; changing it is ours)."""

from dataclasses import replace

from fastapi import Response

from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import actions, store
from ledgerbee.tenancy.company.logo import NewLogo
from ledgerbee.tenancy.company.wire import CompanyTodayResponse, UpdateCompanyRequest, changes_of, render_with_day

router = resource_router("Company")


@router.get(
    "/v1/company",
    **operation(
        "Get company details",
        scope="company-read",
        description="The company that the credential belongs to. A good first call: it shows that it works.",
    ),
)
async def get_company(context: Ctx) -> CompanyTodayResponse:
    return render_with_day(await store.get(context), context.today)


@router.patch(
    "/v1/company",
    response_model=CompanyTodayResponse,
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
    new_logo = None
    if "logo" in body.model_fields_set:  # before the transaction: drawing takes its time
        company_id, content = caller.principal.company_id, body.logo
        new_logo = NewLogo(await actions.drawn_logo(company_id, content) if content is not None else None)

    async def work(context: Context) -> Response:
        company = await actions.update(context, changes_of(body), new_logo)
        # In a time zone that was changed just now.
        shown = render_with_day(company, replace(context, time_zone=company.time_zone).today)
        return Response(shown.model_dump_json(), media_type="application/json")

    return await caller.command(work)
