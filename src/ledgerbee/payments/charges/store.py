"""Rows of charges, and the cards that they are of."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.payments.charges.model import CHARGE_NOT_FOUND, CardToCharge, Charge, ChargeId, ChargeStatus
from ledgerbee.payments.payment_methods.model import PAYMENT_METHOD_NOT_FOUND
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.model import InvoiceId

_SELECT: Final = f"SELECT {rows.columns(Charge)} FROM charges WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_INVOICE: Final = f"{_SELECT} AND invoice_id = $2 ORDER BY created_at, id"
_UNDER_WAY: Final = f"{_SELECT} AND invoice_id = $2 AND status IN ('pending', 'unclear', 'requires_action')"
_LAST: Final = f"{_SELECT} AND invoice_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
_TO_RETRY: Final = f"{_SELECT} AND retry_on <= $2 ORDER BY retry_on, id LIMIT $3"
_BY_PROVIDER: Final = (
    f"{_SELECT} AND provider = $2 AND (provider_id = $3 OR reference = $4) ORDER BY created_at LIMIT 1"
)
_UNANSWERED: Final = """
SELECT id FROM charges
WHERE company_id = $1 AND status IN ('pending', 'unclear', 'requires_action') AND asked_at IS NOT NULL
    AND (updated_at < $3 OR confirm_by <= $2 AND cancel_code IS NULL)
ORDER BY asked_at
"""
_UNCONFIRMED: Final = """
SELECT id FROM charges
WHERE company_id = $1 AND status IN ('pending', 'unclear', 'requires_action') AND status = 'requires_action'
    AND cancel_code IS NULL"""
_IS_DUE: Final = """
SELECT EXISTS (SELECT FROM charges WHERE company_id = $1 AND retry_on <= $2) OR EXISTS (
    SELECT FROM charges
    WHERE company_id = $1 AND status IN ('pending', 'unclear', 'requires_action') AND asked_at IS NOT NULL
        AND (updated_at < $3 OR confirm_by <= $2 AND cancel_code IS NULL))
"""
_LOCK_OF_INVOICE: Final = "SELECT FROM charges WHERE company_id = $1 AND invoice_id = $2 ORDER BY id FOR UPDATE"
_STOP_RETRIES: Final = """
UPDATE charges SET retry_on = NULL, updated_at = $3 WHERE company_id = $1 AND invoice_id = $2 AND retry_on IS NOT NULL
"""
_IS_GIVEN_BACK: Final = """
SELECT EXISTS (SELECT FROM charge_returns WHERE company_id = $1 AND invoice_id = $2 AND created_at > $3)
"""
_INSERT: Final = rows.insert_many("charges", Charge)
_FIXED: Final = (
    "reference", "invoice_id", "customer_id", "payment_method_id", "provider", "amount", "currency", "attempt",
    "created_at",
)  # fmt: skip
_UPDATE: Final = rows.update("charges", Charge, fixed=_FIXED)
_UPDATE_MANY: Final = rows.update_many("charges", Charge, fixed=_FIXED)
_INVOICES: Final = "SELECT invoice_id FROM charges WHERE company_id = $1 AND id = ANY($2)"
_GET_MANY: Final = f"{_SELECT} AND id = ANY($2) ORDER BY id FOR UPDATE"
_CARD: Final = """
SELECT m.id, m.customer_id, m.provider, m.agreement_id, m.status = 'ACTIVE' AS is_active, p.is_enabled,
    p.clearing_account_id, p.unidentified_account_id
