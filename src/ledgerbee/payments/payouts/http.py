"""Routes of payouts (extension)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.core.errors import LedgerBeeError, check_all, refuse
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.step_scheduler import run_step
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.payouts import actions, csv_files, store
from ledgerbee.payments.payouts.model import (
    PAYOUT_ALREADY_PAID,
    PAYOUT_IMPORT_UNREADABLE,
    PAYOUT_MOVEMENT_DIFFERS,
    PAYOUT_NOT_FOUND,
    PayoutId,
    PayoutStatus,
)
from ledgerbee.payments.payouts.query import PayoutImportQuery
from ledgerbee.payments.payouts.wire import (
    CreatePayoutImportRequest,
    ListPayoutsResponse,
    PayoutDetailResponse,
    PayoutImportBody,
    PayoutImportResponse,
    PayoutMovementRequest,
    ReconciliationResponse,
    render,
    render_detail,
    render_import,
    render_look,
    render_no_look,
    render_result,
)
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.provider_settings.http import ProviderPath, name_of
from ledgerbee.payments.provider_settings.model import PAYMENT_PROVIDER_NOT_FOUND
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Payouts")

PayoutPath = Annotated[IdOf[PayoutId], Path(alias="payoutId", description="Payout ID")]
_CSV: Final = "text/csv"


class PayoutsQuery(BaseModel):
    """What a list of payouts can be narrowed to."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    provider: ProviderName | None = Field(None, description="Only payouts of this provider")
    status: PayoutStatus | None = Field(None, description="Only those that are booked (`paid`), or aren't (`pending`)")


@router.get(
    "/v1/payouts",
    **operation(
        "List payouts",
        scope="payments-read",
        description="A page of what providers paid out, the newest day first.",
        response="Paginated list of payouts",
        extension=True,
    ),
)
async def list_payouts(context: Ctx, query: Annotated[PayoutsQuery, Query()]) -> ListPayoutsResponse:
    asked = PageRequest(query.page, query.limit, sort_by="paidOn")
    found = await store.list_page(context, query.provider, query.status, asked)
    return ListPayoutsResponse.of([render(one) for one in found.rows], found.total, asked)


@router.get(
    "/v1/payouts/{payoutId}",
    **operation(
        "Get a payout by ID",
        scope="payments-read",
        description="A payout, all that moved with it, and what in it nobody here knows.",
        response="The payout",
        errors=[PAYOUT_NOT_FOUND],
        extension=True,
    ),
)
async def get_payout(context: Ctx, payout_id: PayoutPath) -> PayoutDetailResponse:
    payout = await store.get(context, payout_id)
    return render_detail(payout, await store.list_of_payout(context, payout))


@router.post(
    "/v1/payouts/import",
    response_model=PayoutImportResponse,
    **operation(
        "Import payouts",
        scope="payments-write",
        status=201,
        description="Takes what moved on the account at a provider, as JSON or as a CSV file, and books the payouts in "
        "it: the bank, the fees, and what nobody here knows on unidentified receipts, against the clearing account. "
        "All of it is taken, or nothing. A movement is taken once, by the provider's ID of it, whatever brings it and "
        "however often.\n\nA payout is booked when the movements that name it in `payout` add up to it, less their "
        "fees; until then it is `pending`. One that none names pays out what no payout had paid out by then.\n\n"
        "`text/csv` has a header row with `id`, `type`, `amount`, `currency` and `date`, and may have `fee`, "
        "`object`, `reference`, `payout` and `description`: separated by semicolons, commas or tabs, in UTF-8 with "
        "or without a byte order mark. Whether a comma or a point stands before decimals, and how dates are written, "
        "is settled by all of the file, or by the parameters. A line that is wrong is named.",
        response="What became of the movements",
        errors=[
            PAYMENT_PROVIDER_NOT_FOUND,
            PAYOUT_IMPORT_UNREADABLE,
            PAYOUT_MOVEMENT_DIFFERS,
            PAYOUT_ALREADY_PAID,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
            PAYMENT_ACCOUNT_MISSING,
            PAYMENT_ACCOUNT_INVALID,
            EXCHANGE_RATE_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        opens_transaction=False,
        extension=True,
        files=(_CSV,),
    ),
)
async def import_payouts(
    caller: CallerDep, body: PayoutImportBody, query: Annotated[PayoutImportQuery, Query()]
) -> Response:
    if isinstance(body, bytes):
        raw = body
        named, bank_account_id = query.provider, query.bank_account_id
        requests: list[tuple[int | None, PayoutMovementRequest]] = []
        requests += await run_step(len(raw), lambda: csv_files.read_file(raw, query.options))
    else:
        named, bank_account_id, movements = _of_json(body, query)
        requests = [(None, one) for one in movements]

    async def work(context: Context) -> Response:
        provider = named or PAYMENT_PROVIDER_NOT_FOUND.unless(await settings_store.find_default(context)).name
        _check_days(context, requests)
        movements = [one.moved(context.time_zone) for _, one in requests]
        taken = await actions.bring(context, provider, movements, bank_account_id)
        results = [render_result(one, await store.list_of_payout(context, one)) for one in taken.payouts]
        answer = render_import(len(taken.new), taken.known, results, taken.differences)
        return Response(answer.model_dump_json(by_alias=True), 201, media_type="application/json")

    return await caller.command(work)


def _check_days(context: Context, requests: Sequence[tuple[int | None, PayoutMovementRequest]]) -> None:
    """Refuse movements of days to come, each named by its line of the file or its place. Raises validation errors."""
    for place, (line, one) in enumerate(requests):
        try:
            one.check_day(context.today, f"movements.{place}" if line is None else "")
        except LedgerBeeError as fault:
            raise (fault if line is None else csv_files.at_line(line, fault)) from None


def _of_json(
    body: CreatePayoutImportRequest, query: PayoutImportQuery
) -> tuple[ProviderName, UUID | None, list[PayoutMovementRequest]]:
    if query.is_told:
        refuse([("", "isCsv", "the parameters are for text/csv alone")])
    check_all(*(partial(one.check, f"movements.{place}") for place, one in enumerate(body.movements)))
    return body.provider, body.bank_account_id, body.movements


@router.get(
    "/v1/payment-providers/{provider}/reconciliation",
    **operation(
        "Get the reconciliation with a payment provider",
        scope="payments-read",
        description="The last look at the provider's own list, which is compared with the charges here each day: what "
        "one side lacks, or has otherwise. Before the first look all of it is null, and `differences` empty: nothing "
        "was compared. What an import tells is compared in its own answer.",
        response="The last look, and what does not agree",
        errors=[PAYMENT_PROVIDER_NOT_FOUND],
        extension=True,
    ),
)
async def get_reconciliation(context: Ctx, provider: ProviderPath) -> ReconciliationResponse:
    name = name_of(provider)
    look = await store.find_last_look(context, name)
    if look is None:
        return render_no_look(name)
    return render_look(look, await store.list_differences(context, look.id))
