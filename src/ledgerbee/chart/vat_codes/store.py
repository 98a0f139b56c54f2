"""Rows of VAT codes."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_ALREADY_EXISTS,
    VAT_CODE_NOT_FOUND,
    Principle,
    VatCode,
    VatRate,
    VatType,
)
from ledgerbee.platform.context import Context

_FIELDS: Final = tuple(field.name for field in fields(VatCode))
#: The columns of its own table; its rates have one.
_OWN: Final = tuple(name for name in _FIELDS if name != "rates")


def columns(alias: str, prefix: str = "") -> str:
    """What a SELECT names to read a code from `vat_codes` under an alias; `vat_code` takes such a row."""
    own = [f"{alias}.{name} AS {prefix}{name}" for name in _OWN]
    rates = (
        "ARRAY(SELECT ROW(r.valid_from, r.rate, r.deductible_part, r.deductible_whole) FROM vat_code_rates r"
        f" WHERE r.company_id = {alias}.company_id AND r.vat_code_id = {alias}.id ORDER BY r.valid_from)"
    )
    return ", ".join([*own, f"{rates} AS {prefix}rates"])


_SELECT: Final = f"SELECT {columns('v')} FROM vat_codes v WHERE v.company_id = $1"
_WITH_ACCOUNTS: Final = f"""
SELECT {columns("v")}, a.number AS account_number, a.name AS account_name,
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
    rows = await context.connection.fetch(f"{_SELECT} AND v.id = ANY($2)", context.company_id, wanted)
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
    row = await context.connection.fetchrow(f"{_SELECT} AND v.id = $2 FOR UPDATE OF v", context.company_id, code_id)
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
            f"INSERT INTO vat_codes (company_id, {', '.join(_OWN)})"
            f" VALUES ($1, {', '.join(f'${place}' for place in range(2, len(_OWN) + 2))})",
            [(context.company_id, *(getattr(code, name) for name in _OWN)) for code in codes],
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "vat_codes_code":
            raise VAT_CODE_ALREADY_EXISTS.taken("vatCode", codes[-1].code) from None  # callers add one at a time
        raise
    await _insert_rates(context, codes)


async def replace_rates(context: Context, code: VatCode) -> None:
    """Put a code's rates in place of those that it had."""
    await context.connection.execute(
        "DELETE FROM vat_code_rates WHERE company_id = $1 AND vat_code_id = $2", context.company_id, code.id
    )
    await _insert_rates(context, [code])


async def _insert_rates(context: Context, codes: Sequence[VatCode]) -> None:
    await context.connection.executemany(
        "INSERT INTO vat_code_rates (company_id, vat_code_id, valid_from, rate, deductible_part, deductible_whole)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (
                context.company_id,
                code.id,
                rate.valid_from,
                rate.rate,
                rate.deductible_share.numerator,
                rate.deductible_share.denominator,
            )
            for code in codes
            for rate in code.rates
        ],
    )


def vat_code(row: asyncpg.Record, prefix: str = "") -> VatCode:
    """A code from a row of `columns`."""
    values = {name: row[f"{prefix}{name}"] for name in _FIELDS}
    values["type"] = VatType(values["type"])
    values["principle"] = Principle(values["principle"])
    values["rates"] = tuple([VatRate(day, rate, Fraction(part, whole)) for day, rate, part, whole in values["rates"]])
    return VatCode(**values)
