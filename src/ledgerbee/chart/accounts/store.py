"""Rows of the chart of accounts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_NUMBER_ALREADY_EXISTS,
    Account,
    Classification,
    ControlAccountType,
    LedgerType,
)
from ledgerbee.platform.context import Context

_COLUMNS = (
    "id, number, name, standard_number, ledger_type, classification, control_account_type, vat_code_id, role,"
    " sum_from, is_active, created_at"
)
# Looked up in plain dicts: a chart has hundreds of rows, and enums take their time to find a member by value.
_LEDGER_TYPES: Final[Mapping[str, LedgerType]] = {one.value: one for one in LedgerType}
_CLASSIFICATIONS: Final[Mapping[str, Classification]] = {one.value: one for one in Classification}
_CONTROL_ACCOUNT_TYPES: Final[Mapping[str, ControlAccountType]] = {one.value: one for one in ControlAccountType}


async def list_all(context: Context) -> list[Account]:
    """The whole chart by standard number, then number."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM accounts WHERE company_id = $1 ORDER BY standard_number, number", context.company_id
    )
    return [_account(row) for row in rows]


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The accounts among `ids` that the company has."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM accounts WHERE company_id = $1 AND id = ANY($2)", context.company_id, list(set(ids))
    )
    return {row["id"]: _account(row) for row in rows}


async def by_role(context: Context) -> dict[str, Account]:
    """The accounts that the system itself books on, by role (BANK, FX_GAIN, ...)."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM accounts WHERE company_id = $1 AND role IS NOT NULL", context.company_id
    )
    return {row["role"]: _account(row) for row in rows}


async def get_for_update(context: Context, account_id: UUID) -> Account:
    """One account, locked until the end of the transaction. Raises `ACCOUNT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM accounts WHERE company_id = $1 AND id = $2 FOR UPDATE", context.company_id, account_id
    )
    if row is None:
        raise ACCOUNT_NOT_FOUND.error()
    return _account(row)


async def update(context: Context, account: Account) -> None:
    """Write what can change of an account: name, VAT code, active."""
    await context.connection.execute(
        "UPDATE accounts SET name = $3, vat_code_id = $4, is_active = $5 WHERE company_id = $1 AND id = $2",
        context.company_id,
        account.id,
        account.name,
        account.vat_code_id,
        account.is_active,
    )


async def insert(context: Context, accounts: Sequence[Account]) -> None:
    """Add accounts. Raises `ACCOUNT_NUMBER_ALREADY_EXISTS`."""
    try:
        await context.connection.executemany(
            f"INSERT INTO accounts (company_id, {_COLUMNS})"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            [
                (
                    context.company_id,
                    account.id,
                    account.number,
                    account.name,
                    account.standard_number,
                    account.ledger_type,
                    account.classification,
                    account.control_account_type,
                    account.vat_code_id,
                    account.role,
                    account.sum_from,
                    account.is_active,
                    account.created_at,
                )
                for account in accounts
            ],
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "accounts_number":
            raise ACCOUNT_NUMBER_ALREADY_EXISTS.taken("accountNumber", accounts[-1].number) from None
        raise


def _account(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        number=row["number"],
        name=row["name"],
        standard_number=row["standard_number"],
        ledger_type=_LEDGER_TYPES[row["ledger_type"]],
        classification=_CLASSIFICATIONS.get(row["classification"]),
        control_account_type=_CONTROL_ACCOUNT_TYPES.get(row["control_account_type"]),
        vat_code_id=row["vat_code_id"],
        role=row["role"],
        sum_from=row["sum_from"],
        is_active=row["is_active"],
        created_at=row["created_at"],
    )
