"""Adding VAT codes and changing them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account, AccountLabel
from ledgerbee.chart.vat_codes import store
from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_IN_USE,
    LabelledVatCode,
    VatCode,
    VatCodeFields,
    VatCodeId,
    VatRate,
)
from ledgerbee.chart.vat_codes.rules import check_rates, check_vat_code
from ledgerbee.chart.vat_codes.wire import render
from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def create(context: Context, given: VatCodeFields, rate: VatRate) -> LabelledVatCode:
    """Add a code with one rate, which holds since ever. Emits `vat_code.created`.

    Raises `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`, `VAT_CODE_ALREADY_EXISTS` and validation errors.
    """
    code = VatCode(id=VatCodeId(new_id()), created_at=context.now, rates=(rate,), **fields_of(given))
    booked_on = await _accounts_of(context, code)
    check_vat_code(code, booked_on)
    await store.insert(context, code)
    labelled = LabelledVatCode(
        code, _label_of(code.account_id, booked_on), _label_of(code.contra_account_id, booked_on)
    )
    context.emit("vat_code.created", code.id, _event(context, labelled))
    return labelled


async def update(context: Context, code_id: VatCodeId, changes: Changes[VatCodeFields]) -> LabelledVatCode:
    """Change the named fields (name, active). Principle and accounts stay: make another code instead.

    Emits `vat_code.updated` if anything became different.
    Raises `VAT_CODE_NOT_FOUND`, and `VAT_CODE_IN_USE` when it is to be deactivated while active accounts carry it.
    """
    before = await store.get_for_update(context, code_id)
    code = changes.applied_to(before.code)
    if code == before.code:
        return before
    if before.code.is_active and not code.is_active and await accounts.has_vat_code(context, code_id):
        raise VAT_CODE_IN_USE.used(["accounts"])
    await store.update(context, code)
    after = replace(before, code=code)
    context.emit("vat_code.updated", code_id, _event(context, after), before=_event(context, before))
    return after


async def set_rates(context: Context, code_id: VatCodeId, rates: Sequence[VatRate]) -> LabelledVatCode:
    """Put rates in place of all that a code has: each from its day on, the first since ever.

    Emits `vat_code.rates_changed` if anything became different.
    What is posted keeps the rate that it was taxed by. Raises `VAT_CODE_NOT_FOUND`, what `rules.check_rates` raises,
    and what `create` raises of a code with these rates.
    """
    before = await store.get_for_update(context, code_id)
    code = replace(before.code, rates=tuple(rates))
    check_rates(code.rates)
    check_vat_code(code, await _accounts_of(context, code))
    if code == before.code:
        return before
    await store.replace_rates(context, code)
    after = replace(before, code=code)
    context.emit("vat_code.rates_changed", code_id, _event(context, after), before=_event(context, before))
    return after


def _event(context: Context, labelled: LabelledVatCode) -> dict[str, Any]:
    return render(labelled, context.today).as_event()


async def _accounts_of(context: Context, code: VatCode) -> Mapping[UUID, Account]:
    wanted = [found for found in (code.account_id, code.contra_account_id) if found is not None]
    return await accounts.get_many(context, wanted)


def _label_of(account_id: UUID | None, booked_on: Mapping[UUID, Account]) -> AccountLabel | None:
    return None if account_id is None else AccountLabel(booked_on[account_id].number, booked_on[account_id].name)
