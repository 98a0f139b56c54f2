"""Routes of VAT codes (contract 2.16; adding and changing them is ours)."""

from typing import Annotated

from fastapi import Path

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.vat_codes import actions, store
from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_ALREADY_EXISTS,
    VAT_CODE_IN_USE,
    VAT_CODE_NOT_FOUND,
    VatCodeId,
)
from ledgerbee.chart.vat_codes.wire import (
    CreateVatCodeRequest,
    UpdateVatCodeRequest,
    UpdateVatRatesRequest,
    VatCodeResponse,
    changes_of,
    render,
)
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf

router = resource_router("VAT Codes")

PathId = Annotated[IdOf[VatCodeId], Path(alias="vatCodeId", description="VAT code ID")]


@router.get(
    "/v1/vat-codes",
    **operation("List VAT codes", scope="vat-codes-read", description="All VAT codes of the company, by code."),
)
async def list_vat_codes(context: Ctx) -> list[VatCodeResponse]:
    return [render(code, context.today) for code in await store.list_all(context)]


@router.post(
    "/v1/vat-codes",
    **operation(
        "Create a VAT code",
        scope="vat-codes-write",
        status=201,
        extension=True,
        response="VAT code created",
        errors=[ACCOUNT_NOT_FOUND, ACCOUNT_NOT_BOOKABLE, VAT_CODE_ALREADY_EXISTS],
    ),
)
async def create_vat_code(context: Ctx, body: CreateVatCodeRequest) -> VatCodeResponse:
    fields, rate = body.code()
    return render(await actions.create(context, fields, rate), context.today)


@router.patch(
    "/v1/vat-codes/{vatCodeId}",
    **operation(
        "Update a VAT code",
        scope="vat-codes-write",
        extension=True,
        description="Changes the name or whether it can be used. Principle and accounts stay as they are: what is "
        "booked with a code keeps its meaning. Rates have an operation of their own.",
        response="VAT code updated",
        errors=[VAT_CODE_NOT_FOUND, VAT_CODE_IN_USE],
    ),
)
async def update_vat_code(context: Ctx, vat_code_id: PathId, body: UpdateVatCodeRequest) -> VatCodeResponse:
    return render(await actions.update(context, vat_code_id, changes_of(body)), context.today)


@router.put(
    "/v1/vat-codes/{vatCodeId}/rates",
    **operation(
        "Set the rates of a VAT code",
        scope="vat-codes-write",
        extension=True,
        description="Puts these rates in place of all that the code has, each from its day on. An entry takes the rate "
        "of its date, a document that of its delivery date or date, whenever it is booked. What is posted stays as it "
        "is.",
        response="Rates set",
        errors=[VAT_CODE_NOT_FOUND, ACCOUNT_NOT_FOUND, ACCOUNT_NOT_BOOKABLE],
    ),
)
async def set_vat_code_rates(context: Ctx, vat_code_id: PathId, body: UpdateVatRatesRequest) -> VatCodeResponse:
    return render(await actions.set_rates(context, vat_code_id, body.vat_rates()), context.today)
