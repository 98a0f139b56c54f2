"""Rows of saved cards and of card links."""

from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.parties.customers.payers import PAYER
from ledgerbee.payments.payment_methods.model import (
    PAYMENT_METHOD_NOT_FOUND,
    CardLink,
    CardLinkId,
    CardLinkStatus,
    PaymentMethod,
    PaymentMethodId,
    PaymentMethodStatus,
)
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(PaymentMethod)} FROM payment_methods WHERE company_id = $1"
_GET: Final = f"{_SELECT} AND customer_id = $2 AND id = $3"
_OF_CUSTOMER: Final = f"{_SELECT} AND customer_id = $2 AND ($3::text IS NULL OR provider = $3) ORDER BY created_at, id"
_DEFAULT: Final = f"{_SELECT} AND customer_id = $2 AND is_default"
_BY_AGREEMENT: Final = f"{_SELECT} AND provider = $2 AND agreement_id = $3"
_USABLE: Final = f"""
SELECT m.customer_id = {PAYER} AS is_payers
FROM payment_methods m JOIN customers c ON c.company_id = m.company_id AND c.id = $2
WHERE m.company_id = $1 AND m.id = $3 AND m.status = 'ACTIVE' AND m.customer_id IN (c.id, {PAYER})
FOR SHARE OF m
"""
#: Those that may have something new on a day: active, and valid no longer than to the end of that month.
_AGING: Final = f"""
{_SELECT} AND status = 'ACTIVE' AND (expiry_year, expiry_month) <= ($2, $3)
  AND (customer_id IS NOT NULL AND told_expiry IS DISTINCT FROM
       (make_date(expiry_year, expiry_month, 1) + interval '1 month - 1 day')::date
       AND make_date(expiry_year, expiry_month, 1) + interval '1 month - 1 day' <= $4::date + interval '30 days'
       OR make_date(expiry_year, expiry_month, 1) + interval '1 month' <= $4::date)
ORDER BY id LIMIT $5
"""
_INSERT: Final = rows.insert("payment_methods", PaymentMethod)
_UPDATE: Final = rows.update("payment_methods", PaymentMethod, fixed=("provider", "agreement_id", "created_at"))
_LINK: Final = f"SELECT {rows.columns(CardLink)} FROM card_links WHERE company_id = $1 AND id = $2"
_LINK_BY_PAGE: Final = (
    f"SELECT {rows.columns(CardLink)} FROM card_links WHERE company_id = $1 AND provider = $2"
    " AND (provider_id = $3 OR reference = $4)"
)
_INSERT_LINK: Final = rows.insert("card_links", CardLink)
_UPDATE_LINK: Final = rows.update(
    "card_links", CardLink, fixed=("customer_id", "provider", "reference", "expires_at", "created_at")
)


async def list_of_customer(
    context: Context, customer_id: UUID, provider: ProviderName | None = None
) -> list[PaymentMethod]:
    """The cards of a customer, or those at one provider, oldest first; those that ended too."""
    found = await context.connection.fetch(_OF_CUSTOMER, context.company_id, customer_id, provider)
    return [_method(row) for row in found]


async def find_default(context: Context, customer_id: UUID) -> PaymentMethod | None:
    """The card that a customer pays with where none is named; None where there is none."""
    row = await context.connection.fetchrow(_DEFAULT, context.company_id, customer_id)
    return _method(row) if row else None


async def get_of_customer(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """One card of a customer. Raises `PAYMENT_METHOD_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, customer_id, method_id)
    return _method(PAYMENT_METHOD_NOT_FOUND.unless(row))


async def get_for_update(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> PaymentMethod:
    """One card of a customer, locked until the transaction ends. Raises `PAYMENT_METHOD_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_GET} FOR UPDATE", context.company_id, customer_id, method_id)
    return _method(PAYMENT_METHOD_NOT_FOUND.unless(row))


async def get_any_for_update(context: Context, method_id: PaymentMethodId) -> PaymentMethod:
    """One card, whoever's it is, locked until the transaction ends. Raises `PAYMENT_METHOD_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_SELECT} AND id = $2 FOR UPDATE", context.company_id, method_id)
    return _method(PAYMENT_METHOD_NOT_FOUND.unless(row))


async def find_by_agreement(context: Context, provider: ProviderName, agreement_id: str) -> PaymentMethod | None:
    """The card that a provider knows by an id; None where there is none."""
    row = await context.connection.fetchrow(_BY_AGREEMENT, context.company_id, provider, agreement_id)
    return _method(row) if row else None


async def hold_usable(context: Context, customer_id: UUID, method_id: UUID) -> bool | None:
    """Whether a card, an active one of a customer or of who pays for it, is of who pays; None where it is neither's.

    It stays active until the transaction ends.
    """
    found: bool | None = await context.connection.fetchval(_USABLE, context.company_id, customer_id, method_id)
    return found


async def list_aging(context: Context, day: date, until: date, at_most: int) -> list[PaymentMethod]:
    """Cards that end by `until` or before `day`, and of which that was not told or noted, locked."""
    found = await context.connection.fetch(
        f"{_AGING} FOR UPDATE", context.company_id, until.year, until.month, day, at_most
    )
    return [_method(row) for row in found]


async def is_any_aging(context: Context, day: date, until: date) -> bool:
    """Whether there is such a card."""
    return bool(await context.connection.fetch(_AGING, context.company_id, until.year, until.month, day, 1))


async def insert(context: Context, method: PaymentMethod) -> None:
    """Add a card."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(method))


async def update(context: Context, method: PaymentMethod) -> None:
    """Write the fields of a card that is locked."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(method))


async def insert_link(context: Context, link: CardLink) -> None:
    """Add a link."""
    await context.connection.execute(_INSERT_LINK, context.company_id, *rows.values(link))


async def update_link(context: Context, link: CardLink) -> None:
    """Write the fields of a link that is locked."""
    await context.connection.execute(_UPDATE_LINK, context.company_id, *rows.values(link))


async def find_link(context: Context, link_id: CardLinkId) -> CardLink | None:
    """A link; None where the company has none such."""
    row = await context.connection.fetchrow(_LINK, context.company_id, link_id)
    return _link(row) if row else None


async def get_link_for_update(context: Context, link_id: CardLinkId) -> CardLink:
    """A link that is there, locked until the transaction ends."""
    row = await context.connection.fetchrow(f"{_LINK} FOR UPDATE", context.company_id, link_id)
    assert row is not None, "links are never deleted"
    return _link(row)


async def find_link_by_page(
    context: Context, provider: ProviderName, provider_id: str | None, reference: str | None
) -> CardLink | None:
    """The link that a provider tells of: by its own id of the page, or by our reference."""
    row = await context.connection.fetchrow(_LINK_BY_PAGE, context.company_id, provider, provider_id, reference)
    return _link(row) if row else None


def _method(row: asyncpg.Record) -> PaymentMethod:
    return PaymentMethod(
        **{**row, "provider": ProviderName(row["provider"]), "status": PaymentMethodStatus(row["status"])}
    )


def _link(row: asyncpg.Record) -> CardLink:
    return CardLink(**{**row, "provider": ProviderName(row["provider"]), "status": CardLinkStatus(row["status"])})
