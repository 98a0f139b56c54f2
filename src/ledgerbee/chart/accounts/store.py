"""Rows of the chart of accounts, and what accounts need to know of the VAT codes that they carry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_NUMBER_ALREADY_EXISTS,
    ACCOUNT_ROLE_ALREADY_EXISTS,
    Account,
    AccountId,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(Account)} FROM accounts WHERE company_id = $1"
_LIST: Final = f"{_SELECT} ORDER BY standard_number, number"
_GET_MANY: Final = f"{_SELECT} AND id = ANY($2)"
_WITH_ROLE: Final = f"{_SELECT} AND role IS NOT NULL"
_LOCK: Final = f"{_SELECT} AND id = $2 FOR UPDATE"
_INSERT: Final = rows.insert("accounts", Account)
#: What can change: postings rely on the rest.
_UPDATE: Final = "UPDATE accounts SET name = $3, vat_code_id = $4, is_active = $5 WHERE company_id = $1 AND id = $2"
_CARRIES: Final = "SELECT EXISTS (SELECT FROM accounts WHERE company_id = $1 AND is_active AND vat_code_id = $2)"
_CODE_IS_ACTIVE: Final = "SELECT is_active FROM vat_codes WHERE company_id = $1 AND id = $2"
_ACTIVE_CODE: Final = "SELECT id FROM vat_codes WHERE company_id = $1 AND code = $2 AND is_active"
_TAKES_VAT: Final = (
    "SELECT EXISTS (SELECT FROM vat_codes WHERE company_id = $1 AND is_active"
    " AND $2 IN (account_id, contra_account_id))"
)
_VAT_ACCOUNTS: Final = (
    "SELECT named.id FROM unnest($2::uuid[]) named (id) WHERE EXISTS (SELECT FROM vat_codes v WHERE v.company_id = $1"
    " AND named.id IN (v.account_id, v.contra_account_id))"
)
# Looked up in plain dicts: a chart has hundreds of rows, and enums take their time to find a member by value.
_LEDGER_TYPES: Final[Mapping[str, LedgerType]] = {one.value: one for one in LedgerType}
_CLASSIFICATIONS: Final[Mapping[str, Classification]] = {one.value: one for one in Classification}
_CONTROL_ACCOUNT_TYPES: Final[Mapping[str, ControlAccountType]] = {one.value: one for one in ControlAccountType}


async def list_all(context: Context) -> list[Account]:
    """The whole chart by standard number, then number."""
    return [_account(row) for row in await context.connection.fetch(_LIST, context.company_id)]


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The accounts among `ids` that the company has."""
    found = await context.connection.fetch(_GET_MANY, context.company_id, list(set(ids)))
    return {row["id"]: _account(row) for row in found}


async def get_by_role(context: Context) -> dict[str, Account]:
    """The accounts that the system itself books on, by role (BANK, FX_GAIN, ...)."""
    return {row["role"]: _account(row) for row in await context.connection.fetch(_WITH_ROLE, context.company_id)}


async def get_for_update(context: Context, account_id: AccountId) -> Account:
    """One account, locked until the end of the transaction. Raises `ACCOUNT_NOT_FOUND`."""
    return _account(ACCOUNT_NOT_FOUND.unless(await context.connection.fetchrow(_LOCK, context.company_id, account_id)))


async def insert(context: Context, account: Account) -> None:
    """Add an account. Raises `ACCOUNT_NUMBER_ALREADY_EXISTS`, `ACCOUNT_ROLE_ALREADY_EXISTS`."""
    taken = {
        "accounts_number": ACCOUNT_NUMBER_ALREADY_EXISTS.taken("accountNumber", account.number),
        "accounts_role": ACCOUNT_ROLE_ALREADY_EXISTS.taken("role", account.role or ""),
    }
    with rows.refusing(taken):
        await insert_many(context, [account])


async def insert_many(context: Context, accounts: Sequence[Account]) -> None:
    """Add accounts whose numbers are known to be free."""
    await context.connection.executemany(_INSERT, [(context.company_id, *rows.values(account)) for account in accounts])


async def update(context: Context, account: Account) -> None:
    """Write what can change of an account: name, VAT code, active."""
    await context.connection.execute(
        _UPDATE, context.company_id, account.id, account.name, account.vat_code_id, account.is_active
    )


async def has_vat_code(context: Context, vat_code_id: UUID) -> bool:
    """True if an active account carries the VAT code: its postings have it unless they name another."""
    return bool(await context.connection.fetchval(_CARRIES, context.company_id, vat_code_id))


async def is_vat_code_active(context: Context, vat_code_id: UUID) -> bool | None:
    """Whether a VAT code can be used; None where the company has no such code."""
    found: bool | None = await context.connection.fetchval(_CODE_IS_ACTIVE, context.company_id, vat_code_id)
    return found


async def active_vat_code_id(context: Context, code: str) -> UUID | None:
    """The id of the active VAT code of this name; None where the company has none."""
    found: UUID | None = await context.connection.fetchval(_ACTIVE_CODE, context.company_id, code)
    return found


async def vat_accounts(context: Context, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the accounts that a VAT code books its VAT on, in use or not."""
    found = await context.connection.fetch(_VAT_ACCOUNTS, context.company_id, list(ids))
    return {row["id"] for row in found}


async def takes_vat(context: Context, account_id: AccountId) -> bool:
    """True if an active VAT code books its VAT on the account."""
    return bool(await context.connection.fetchval(_TAKES_VAT, context.company_id, account_id))


def _account(row: asyncpg.Record) -> Account:
    values = dict(row)
    values["ledger_type"] = _LEDGER_TYPES[values["ledger_type"]]
    values["classification"] = _CLASSIFICATIONS.get(values["classification"])
    values["control_account_type"] = _CONTROL_ACCOUNT_TYPES.get(values["control_account_type"])
    return Account(**values)
