"""Adding accounts to the chart and changing them."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from ledgerbee.chart.accounts import store
from ledgerbee.chart.accounts.model import (
    ACCOUNT_IN_USE,
    Account,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.chart.accounts.rules import check_account, check_kind
from ledgerbee.chart.seed.loader import standard_accounts
from ledgerbee.chart.seed.model import AccountSeed
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies

#: What every account has, and what it is called in requests.
_NEEDED: Final = {"name": "name", "ledger_type": "ledgerType"}


async def create(  # noqa: PLR0913  each argument is one property of an account
    context: Context,
    *,
    number: int | None = None,
    standard_number: int | None = None,
    name: str | None = None,
    ledger_type: LedgerType | None = None,
    classification: Classification | None = None,
    control_account_type: ControlAccountType | None = None,
    vat_code_id: UUID | None = None,
    sum_from: int | None = None,
) -> Account:
    """Add an account. Raises `VAT_CODE_NOT_FOUND`, `ACCOUNT_NUMBER_ALREADY_EXISTS` and validation errors.

    Emits `account.created`.

    `number` and `standard_number` stand in for each other. The account of the public standard chart with that
    `standard_number` gives the name if it is left out; if `ledger_type` is, it gives that and what else is left out.
    """
    number = standard_number if number is None else number
    if number is None:
        raise _missing("accountNumber")
    standard_number = number if standard_number is None else standard_number
    given: dict[str, Any] = {
        "name": name,
        "ledger_type": ledger_type,
        "classification": classification,
        "control_account_type": control_account_type,
        "vat_code_id": vat_code_id,
        "sum_from": sum_from,
    }
    company = await companies.get(context)
    standard = standard_accounts(company.country_code).get(standard_number)
    if name is None or ledger_type is None:
        given = await _completed(context, given, standard, company.preferred_language)
    account = Account(
        id=new_id(),
        number=number,
        standard_number=standard_number,
        role=None,
        is_active=True,
        created_at=context.now,
        **given,
    )
    check_account(account)
    if standard is not None:
        check_kind(account, standard)
    await _check_vat_code(context, account.vat_code_id)
    await store.insert(context, [account])
    context.emit("account.created", account.id, told(Account, account))
    return account


async def _completed(
    context: Context, given: dict[str, Any], standard: AccountSeed | None, language: str
) -> dict[str, Any]:
    """What was given of an account, the rest as its account of the public standard chart has it."""
    if standard is None:
        raise _missing(*[wire for name, wire in _NEEDED.items() if given[name] is None])
    usual: dict[str, Any] = {"name": standard.name_in(language)}
    if given["ledger_type"] is None:
        control = standard.control_account_type
        usual |= {
            "ledger_type": LedgerType(standard.ledger_type),
            "classification": Classification(standard.classification) if standard.classification else None,
            "control_account_type": ControlAccountType(control) if control else None,
            "vat_code_id": await vat_codes.active_id(context, standard.vat_code) if standard.vat_code else None,
            "sum_from": standard.sum_from,
        }
    return {name: usual.get(name) if value is None else value for name, value in given.items()}


def _missing(*names: str) -> LedgerBeeError:
    return invalid(*[(name, "isDefined", f"{name} should not be null or undefined") for name in names])


async def update(context: Context, account_id: UUID, changes: dict[str, Any]) -> Account:
    """Change the named fields (name, VAT code, active). What the account is stays: postings rely on it.

    Emits `account.updated` if anything became different.
    Raises `ACCOUNT_NOT_FOUND`, `VAT_CODE_NOT_FOUND`, validation errors, and `ACCOUNT_IN_USE` for an account that
    the system books on by itself and is to be deactivated.
    """
    before = await store.get_for_update(context, account_id)
    account = replace(before, **changes)
    if account == before:
        return before
    check_account(account)
    if account.vat_code_id != before.vat_code_id:
        await _check_vat_code(context, account.vat_code_id)
    if before.is_active and not account.is_active:
        used_by = await _uses(context, account)
        if used_by:
            raise ACCOUNT_IN_USE.used(used_by)
    await store.update(context, account)
    context.emit("account.updated", account.id, told(Account, account), before=told(Account, before))
    return account


async def _uses(context: Context, account: Account) -> list[str]:
    """What needs the account to be there for entries that the system makes."""
    used_by = [] if account.role is None else [account.role]
    if account.control_account_type is not None:
        used_by.append(account.control_account_type)
    if await vat_codes.book_on(context, account.id):
        used_by.append("vatCodes")
    return used_by


async def _check_vat_code(context: Context, vat_code_id: UUID | None) -> None:
    if vat_code_id is None:
        return
    code = (await vat_codes.get_many(context, [vat_code_id])).get(vat_code_id)
    if code is None:
        raise VAT_CODE_NOT_FOUND.missing("vatCodeId", "vatCodeId", vat_code_id)
    if not code.is_active:
        raise invalid(("vatCodeId", "isActive", "vatCodeId must be an active VAT code"))
