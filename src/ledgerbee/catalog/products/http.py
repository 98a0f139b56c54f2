"""Routes of products (contract 2.13)."""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.catalog.model import PRODUCT_IN_USE, PRODUCT_NOT_FOUND, ProductId
from ledgerbee.catalog.parameters import ShownIn
from ledgerbee.catalog.prices import actions as price_actions
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.wire import render_all as render_prices
from ledgerbee.catalog.product_groups.model import PRODUCT_GROUP_NOT_FOUND
from ledgerbee.catalog.products import actions, store
from ledgerbee.catalog.products.model import PRODUCT_NUMBER_ALREADY_EXISTS
from ledgerbee.catalog.products.wire import (
    CreateProductRequest,
    ListProductsResponse,
    ProductQuery,
    ProductResponse,
    UpdateProductRequest,
    changes_of,
    render,
)
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Products")

PathId = Annotated[IdOf[ProductId], Path(alias="productId", description="Product ID")]


@router.get(
    "/v1/products",
    response_model_exclude_unset=True,
    **operation(
        "List products",
        scope="products-read",
        description="Lists the company's products without their prices.\n\nPass `?search=` to prefix-match on name or "
        "number.",
        response="Paginated list of products",
    ),
)
async def list_products(context: Ctx, query: Annotated[ProductQuery, Query()]) -> ListProductsResponse:
    found = await store.list_page(context, query.asked, product_group_id=query.product_group_id, status=query.status)
    return ListProductsResponse.of([render(product) for product in found.rows], found.total, query.asked)


@router.post(
    "/v1/products",
    response_model_exclude_unset=True,
    **operation(
        "Create a product",
        scope="products-write",
        status=201,
        description="Creates a product. Give it a price next, to sell it.",
        response="Product created successfully",
        errors=[PRODUCT_GROUP_NOT_FOUND, PRODUCT_NUMBER_ALREADY_EXISTS],
    ),
)
async def create_product(context: Ctx, body: CreateProductRequest) -> ProductResponse:
    return render(await actions.create(context, body.product()))


@router.get(
    "/v1/products/{productId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a product",
        scope="products-read",
        description="Returns a single product with its prices.",
        response="Product details",
        errors=[PRODUCT_NOT_FOUND, EXCHANGE_RATE_MISSING],
    ),
)
async def get_product(context: Ctx, product_id: PathId, shown_in: ShownIn = None) -> ProductResponse:
    product = await store.get(context, product_id)
    found = await prices.list_of_product(context, product_id)
    shown = await price_actions.shown_in(context, found, shown_in)
    return render(product, render_prices(found, shown, context.today))


@router.delete(
    "/v1/products/{productId}",
    **operation(
        "Delete a product",
        scope="products-write",
        status=204,
        description="Deletes a product with its prices, unless one of them is in use.",
        response="Product deleted successfully",
        errors=[PRODUCT_NOT_FOUND, PRODUCT_IN_USE],
    ),
)
async def delete_product(context: Ctx, product_id: PathId) -> None:
    await actions.delete(context, product_id)


@router.patch(
    "/v1/products/{productId}",
    response_model_exclude_unset=True,
    **operation(
        "Update a product",
        scope="products-write",
        description="Changes the fields provided in the request. The prices of a disabled or archived product can't be "
        "put on new documents.",
        response="Product updated successfully",
        errors=[PRODUCT_NOT_FOUND, PRODUCT_GROUP_NOT_FOUND, PRODUCT_NUMBER_ALREADY_EXISTS],
    ),
)
async def update_product(context: Ctx, product_id: PathId, body: UpdateProductRequest) -> ProductResponse:
    return render(await actions.update(context, product_id, changes_of(body)))
