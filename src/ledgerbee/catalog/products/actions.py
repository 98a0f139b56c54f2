"""Creating, changing and deleting products."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import SellablePrice
from ledgerbee.catalog.products import store
from ledgerbee.catalog.products.model import PRODUCT_IN_USE, CatalogStatus, Product
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context


async def create(
    context: Context,
    *,
    number: str,
    name: str,
    product_group_id: UUID,
    description: str | None,
    unit: str | None,
    status: CatalogStatus,
    metadata: Mapping[str, str],
) -> Product:
    """Create a product without prices. Raises `PRODUCT_NUMBER_ALREADY_EXISTS`, `PRODUCT_GROUP_NOT_FOUND`.

    Emits `product.created`.
    """
    product = Product(
        id=new_id(),
        number=number,
        name=name,
        description=description,
        product_group_id=product_group_id,
        unit=unit,
        status=status,
        created_at=context.now,
        updated_at=context.now,
        metadata=dict(metadata),
    )
    await store.save(context, product)
    context.emit("product.created", product.id, told(Product, product))
    return product


async def update(context: Context, product_id: UUID, changes: Mapping[str, Any]) -> Product:
    """Change the named fields of a product. Raises what `create` raises and `PRODUCT_NOT_FOUND`.

    Any status may follow any other. A product that isn't active takes its prices off new documents, whatever their
    own status; they come back with it. Emits `product.updated` if anything became different.
    """
    before = await store.get_for_update(context, product_id)
    product = replace(before, **changes)
    if product == before:
        return before
    product = replace(product, updated_at=context.now)
    await store.save(context, product)
    context.emit("product.updated", product_id, told(Product, product), before=told(Product, before))
    return product


async def delete(context: Context, product_id: UUID) -> None:
    """Delete a product with its prices. Raises `PRODUCT_NOT_FOUND`, and `PRODUCT_IN_USE` if one of them is in use.

    Emits `product.deleted`, with its prices.
    """
    product = await store.get_for_update(context, product_id)
    sellable = await prices.of_product(context, product_id)
    found = await prices.prices_for_update(context, product_id)
    if any(price.is_locked for price in found.values()):
        raise PRODUCT_IN_USE.used(["documents"])
    await prices.delete_of_product(context, product_id)
    await store.delete(context, product_id)
    was = told(Product, product) | {"prices": [told(SellablePrice, one, context.today) for one in sellable]}
    context.emit("product.deleted", product_id, was, before=was)
