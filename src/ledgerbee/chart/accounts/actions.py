"""Adding accounts to the chart and changing them."""

from uuid import UUID

from ledgerbee.chart.accounts import rules, store
from ledgerbee.chart.accounts.model import (
    ACCOUNT_IN_USE,
    VAT_CODE_NOT_FOUND,
    Account,
    AccountFields,
    AccountId,
    AccountRole,
    NewAccount,
)
from ledgerbee.chart.accounts.wire import render
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import invalid
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies


async def create(context: Context, given: NewAccount, role: AccountRole | None = None) -> Account:
    """Add an account, completed by the public standard chart (`rules.completed`). Emits `account.created`.

    With a `role` the system books on it from now on. Raises `VAT_CODE_NOT_FOUND`, `ACCOUNT_NUMBER_ALREADY_EXISTS`,
    `ACCOUNT_ROLE_ALREADY_EXISTS` and validation errors.
    """
    standard_number = rules.standard_number_of(given)
    company = await companies.get(context)
    standard = standard_accounts(company.country_code).get(standard_number)
    usual_code = None
    if standard is not None and standard.vat_code and given.ledger_type is None:
        usual_code = await store.active_vat_code_id(context, standard.vat_code)
    fields = rules.completed(given, standard, company.preferred_language, usual_code)
    account = Account(id=AccountId(new_id()), role=role, created_at=context.now, **fields_of(fields))
    rules.check_account(account)
    if standard is not None:
        rules.check_kind(account, standard)
    await _check_vat_code(context, account.vat_code_id)
    await store.insert(context, account)
    context.emit("account.created", account.id, render(account).as_event())
    return account


async def update(context: Context, account_id: AccountId, changes: Changes[AccountFields]) -> Account:
    """Change the named fields (name, VAT code, active). What the account is stays: postings rely on it.

    Emits `account.updated` if anything became different.
    Raises `ACCOUNT_NOT_FOUND`, `VAT_CODE_NOT_FOUND`, validation errors, and `ACCOUNT_IN_USE` for an account that
    the system books on by itself and is to be deactivated.
    """
    before = await store.get_for_update(context, account_id)
    account = changes.applied_to(before)
    if account == before:
        return before
    rules.check_account(account)
    if account.vat_code_id != before.vat_code_id:
        await _check_vat_code(context, account.vat_code_id)
    if before.is_active and not account.is_active:
        used_by = await _uses(context, account)
        if used_by:
            raise ACCOUNT_IN_USE.used(used_by)
    await store.update(context, account)
    context.emit("account.updated", account.id, render(account).as_event(), before=render(before).as_event())
    return account


async def _uses(context: Context, account: Account) -> list[str]:
    """What needs the account to be there for entries that the system makes."""
    used_by = [] if account.role is None else [account.role]
    if account.control_account_type is not None:
        used_by.append(account.control_account_type)
    if await store.takes_vat(context, account.id):
        used_by.append("vatCodes")
    return used_by


async def _check_vat_code(context: Context, vat_code_id: UUID | None) -> None:
    if vat_code_id is None:
        return
    is_active = await store.is_vat_code_active(context, vat_code_id)
    if is_active is None:
        raise VAT_CODE_NOT_FOUND.missing("vatCodeId", "vatCodeId", vat_code_id)
    if not is_active:
        raise invalid(("vatCodeId", "isActive", "vatCodeId must be an active VAT code"))