FROM payment_methods m JOIN payment_providers p ON p.company_id = m.company_id AND p.name = m.provider
WHERE m.company_id = $1
"""


async def get(context: Context, charge_id: ChargeId) -> Charge:
    """One charge. Raises `CHARGE_NOT_FOUND`."""
    return _charge(CHARGE_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, charge_id)))


async def get_for_update(context: Context, charge_id: ChargeId) -> Charge:
    """One charge, locked until the transaction ends. Its invoice is locked before. Raises `CHARGE_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, charge_id)
    return _charge(CHARGE_NOT_FOUND.unless(row))


async def list_of_invoice(context: Context, invoice_id: InvoiceId) -> list[Charge]:
    """The charges of an invoice, in the order in which they were made."""
    return [_charge(row) for row in await context.connection.fetch(_OF_INVOICE, context.company_id, invoice_id)]


async def find_under_way(context: Context, invoice_id: InvoiceId) -> Charge | None:
    """The charge of an invoice that has not ended."""
    return _found(await context.connection.fetchrow(_UNDER_WAY, context.company_id, invoice_id))


async def find_last(context: Context, invoice_id: InvoiceId) -> Charge | None:
    """The newest charge of an invoice."""
    return _found(await context.connection.fetchrow(_LAST, context.company_id, invoice_id))


async def find_by_provider(
    context: Context, provider: ProviderName, provider_id: str | None, reference: str | None
) -> Charge | None:
    """The charge that a provider means, by its id of it or by our reference."""
    row = await context.connection.fetchrow(_BY_PROVIDER, context.company_id, provider, provider_id, reference)
    return _found(row)


async def list_to_retry(context: Context, today: date, limit: int) -> list[Charge]:
    """Charges that failed and whose next one is due."""
    return [_charge(row) for row in await context.connection.fetch(_TO_RETRY, context.company_id, today, limit)]


async def is_anything_due(context: Context, today: date, asked_before: datetime) -> bool:
    """Whether the next charge of one that failed is due, or one was last asked for before a moment and hasn't ended, or
    was not confirmed in time."""
    return bool(await context.connection.fetchval(_IS_DUE, context.company_id, today, asked_before))


async def list_unanswered(context: Context, today: date, asked_before: datetime) -> list[ChargeId]:
    """Charges that were last asked for before a moment and haven't ended, and those that were not confirmed in time."""
    found = await context.connection.fetch(_UNANSWERED, context.company_id, today, asked_before)
    return [ChargeId(row["id"]) for row in found]


async def list_unconfirmed(context: Context, invoice_ids: Sequence[UUID]) -> list[ChargeId]:
    """Charges of invoices that wait for their owner's confirmation, and that nobody cancels."""
    return await _ids(context, f"{_UNCONFIRMED} AND invoice_id = ANY($2)", invoice_ids)


async def list_unconfirmed_of_cards(context: Context, payment_method_ids: Sequence[UUID]) -> list[ChargeId]:
    """The same, of cards."""
    return await _ids(context, f"{_UNCONFIRMED} AND payment_method_id = ANY($2)", payment_method_ids)


async def _ids(context: Context, statement: str, wanted: Sequence[UUID]) -> list[ChargeId]:
    found = await context.connection.fetch(statement, context.company_id, wanted)
    return [ChargeId(row["id"]) for row in found]


async def stop_retries(context: Context, invoice_id: InvoiceId, now: datetime) -> None:
    """Let no charge of an invoice come by itself. The invoice is locked; what is under way sees it by its end."""
    await context.connection.fetch(_LOCK_OF_INVOICE, context.company_id, invoice_id)
    await context.connection.execute(_STOP_RETRIES, context.company_id, invoice_id, now)


async def is_given_back_since(context: Context, charge: Charge) -> bool:
    """Whether a charge of the same invoice was given back after this one, which is locked, was begun."""
    return bool(
        await context.connection.fetchval(_IS_GIVEN_BACK, context.company_id, charge.invoice_id, charge.created_at)
    )


async def insert(context: Context, charges: Sequence[Charge]) -> None:
    """Write new charges."""
    if charges:
        await context.connection.execute(_INSERT, context.company_id, *rows.column_values(charges))


async def update(context: Context, charge: Charge) -> None:
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(charge))


async def update_many(context: Context, charges: Sequence[Charge]) -> None:
    """As `update`, of charges in one statement."""
    if charges:
        await context.connection.execute(_UPDATE_MANY, context.company_id, *rows.column_values(charges))


async def list_invoices(context: Context, charge_ids: Collection[ChargeId]) -> list[InvoiceId]:
    """The invoices of charges."""
    found = await context.connection.fetch(_INVOICES, context.company_id, charge_ids)
    return [InvoiceId(row["invoice_id"]) for row in found]


async def get_many_for_update(context: Context, charge_ids: Collection[ChargeId]) -> list[Charge]:
    """Charges, locked until the transaction ends; their invoices are locked before."""
    found = await context.connection.fetch(_GET_MANY, context.company_id, charge_ids)
    return [_charge(row) for row in found]


async def find_card(context: Context, payment_method_id: UUID) -> CardToCharge | None:
    """A saved card by its id."""
    row = await context.connection.fetchrow(f"{_CARD} AND m.id = $2", context.company_id, payment_method_id)
    return _card(row)


async def get_card(context: Context, payment_method_id: UUID) -> CardToCharge:
    """A saved card by its id. Raises `PAYMENT_METHOD_NOT_FOUND`."""
    card = await find_card(context, payment_method_id)
    if card is None:
        raise PAYMENT_METHOD_NOT_FOUND.missing("paymentMethodId", "paymentMethodId", payment_method_id)
    return card


async def get_cards(context: Context, payment_method_ids: Collection[UUID]) -> dict[UUID, CardToCharge]:
    """Saved cards, by id; one that isn't there is left out."""
    found = await context.connection.fetch(f"{_CARD} AND m.id = ANY($2)", context.company_id, list(payment_method_ids))
    return {row["id"]: _to_card(row) for row in found}


async def find_default_card(context: Context, customer_id: UUID) -> CardToCharge | None:
    """The card that a customer is charged with unless another is named."""
    row = await context.connection.fetchrow(
        f"{_CARD} AND m.customer_id = $2 AND m.is_default", context.company_id, customer_id
    )
    return _card(row)


def _found(row: asyncpg.Record | None) -> Charge | None:
    return None if row is None else _charge(row)


def _charge(row: asyncpg.Record) -> Charge:
    return Charge(**{**row, "status": ChargeStatus(row["status"]), "provider": ProviderName(row["provider"])})


def _card(row: asyncpg.Record | None) -> CardToCharge | None:
    return None if row is None else _to_card(row)


def _to_card(row: asyncpg.Record) -> CardToCharge:
    return CardToCharge(**{**row, "provider": ProviderName(row["provider"])})
