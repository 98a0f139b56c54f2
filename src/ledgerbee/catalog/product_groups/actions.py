"""Creating, changing and deleting product groups."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

from ledgerbee.catalog.product_groups import rules, store
from ledgerbee.catalog.product_groups.model import ProductGroup, ProductGroupFields, ProductGroupId
from ledgerbee.catalog.product_groups.wire import render
from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

GroupAndAccounts = tuple[ProductGroup, Mapping[UUID, Account]]


async def create(context: Context, given: ProductGroupFields) -> GroupAndAccounts:
    """Create a group; it comes with its accounts by id. Emits `product_group.created`.

    Raises `ACCOUNT_NOT_FOUND`, `PRODUCT_GROUP_ACCOUNT_INVALID`, `PRODUCT_GROUP_NUMBER_ALREADY_EXISTS`.
    """
    group = ProductGroup(
        id=ProductGroupId(new_id()), created_at=context.now, updated_at=context.now, **fields_of(given)
    )
    mapped = await _check(context, group, rules.ACCOUNT_FIELDS)
    await store.insert(context, group)
    context.emit("product_group.created", group.id, render(group, mapped).as_event())
    return group, mapped


async def update(context: Context, group_id: ProductGroupId, changes: Changes[ProductGroupFields]) -> GroupAndAccounts:
    """Change the named fields of a group. Raises what `create` raises and `PRODUCT_GROUP_NOT_FOUND`.

    Emits `product_group.updated` if anything became different.
    """
    before = await store.get_for_update(context, group_id)
    group = changes.applied_to(before)
    mapped = await _check(context, group, changes.fields)
    if group == before:
        return before, mapped
    group = replace(group, updated_at=context.now)
    await store.update(context, group)
    was = render(before, await _accounts_of(context, before)).as_event()
    context.emit("product_group.updated", group_id, render(group, mapped).as_event(), before=was)
    return group, mapped


async def delete(context: Context, group_id: ProductGroupId) -> None:
    """Delete a group without products. Raises `PRODUCT_GROUP_NOT_FOUND`, `PRODUCT_GROUP_IN_USE`.

    Emits `product_group.deleted`.
    """
    group = await store.get_for_update(context, group_id)
    was = render(group, await _accounts_of(context, group)).as_event()
    await store.delete(context, group_id)
    context.emit("product_group.deleted", group_id, was, before=was)


async def _accounts_of(context: Context, group: ProductGroup) -> Mapping[UUID, Account]:
    return await accounts.get_many(context, [getattr(group, field) for field in rules.ACCOUNT_FIELDS])


async def _check(context: Context, group: ProductGroup, named: Collection[str]) -> Mapping[UUID, Account]:
    mapped = await _accounts_of(context, group)
    codes = await vat_codes.get_many(context, [a.vat_code_id for a in mapped.values() if a.vat_code_id])
    rules.check_accounts(group, named, mapped, codes)
    return mapped
