"""Routes of product prices (contract 2.12)."""

from typing import Annotated

from fastapi import Path

from ledgerbee.catalog.model import PRODUCT_INVALID_STATE, PRODUCT_NOT_FOUND, CatalogStatus
from ledgerbee.catalog.parameters import ShownIn
from ledgerbee.catalog.prices import actions, store
from ledgerbee.catalog.prices.model import (
    METER_INVALID_STATE,
    METER_NOT_FOUND,
    PRODUCT_PRICE_IN_USE,
    PRODUCT_PRICE_INVALID_STATE,
    PRODUCT_PRICE_LOCKED,
    PRODUCT_PRICE_NOT_FOUND,
    PriceId,
)
from ledgerbee.catalog.prices.wire import (
    CreateProductPriceRequest,
    ProductPriceResponse,
    UpdateProductPriceRequest,
    changes_of,
    render,
)
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Product Prices")

PathId = Annotated[IdOf[PriceId], Path(alias="productPriceId", description="Product price ID")]


@router.post(
    "/v1/product-prices",
    response_model_exclude_unset=True,
    **operation(
        "Create a product price",
        scope="products-write",
        status=201,
        description="Creates a price of a product. It is active at once; the first active price of a product becomes "
        "its default.",
        response="Product price created successfully",
        errors=[
            LICENSE_REQUIRED,
            PRODUCT_NOT_FOUND,
            METER_NOT_FOUND,
            PRODUCT_INVALID_STATE,
            METER_INVALID_STATE,
        ],
    ),
)
async def create_product_price(context: Ctx, body: CreateProductPriceRequest) -> ProductPriceResponse:
    return render(await actions.create(context, body.product_id, body.price()), context.today)


@router.get(
    "/v1/product-prices/{productPriceId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a product price",
        scope="products-read",
        description="Returns a single price with the VAT rates of its product's group.",
        response="Product price details",
        errors=[PRODUCT_PRICE_NOT_FOUND, EXCHANGE_RATE_MISSING],
    ),
)
async def get_product_price(context: Ctx, product_price_id: PathId, shown_in: ShownIn = None) -> ProductPriceResponse:
    found = await store.get(context, product_price_id)
    (shown,) = await actions.shown_in(context, [found], shown_in)
    return render(found, context.today, shown)


@router.delete(
    "/v1/product-prices/{productPriceId}",
    **operation(
        "Delete a product price",
        scope="products-write",
        status=204,
        description="Deletes a price that nothing uses. The default price goes last: while another active price "
        "exists, set that one as the default first.",
        response="Product price deleted successfully",
        errors=[PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_IN_USE, PRODUCT_PRICE_INVALID_STATE],
    ),
)
async def delete_product_price(context: Ctx, product_price_id: PathId) -> None:
    await actions.delete(context, product_price_id)


@router.patch(
    "/v1/product-prices/{productPriceId}",
    response_model_exclude_unset=True,
    **operation(
        "Update a product price",
        scope="products-write",
        description="Changes the fields provided in the request. A locked price keeps its amounts, model, currency, "
        "interval, tiers and meter; amounts in further currencies can be added. What a new pricing model or period "
        "type has no use for is removed.",
        response="Product price updated successfully",
        errors=[
            LICENSE_REQUIRED,
            PRODUCT_PRICE_NOT_FOUND,
            METER_NOT_FOUND,
            PRODUCT_PRICE_LOCKED,
            METER_INVALID_STATE,
        ],
    ),
)
async def update_product_price(
    context: Ctx, product_price_id: PathId, body: UpdateProductPriceRequest
) -> ProductPriceResponse:
    return render(await actions.update(context, product_price_id, changes_of(body)), context.today)


_STATUS_ERRORS = [PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_INVALID_STATE]


@router.post(
    "/v1/product-prices/{productPriceId}/activate",
    response_model_exclude_unset=True,
    **operation(
        "Activate a product price",
        scope="products-write",
        description="Makes a disabled or archived price usable again. It becomes the product's default when no active "
        "price is. An active price stays as it is.",
        response="The active product price",
        errors=[PRODUCT_PRICE_NOT_FOUND],
    ),
)
async def activate_product_price(context: Ctx, product_price_id: PathId) -> ProductPriceResponse:
    return render(await actions.set_status(context, product_price_id, CatalogStatus.ACTIVE), context.today)


@router.post(
    "/v1/product-prices/{productPriceId}/archive",
    response_model_exclude_unset=True,
    **operation(
        "Archive a product price",
        scope="products-write",
        description="Takes a price out of use. The default price can't be archived while another active price exists.",
        response="The archived product price",
        errors=_STATUS_ERRORS,
    ),
)
async def archive_product_price(context: Ctx, product_price_id: PathId) -> ProductPriceResponse:
    return render(await actions.set_status(context, product_price_id, CatalogStatus.ARCHIVED), context.today)


@router.post(
    "/v1/product-prices/{productPriceId}/disable",
    response_model_exclude_unset=True,
    **operation(
        "Disable a product price",
        scope="products-write",
        description="Suspends a price until it is activated again. The default price can't be disabled while another "
        "active price exists, nor can an archived one.",
        response="The disabled product price",
        errors=_STATUS_ERRORS,
    ),
)
async def disable_product_price(context: Ctx, product_price_id: PathId) -> ProductPriceResponse:
    return render(await actions.set_status(context, product_price_id, CatalogStatus.DISABLED), context.today)


@router.post(
    "/v1/product-prices/{productPriceId}/set-default",
    response_model_exclude_unset=True,
    **operation(
        "Set a price as the product default",
        scope="products-write",
        description="Makes an active price the default of its product, in place of the one before.",
        response="The product's default price",
        errors=_STATUS_ERRORS,
    ),
)
async def set_default_product_price(context: Ctx, product_price_id: PathId) -> ProductPriceResponse:
    return render(await actions.set_default(context, product_price_id), context.today)
