"""VAT codes over HTTP (contract 2.16; adding and changing them is ours)."""

from typing import Annotated

import asyncpg
from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.vat_codes import actions, store
from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_ALREADY_EXISTS,
    VAT_CODE_IN_USE,
    VAT_CODE_NOT_FOUND,
    EInvoiceCategory,
    Principle,
    VatType,
)
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import (
    Id,
    IdText,
    Line,
    Number,
    Percent,
    RequestModel,
    ResponseModel,
    Text,
    Trimmed,
    changes_of,
    omitted,
)

router = resource_router("VAT Codes")

VatCodeId = Annotated[Id, Path(alias="vatCodeId", description="VAT code ID")]
Code = Annotated[str, Trimmed(20, min_length=1)]


class VatCodeResponse(ResponseModel):
    """A VAT code. `id` is the `vatCodeId` of journal lines."""

    id: IdText
    vat_code: str = Field(examples=["S01"])
    name: str = Field(examples=["Salg med 25 % moms"])
    vat_rate: Number = Field(description="Percent", examples=[25])
    type: VatType
    principle: Principle = Field(description="Gross: an amount contains its VAT. Net: VAT comes on top.")
    account_to_book_id: IdText | None = Field(description="The account that the VAT goes to")
    account_to_book_number: int | None = Field(examples=[7680])
    account_to_book_name: str | None = Field(examples=["Salgsmoms"])
    contra_account_to_book_id: IdText | None = Field(description="Reverse charge: the opposite goes here")
    contra_account_to_book_number: int | None
    contra_account_to_book_name: str | None
    deductible_percent: Number = Field(description="How much of a purchase's VAT can be deducted", examples=[100])
    return_boxes: list[str] = Field(description="Where it goes in the VAT return", examples=[["OUTPUT_VAT"]])
    e_invoice_category: EInvoiceCategory | None = Field(description="VAT category of EN 16931")
    exemption_reason: str | None = Field(description="Why an invoice is without VAT, in English")
    exemption_reason_da: str | None = Field(description="Why an invoice is without VAT, in Danish")
    is_active: bool


class CreateVatCodeRequest(RequestModel):
    """What a new VAT code needs."""

    vat_code: Code = Field(description="Unique in the company", examples=["S01"])
    name: Line = Field(examples=["Salg med 25 % moms"])
    vat_rate: Percent
    type: VatType
    principle: Principle = Field(description="Gross: an amount contains its VAT. Net: VAT comes on top.")
    account_to_book_id: Id = omitted(description="The account that the VAT goes to. Needed for a rate over 0.")
    contra_account_to_book_id: Id = omitted(description="Makes it a reverse charge: the opposite goes here")
    deductible_percent: Percent = omitted(description="How much of a purchase's VAT can be deducted; left out: 100")
    return_boxes: list[Line] = omitted(description="Where it goes in the VAT return", max_length=10)
    e_invoice_category: EInvoiceCategory = omitted(
        description="VAT category of EN 16931. S: with a rate, and only then."
    )
    exemption_reason: Text = omitted(
        description="Why an invoice is without VAT, in English. One of the two is needed for categories E, AE, K, G, O."
    )
    exemption_reason_da: Text = omitted(description="Why an invoice is without VAT, in Danish")


class UpdateVatCodeRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    name: Line = omitted()
    is_active: Annotated[bool, Field(strict=True)] = omitted()


def _render(row: asyncpg.Record) -> VatCodeResponse:
    return VatCodeResponse(
        id=row["id"],
        vat_code=row["code"],
        name=row["name"],
        vat_rate=row["rate"],
        type=VatType(row["type"]),
        principle=Principle(row["principle"]),
        account_to_book_id=row["account_id"],
        account_to_book_number=row["account_number"],
        account_to_book_name=row["account_name"],
        contra_account_to_book_id=row["contra_account_id"],
        contra_account_to_book_number=row["contra_account_number"],
        contra_account_to_book_name=row["contra_account_name"],
        deductible_percent=row["deductible_percent"],
        return_boxes=row["return_box"].split("+") if row["return_box"] else [],
        e_invoice_category=row["einvoice_category"],
        exemption_reason=row["exemption_reason"],
        exemption_reason_da=row["exemption_reason_da"],
        is_active=row["is_active"],
    )


@router.get(
    "/v1/vat-codes",
    **operation("List VAT codes", scope="vat-codes-read", description="All VAT codes of the company, by code."),
)
async def list_vat_codes(context: Ctx) -> list[VatCodeResponse]:
    """List VAT codes."""
    return [_render(row) for row in await store.list_all(context)]


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
    """Create a VAT code."""
    code = await actions.create(
        context,
        code=body.vat_code,
        name=body.name,
        rate=body.vat_rate,
        vat_type=body.type,
        principle=body.principle,
        deductible_percent=body.deductible_percent,
        account_id=body.account_to_book_id,
        contra_account_id=body.contra_account_to_book_id,
        return_boxes=body.return_boxes or (),
        einvoice_category=body.e_invoice_category,
        exemption_reason=body.exemption_reason,
        exemption_reason_da=body.exemption_reason_da,
    )
    return _render(await store.read(context, code.id))


@router.patch(
    "/v1/vat-codes/{vatCodeId}",
    **operation(
        "Update a VAT code",
        scope="vat-codes-write",
        extension=True,
        description="Changes the name or whether it can be used. Rate, principle and accounts stay as they are: what "
        "is booked with a code keeps its meaning.",
        response="VAT code updated",
        errors=[VAT_CODE_NOT_FOUND, VAT_CODE_IN_USE],
    ),
)
async def update_vat_code(context: Ctx, vat_code_id: VatCodeId, body: UpdateVatCodeRequest) -> VatCodeResponse:
    """Update a VAT code."""
    await actions.update(context, vat_code_id, changes_of(body))
    return _render(await store.read(context, vat_code_id))
