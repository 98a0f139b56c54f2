"""Rows of VAT codes."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_ALREADY_EXISTS,
    VAT_CODE_NOT_FOUND,
    Principle,
    VatCode,
    VatType,
)
from ledgerbee.platform.context import Context

_COLUMNS = (
    "id, code, name, rate, type, principle, deductible_percent, account_id, contra_account_id, return_box,"
    " einvoice_category, exemption_reason, exemption_reason_da, is_active, created_at"
)

_OF_CODE = ", ".join(f"v.{column.strip()}" for column in _COLUMNS.split(","))
_WITH_ACCOUNTS = f"""
SELECT {_OF_CODE}, a.number AS account_number, a.name AS account_name,
       c.number AS contra_account_number, c.name AS contra_account_name
FROM vat_codes v
LEFT JOIN accounts a ON a.company_id = v.company_id AND a.id = v.account_id
LEFT JOIN accounts c ON c.company_id = v.company_id AND c.id = v.contra_account_id
WHERE v.company_id = $1"""


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, VatCode]:
    """The codes among `ids` that the company has."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM vat_codes WHERE company_id = $1 AND id = ANY($2)", context.company_id, wanted
    )
    return {row["id"]: vat_code(row) for row in rows}


async def list_all(context: Context) -> list[asyncpg.Record]:
    """All codes, sorted by code, with the numbers and names of their accounts."""
    return list(await context.connection.fetch(f'{_WITH_ACCOUNTS} ORDER BY v.code COLLATE "C"', context.company_id))


async def read(context: Context, code_id: UUID) -> asyncpg.Record:
    """One code with the numbers and names of its accounts. Raises `VAT_CODE_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_WITH_ACCOUNTS} AND v.id = $2", context.company_id, code_id)
    if row is None:
        raise VAT_CODE_NOT_FOUND.error()
    return row


async def active_id(context: Context, code: str) -> UUID | None:
    """The id of the active code of this name; None where the company has none."""
    found: UUID | None = await context.connection.fetchval(
        "SELECT id FROM vat_codes WHERE company_id = $1 AND code = $2 AND is_active", context.company_id, code
    )
    return found


async def book_on(context: Context, account_id: UUID) -> bool:
    """True if an active code books its VAT on the account."""
    found: bool = await context.connection.fetchval(
        "SELECT EXISTS (SELECT FROM vat_codes WHERE company_id = $1 AND is_active"
        " AND $2 IN (account_id, contra_account_id))",
        context.company_id,
        account_id,
    )
    return found


async def are_default(context: Context, code_id: UUID) -> bool:
    """True if the postings of an active account carry the code unless they name another."""
    found: bool = await context.connection.fetchval(
        "SELECT EXISTS (SELECT FROM accounts WHERE company_id = $1 AND is_active AND vat_code_id = $2)",
        context.company_id,
        code_id,
    )
    return found


async def get_for_update(context: Context, code_id: UUID) -> VatCode:
    """One code, locked until the end of the transaction. Raises `VAT_CODE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM vat_codes WHERE company_id = $1 AND id = $2 FOR UPDATE", context.company_id, code_id
    )
    if row is None:
        raise VAT_CODE_NOT_FOUND.error()
    return vat_code(row)


async def update(context: Context, code: VatCode) -> None:
    """Write what can change of a code: name, active."""
    await context.connection.execute(
        "UPDATE vat_codes SET name = $3, is_active = $4 WHERE company_id = $1 AND id = $2",
        context.company_id,
        code.id,
        code.name,
        code.is_active,
    )


async def insert(context: Context, codes: Sequence[VatCode]) -> None:
    """Add codes. Their accounts may follow later in the same transaction. Raises `VAT_CODE_ALREADY_EXISTS`."""
    try:
        await context.connection.executemany(
            f"INSERT INTO vat_codes (company_id, {_COLUMNS})"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            [
                (
                    context.company_id,
                    code.id,
                    code.code,
                    code.name,
                    code.rate,
                    code.type,
                    code.principle,
                    code.deductible_percent,
                    code.account_id,
                    code.contra_account_id,
                    code.return_box,
                    code.einvoice_category,
                    code.exemption_reason,
                    code.exemption_reason_da,
                    code.is_active,
                    code.created_at,
                )
                for code in codes
            ],
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "vat_codes_code":
            raise VAT_CODE_ALREADY_EXISTS.error() from None
        raise


def vat_code(row: asyncpg.Record) -> VatCode:
    """A code from a row of its columns."""
    fields = dict(row)
    fields["type"] = VatType(fields["type"])
    fields["principle"] = Principle(fields["principle"])
    return VatCode(**fields)
