"""Creating and changing customers."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.http.metadata import is_same
from ledgerbee.parties.contacts import actions as contacts
from ledgerbee.parties.contacts.model import ContactFields
from ledgerbee.parties.customers import rules, store
from ledgerbee.parties.customers.model import CUSTOMER_PARENT_INVALID, Customer, CustomerFields, GroupedCustomer
from ledgerbee.parties.customers.wire import render
from ledgerbee.parties.groups import store as groups
from ledgerbee.parties.party.model import CustomerId, Party
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies


async def create(
    context: Context, given: CustomerFields, given_contacts: Sequence[ContactFields] = ()
) -> GroupedCustomer:
    """Create a customer with its contacts. Emits `customer.created`, and `contact.created` of each contact.

    Raises validation errors, `CUSTOMER_GROUP_NOT_FOUND`, `CUSTOMER_NOT_FOUND` (the parent),
    `DOCUMENT_TEMPLATE_NOT_FOUND`, `CUSTOMER_NUMBER_ALREADY_EXISTS`, `CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS`,
    `CONTACT_DEFAULT_REQUIRED`, `CONTACT_MULTIPLE_DEFAULTS`.
    """
    currency = given.currency or (await companies.get(context)).base_currency
    rules.check(given)
    group = await groups.get_customer_group(context, given.customer_group_id)
    values = {**fields_of(given), "currency": currency}
    customer = Customer(id=CustomerId(new_id()), created_at=context.now, updated_at=context.now, **values)
    await store.insert(context, customer)
    await contacts.create_first(context, Party.customer(customer.id), given_contacts)
    created = GroupedCustomer.of(customer, group)
    context.emit("customer.created", customer.id, render(created).as_event())
    return created


async def update(context: Context, customer_id: UUID, changes: Changes[CustomerFields]) -> GroupedCustomer:
    """Change the named fields of a customer. Emits `customer.updated` if anything became different.

    Raises `CUSTOMER_NOT_FOUND`, `CUSTOMER_PARENT_INVALID` and what `create` raises for the same fields.
    """
    before = await store.get_for_update(context, customer_id)
    customer = changes.applied_to(before)
    group = await groups.get_customer_group(context, customer.customer_group_id)
    if customer == before and is_same(customer.metadata, before.metadata):
        return GroupedCustomer.of(before, group)
    customer = replace(customer, updated_at=context.now)
    rules.check(customer, customer.id)
    if customer.parent_customer_id is not None and customer.parent_customer_id != before.parent_customer_id:
        await _check_ancestors(context, customer)
    await store.update(context, customer)
    updated, old_group = GroupedCustomer.of(customer, group), group
    if customer.customer_group_id != before.customer_group_id:
        old_group = await groups.get_customer_group(context, before.customer_group_id)
    was = render(GroupedCustomer.of(before, old_group)).as_event()
    context.emit("customer.updated", customer.id, render(updated).as_event(), before=was)
    return updated


async def _check_ancestors(context: Context, customer: Customer) -> None:
    """Walk up from the new parent; each one is locked, so that no other command can close a circle meanwhile.

    Refuses a circle that stands above it already, too.
    """
    ancestor, seen = customer.parent_customer_id, {customer.id}
    while ancestor is not None:
        if ancestor in seen:
            raise CUSTOMER_PARENT_INVALID.error(property="parentCustomerId")
        seen.add(ancestor)
        ancestor = await store.get_parent(context, ancestor)
