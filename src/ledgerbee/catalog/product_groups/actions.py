"""Creating, changing and deleting product groups."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.catalog.product_groups import rules, store
from ledgerbee.catalog.product_groups.model import ProductGroup
from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.wire_forms import told


async def create(
    context: Context,
    *,
    number: str,
    name: str,
    description: str | None,
    domestic_account_id: UUID,
    eu_account_id: UUID,
    abroad_account_id: UUID,
    domestic_without_vat_account_id: UUID,
) -> tuple[ProductGroup, Mapping[UUID, Account]]:
    """Create a group. Raises `ACCOUNT_NOT_FOUND`, `PRODUCT_GROUP_ACCOUNT_INVALID`, `..._NUMBER_ALREADY_EXISTS`.

    Answers with the group and its accounts by id. Emits `product_group.created`.
    """
    group = ProductGroup(
        id=new_id(),
        number=number,
        name=name,
        description=description,
        domestic_account_id=domestic_account_id,
        eu_account_id=eu_account_id,
        abroad_account_id=abroad_account_id,
        domestic_without_vat_account_id=domestic_without_vat_account_id,
        created_at=context.now,
        updated_at=context.now,
    )
    mapped = await _check(context, group, rules.ACCOUNT_FIELDS)
    await store.save(context, group)
    context.emit("product_group.created", group.id, told(ProductGroup, group, mapped))
    return group, mapped


async def update(
    context: Context, group_id: UUID, changes: dict[str, Any]
) -> tuple[ProductGroup, Mapping[UUID, Account]]:
    """Change the named fields of a group. Raises what `create` raises and `PRODUCT_GROUP_NOT_FOUND`.

    Emits `product_group.updated` if anything became different.
    """
    before = await store.get_for_update(context, group_id)
    group = replace(before, **changes, updated_at=context.now)
    mapped = await _check(context, group, changes)
    if replace(group, updated_at=before.updated_at) == before:
        return before, mapped
    await store.save(context, group)
    was = told(ProductGroup, before, await _accounts_of(context, before))
    context.emit("product_group.updated", group_id, told(ProductGroup, group, mapped), before=was)
    return group, mapped


async def delete(context: Context, group_id: UUID) -> None:
    """Delete a group without products. Raises `PRODUCT_GROUP_NOT_FOUND`, `PRODUCT_GROUP_IN_USE`.

    Emits `product_group.deleted`.
    """
    group = await store.get_for_update(context, group_id)
    was = told(ProductGroup, group, await _accounts_of(context, group))
    await store.delete(context, group_id)
    context.emit("product_group.deleted", group_id, was, before=was)


async def _accounts_of(context: Context, group: ProductGroup) -> Mapping[UUID, Account]:
    return await accounts.get_many(context, [getattr(group, field) for field in rules.ACCOUNT_FIELDS])


async def _check(context: Context, group: ProductGroup, named: Collection[str]) -> Mapping[UUID, Account]:
    mapped = await _accounts_of(context, group)
    codes = await vat_codes.get_many(context, [a.vat_code_id for a in mapped.values() if a.vat_code_id])
    rules.check_accounts(group, named, mapped, codes)
    return mapped
