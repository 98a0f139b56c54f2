"""Adding VAT codes and changing them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.vat_codes import store
from ledgerbee.chart.vat_codes.model import (
    SINCE_EVER,
    VAT_CODE_IN_USE,
    EInvoiceCategory,
    Principle,
    VatCode,
    VatRate,
    VatType,
)
from ledgerbee.chart.vat_codes.rules import check_rates, check_vat_code
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context


async def create(  # noqa: PLR0913  each argument is one property of a VAT code
    context: Context,
    *,
    code: str,
    name: str,
    rate: Decimal,
    vat_type: VatType,
    principle: Principle,
    deductible_share: Fraction = Fraction(1),
    account_id: UUID | None = None,
    contra_account_id: UUID | None = None,
    return_boxes: Sequence[str] = (),
    einvoice_category: EInvoiceCategory | None = None,
    exemption_reason: str | None = None,
    exemption_reason_da: str | None = None,
) -> VatCode:
    """Add a code with one rate, in percent, and the share of its VAT that can be deducted; both hold since ever.

    Emits `vat_code.created`.
    Raises `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `VAT_CODE_ALREADY_EXISTS` and validation errors.
    """
    vat_code = VatCode(
        id=new_id(),
        code=code,
        name=name,
        type=vat_type,
        principle=principle,
        rates=(VatRate(SINCE_EVER, rate, deductible_share),),
        account_id=account_id,
        contra_account_id=contra_account_id,
        return_box="+".join(return_boxes) or None,
        einvoice_category=einvoice_category,
        exemption_reason=exemption_reason,
        exemption_reason_da=exemption_reason_da,
        is_active=True,
        created_at=context.now,
    )
    wanted = [found for found in (account_id, contra_account_id) if found is not None]
    check_vat_code(vat_code, await accounts.get_many(context, wanted))
    await store.insert(context, [vat_code])
    context.emit("vat_code.created", vat_code.id, await _form(context, vat_code.id))
    return vat_code


async def update(context: Context, code_id: UUID, changes: dict[str, Any]) -> None:
    """Change the named fields (name, active). Principle and accounts stay: make another code instead.

    Emits `vat_code.updated` if anything became different.
    Raises `VAT_CODE_NOT_FOUND`, and `VAT_CODE_IN_USE` when it is to be deactivated while active accounts carry it.
    """
    before = await store.get_for_update(context, code_id)
    after = replace(before, **changes)
    if after == before:
        return
    if before.is_active and not after.is_active and await store.are_default(context, code_id):
        raise VAT_CODE_IN_USE.used(["accounts"])
    was = await _form(context, code_id)
    await store.update(context, after)
    context.emit("vat_code.updated", code_id, await _form(context, code_id), before=was)


async def set_rates(context: Context, code_id: UUID, rates: Sequence[VatRate]) -> None:
    """Put rates in place of all that a code has: each from its day on, the first since ever.

    Emits `vat_code.rates_changed` if anything became different.
    What is posted keeps the rate that it was taxed by. Raises `VAT_CODE_NOT_FOUND`, what `rules.check_rates` raises,
    and what `create` raises of a code with these rates.
    """
    before = await store.get_for_update(context, code_id)
    code = replace(before, rates=tuple(rates))
    check_rates(code.rates)
    wanted = [found for found in (code.account_id, code.contra_account_id) if found is not None]
    check_vat_code(code, await accounts.get_many(context, wanted))
    if code == before:
        return
    was = await _form(context, code_id)
    await store.replace_rates(context, code)
    context.emit("vat_code.rates_changed", code_id, await _form(context, code_id), before=was)


async def _form(context: Context, code_id: UUID) -> dict[str, Any]:
    return told(VatCode, await store.read(context, code_id), context.today)
