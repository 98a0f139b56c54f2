"""Creating, changing and deleting products."""

from dataclasses import replace

from ledgerbee.catalog.model import PRODUCT_IN_USE, ProductId
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.wire import render as render_price
from ledgerbee.catalog.products import store
from ledgerbee.catalog.products.model import Product, ProductFields
from ledgerbee.catalog.products.wire import render
from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context


async def create(context: Context, given: ProductFields) -> Product:
    """Create a product without prices. Raises `PRODUCT_NUMBER_ALREADY_EXISTS`, `PRODUCT_GROUP_NOT_FOUND`.

    Emits `product.created`.
    """
    product = Product(id=ProductId(new_id()), created_at=context.now, updated_at=context.now, **fields_of(given))
    await store.insert(context, product)
    context.emit("product.created", product.id, render(product).as_event())
    return product


async def update(context: Context, product_id: ProductId, changes: Changes[ProductFields]) -> Product:
    """Change the named fields of a product. Raises what `create` raises and `PRODUCT_NOT_FOUND`.

    Any status may follow any other. A product that isn't active takes its prices off new documents, whatever their
    own status; they come back with it. Emits `product.updated` if anything became different.
    """
    before = await store.get_for_update(context, product_id)
    product = changes.applied_to(before)
    if product == before:
        return before
    product = replace(product, updated_at=context.now)
    await store.update(context, product)
    context.emit("product.updated", product_id, render(product).as_event(), before=render(before).as_event())
    return product


async def delete(context: Context, product_id: ProductId) -> None:
    """Delete a product with its prices. Raises `PRODUCT_NOT_FOUND`, and `PRODUCT_IN_USE` if one of them is in use.

    Emits `product.deleted`, with its prices.
    """
    product = await store.get_for_update(context, product_id)
    sellable = await prices.list_of_product(context, product_id)
    locked = await prices.list_of_product_for_update(context, product_id)
    if used_by := await prices.uses_of(context, locked):
        raise PRODUCT_IN_USE.used(used_by)
    await prices.delete_of_product(context, product_id)
    await store.delete(context, product_id)
    was = render(product).as_event()
    was["prices"] = [render_price(one, context.today).as_event() for one in sellable]
    context.emit("product.deleted", product_id, was, before=was)
