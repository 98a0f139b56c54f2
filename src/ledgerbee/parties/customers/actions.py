"""Creating and changing customers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.http.metadata import is_same
from ledgerbee.parties.contacts import actions as contacts
from ledgerbee.parties.contacts.model import NewContact
from ledgerbee.parties.customers import rules, store
from ledgerbee.parties.customers.model import (
    CUSTOMER_PARENT_INVALID,
    Customer,
    CustomerType,
    GroupedCustomer,
    VatZone,
)
from ledgerbee.parties.customers.wire import snapshot
from ledgerbee.parties.groups import store as groups
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies


async def create(  # noqa: PLR0913  the fields that every customer needs
    context: Context,
    *,
    number: str,
    name: str,
    customer_type: CustomerType,
    vat_zone: VatZone,
    customer_group_id: UUID,
    country_code: str,
    currency: str | None = None,
    given_contacts: Sequence[NewContact] = (),
    **optional: Any,
) -> GroupedCustomer:
    """Create a customer with its contacts. `optional` are further fields of `Customer`.

    `currency` (ISO 4217) is the company's base currency unless given. Emits `customer.created`. Raises
    validation errors, `CUSTOMER_GROUP_NOT_FOUND`, `CUSTOMER_NOT_FOUND` (the parent), `DOCUMENT_TEMPLATE_NOT_FOUND`,
    `CUSTOMER_NUMBER_ALREADY_EXISTS`, `CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS`, `CONTACT_DEFAULT_REQUIRED`,
    `CONTACT_MULTIPLE_DEFAULTS`.
    """
    customer = Customer(
        id=new_id(),
        number=number,
        name=name,
        customer_type=customer_type,
        vat_zone=vat_zone,
        customer_group_id=customer_group_id,
        country_code=country_code,
        currency=currency or (await companies.get(context)).base_currency,
        created_at=context.now,
        updated_at=context.now,
        **optional,
    )
    rules.check(customer)
    group = await groups.get_customer_group(context, customer_group_id)
    await store.insert(context, customer)
    await contacts.add_first(context, Party.customer(customer.id), given_contacts)
    created = GroupedCustomer(customer, group.number, group.name)
    context.emit("customer.created", customer.id, snapshot(created))
    return created


async def update(context: Context, customer_id: UUID, changes: dict[str, Any]) -> GroupedCustomer:
    """Change the named fields of a customer. Emits `customer.updated` if anything became different.

    Raises `CUSTOMER_NOT_FOUND`, `CUSTOMER_PARENT_INVALID` and what `create` raises for the same fields.
    """
    before = await store.get_for_update(context, customer_id)
    customer = replace(before, **changes)
    group = await groups.get_customer_group(context, customer.customer_group_id)
    if customer == before and is_same(customer.metadata, before.metadata):
        return GroupedCustomer(before, group.number, group.name)
    customer = replace(customer, updated_at=context.now)
    rules.check(customer)
    if customer.parent_customer_id is not None and customer.parent_customer_id != before.parent_customer_id:
        await _check_ancestors(context, customer)
    await store.update(context, customer)
    updated = GroupedCustomer(customer, group.number, group.name)
    old_group = group
    if customer.customer_group_id != before.customer_group_id:
        old_group = await groups.get_customer_group(context, before.customer_group_id)
    was = snapshot(GroupedCustomer(before, old_group.number, old_group.name))
    context.emit("customer.updated", customer.id, snapshot(updated), before=was)
    return updated


async def _check_ancestors(context: Context, customer: Customer) -> None:
    """Walk up from the new parent; each one is locked, so that no other command can close a circle meanwhile."""
    ancestor = customer.parent_customer_id
    while ancestor is not None:
        if ancestor == customer.id:
            raise CUSTOMER_PARENT_INVALID.error(property="parentCustomerId")
        ancestor = await store.parent_of(context, ancestor)
