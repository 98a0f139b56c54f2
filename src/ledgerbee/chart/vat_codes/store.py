"""Rows of VAT codes and of their rates."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import AccountLabel
from ledgerbee.chart.vat_codes.model import (
    VAT_CODE_ALREADY_EXISTS,
    VAT_CODE_NOT_FOUND,
    LabelledVatCode,
    Principle,
    VatCode,
    VatCodeId,
    VatCodeRow,
    VatRate,
    VatType,
)
from ledgerbee.core.fields import names_of
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_COLUMNS: Final = names_of(VatCodeRow)


def columns(alias: str, prefix: str = "") -> str:
    """What a SELECT names to read a code from `vat_codes` under an alias; `vat_code` takes such a row."""
    own = [f"{alias}.{name} AS {prefix}{name}" for name in _COLUMNS]
    rates = (
        "ARRAY(SELECT ROW(r.valid_from, r.rate, r.deductible_part, r.deductible_whole) FROM vat_code_rates r"
        f" WHERE r.company_id = {alias}.company_id AND r.vat_code_id = {alias}.id ORDER BY r.valid_from)"
    )
    return ", ".join([*own, f"{rates} AS {prefix}rates"])


_GET_MANY: Final = f"SELECT {columns('v')} FROM vat_codes v WHERE v.company_id = $1 AND v.id = ANY($2)"
_LABELLED: Final = f"""
SELECT {columns("v")}, a.number AS account_number, a.name AS account_name,
       c.number AS contra_account_number, c.name AS contra_account_name
FROM vat_codes v
LEFT JOIN accounts a ON a.company_id = v.company_id AND a.id = v.account_id
LEFT JOIN accounts c ON c.company_id = v.company_id AND c.id = v.contra_account_id
WHERE v.company_id = $1"""
_LIST: Final = f'{_LABELLED} ORDER BY v.code COLLATE "C"'
_GET: Final = f"{_LABELLED} AND v.id = $2"
_LOCK: Final = "SELECT FROM vat_codes WHERE company_id = $1 AND id = $2 FOR UPDATE"
_INSERT: Final = rows.insert("vat_codes", VatCodeRow)
_UPDATE: Final = "UPDATE vat_codes SET name = $3, is_active = $4 WHERE company_id = $1 AND id = $2"
_INSERT_RATE: Final = (
    "INSERT INTO vat_code_rates (company_id, vat_code_id, valid_from, rate, deductible_part, deductible_whole)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
_DELETE_RATES: Final = "DELETE FROM vat_code_rates WHERE company_id = $1 AND vat_code_id = $2"


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, VatCode]:
    """The codes among `ids` that the company has."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    found = await context.connection.fetch(_GET_MANY, context.company_id, wanted)
    return {row["id"]: vat_code(row) for row in found}


async def list_all(context: Context) -> list[LabelledVatCode]:
    """All codes, sorted by code, with the labels of their accounts."""
    return [_labelled(row) for row in await context.connection.fetch(_LIST, context.company_id)]


async def get(context: Context, code_id: VatCodeId) -> LabelledVatCode:
    """One code with the labels of its accounts. Raises `VAT_CODE_NOT_FOUND`."""
    return _labelled(VAT_CODE_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, code_id)))


async def get_for_update(context: Context, code_id: VatCodeId) -> LabelledVatCode:
    """One code as `get` has it, locked until the end of the transaction. Raises `VAT_CODE_NOT_FOUND`.

    It is read after the lock is taken: a statement doesn't see rates that were written while it waited.
    """
    await context.connection.execute(_LOCK, context.company_id, code_id)
    return await get(context, code_id)


async def insert(context: Context, code: VatCode) -> None:
    """Add a code. Raises `VAT_CODE_ALREADY_EXISTS`."""
    with rows.refusing({"vat_codes_code": VAT_CODE_ALREADY_EXISTS.taken("vatCode", code.code)}):
        await insert_many(context, [code])


async def insert_many(context: Context, codes: Sequence[VatCode]) -> None:
    """Add codes that are known to be new. Their accounts may follow later in the same transaction."""
    await context.connection.executemany(
        _INSERT, [(context.company_id, *(getattr(code, name) for name in _COLUMNS)) for code in codes]
    )
    await _insert_rates(context, codes)


async def update(context: Context, code: VatCode) -> None:
    """Write what can change of a code: name, active."""
    await context.connection.execute(_UPDATE, context.company_id, code.id, code.name, code.is_active)


async def replace_rates(context: Context, code: VatCode) -> None:
    """Put a code's rates in place of those that it had."""
    await context.connection.execute(_DELETE_RATES, context.company_id, code.id)
    await _insert_rates(context, [code])


async def _insert_rates(context: Context, codes: Sequence[VatCode]) -> None:
    await context.connection.executemany(
        _INSERT_RATE,
        [
            (context.company_id, code.id, rate.valid_from, rate.rate, *rate.deductible_share.as_integer_ratio())
            for code in codes
            for rate in code.rates
        ],
    )


def vat_code(row: asyncpg.Record, prefix: str = "") -> VatCode:
    """A code from a row of `columns`."""
    values = {name: row[f"{prefix}{name}"] for name in _COLUMNS}
    values["type"] = VatType(values["type"])
    values["principle"] = Principle(values["principle"])
    rates = tuple([VatRate(day, rate, Fraction(part, whole)) for day, rate, part, whole in row[f"{prefix}rates"]])
    return VatCode(**values, rates=rates)


def _labelled(row: asyncpg.Record) -> LabelledVatCode:
    account, contra_account = (
        None if row[f"{name}_number"] is None else AccountLabel(row[f"{name}_number"], row[f"{name}_name"])
        for name in ("account", "contra_account")
    )
    return LabelledVatCode(vat_code(row), account, contra_account)
