"""Rows of VAT codes."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from ledgerbee.chart.vat_codes.model import VAT_CODE_ALREADY_EXISTS, Principle, VatCode, VatType
from ledgerbee.platform.context import Context

_COLUMNS = (
    "id, code, name, rate, type, principle, deductible_percent, account_id, contra_account_id, return_box,"
    " einvoice_category, exemption_reason, exemption_reason_da, is_active, created_at"
)


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, VatCode]:
    """The codes among `ids` that the company has."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM vat_codes WHERE company_id = $1 AND id = ANY($2)", context.company_id, wanted
    )
    return {row["id"]: vat_code(row) for row in rows}


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
