"""Products over HTTP (contract 2.13)."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field, StringConstraints, WithJsonSchema

from ledgerbee.catalog.prices import http as prices_http
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.wire import ProductPriceResponse
from ledgerbee.catalog.product_groups.model import PRODUCT_GROUP_NOT_FOUND
from ledgerbee.catalog.products import actions, store
from ledgerbee.catalog.products.model import (
    PRODUCT_IN_USE,
    PRODUCT_NOT_FOUND,
    PRODUCT_NUMBER_ALREADY_EXISTS,
    CatalogStatus,
    Product,
)
from ledgerbee.catalog.wire import CatalogName, CatalogNumber
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.query import Limit, PageNumber, Search, SortDirection, SortOrder, page_request, search_schema
from ledgerbee.http.wire import (
    Id,
    IdText,
    Moment,
    OptionalLine,
    PageResponse,
    RequestModel,
    ResponseModel,
    Text,
    changes_of,
    omitted,
    pages,
)
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Products")

ProductId = Annotated[Id, Path(alias="productId", description="Product ID")]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)], OptionalLine],
    Field(max_length=50),
]

_METADATA = "Your own data: up to 50 texts by name"


class ProductResponse(ResponseModel):
    """A product. Its group decides the revenue account of a sale in each VAT zone."""

    id: IdText
    number: str = Field(description="Unique product number within the company", examples=["P001"])
    name: str = Field(examples=["Office chair"])
    description: str | None = Field(examples=["Height-adjustable"])
    product_group_id: IdText
    unit: str | None = Field(description="What one of it is called", examples=["pcs"])
    status: CatalogStatus = Field(description="Only the prices of ACTIVE products can be put on new documents")
    metadata: dict[str, str] = Field(description=_METADATA, examples=[{"sku": "CH-1"}])
    prices: list[ProductPriceResponse] = omitted(
        description="The product's prices, the default first (single reads only)"
    )
    created_at: Moment
    updated_at: Moment


class ListProductsResponse(PageResponse[ProductResponse]):
    """A page of products."""


class CreateProductRequest(RequestModel):
    """What a new product needs."""

    number: CatalogNumber = Field(description="Unique product number within the company", examples=["P001"])
    name: CatalogName = Field(examples=["Office chair"])
    product_group_id: Id = Field(description="The group that decides its revenue accounts")
    description: Text | None = Field(None, examples=["Height-adjustable"])
    unit: OptionalLine | None = Field(None, description="What one of it is called", examples=["pcs"])
    status: CatalogStatus = CatalogStatus.ACTIVE
    metadata: Metadata | None = Field(None, description=_METADATA, examples=[{"sku": "CH-1"}])


class UpdateProductRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    number: CatalogNumber = omitted(description="Unique product number within the company", examples=["P001"])
    name: CatalogName = omitted(examples=["Office chair"])
    product_group_id: Id = omitted(description="The group that decides its revenue accounts")
    description: Text | None = Field(None, description="null removes it", examples=["Height-adjustable"])
    unit: OptionalLine | None = Field(None, description="null removes it", examples=["pcs"])
    status: CatalogStatus = omitted()
    metadata: Metadata = omitted(description=_METADATA + ". Replaces all of them.", examples=[{"sku": "CH-1"}])


@form_of(Product)
def _render(product: Product) -> ProductResponse:
    return ProductResponse.model_validate(product)


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
async def list_products(
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    search: Annotated[Search, Query(description="Prefix search on name or number"), search_schema("Office")] = None,
    product_group_id: Annotated[
        Id | None,
        Query(alias="productGroupId", description="Only products of this group"),
        WithJsonSchema({"type": "string"}),
    ] = None,
    status: Annotated[
        CatalogStatus | None,
        Query(description="Only products of this status"),
        WithJsonSchema({"type": "string", "enum": [status.value for status in CatalogStatus]}),
    ] = None,
    sort_by: Annotated[
        Literal["number", "name", "createdAt"], Query(alias="sortBy", description="Field to sort by")
    ] = "createdAt",
    sort_order: SortDirection = SortOrder.DESC,
) -> ListProductsResponse:
    """List products."""
    request = page_request(page, limit, search, sort_by, sort_order)
    found = await store.list_page(context, request, product_group_id=product_group_id, status=status)
    return ListProductsResponse(
        data=[_render(product) for product in found.rows],
        total=found.total,
        page=page,
        limit=limit,
        total_pages=pages(found.total, limit),
    )


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
    """Create a product."""
    product = await actions.create(
        context,
        number=body.number,
        name=body.name,
        product_group_id=body.product_group_id,
        description=body.description,
        unit=body.unit,
        status=body.status,
        metadata=body.metadata or {},
    )
    return _render(product)


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
async def get_product(context: Ctx, product_id: ProductId, shown_in: prices_http.ShownIn = None) -> ProductResponse:
    """Get a product."""
    product = _render(await store.read(context, product_id))
    found = await prices.of_product(context, product_id)
    return product.model_copy(update={"prices": await prices_http.render_in(context, found, shown_in)})


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
async def delete_product(context: Ctx, product_id: ProductId) -> None:
    """Delete a product."""
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
async def update_product(context: Ctx, product_id: ProductId, body: UpdateProductRequest) -> ProductResponse:
    """Update a product."""
    return _render(await actions.update(context, product_id, changes_of(body)))
