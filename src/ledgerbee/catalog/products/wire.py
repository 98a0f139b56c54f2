"""Products on the wire (contract 2.13)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from ledgerbee.catalog.model import CatalogStatus
from ledgerbee.catalog.prices.wire import ProductPriceResponse
from ledgerbee.catalog.products.model import Product, ProductFields
from ledgerbee.catalog.wire import CatalogName, CatalogNumber
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    Id,
    IdText,
    Moment,
    OptionalLine,
    PageResponse,
    RequestModel,
    ResponseModel,
    Text,
    changes_to,
    omitted,
)

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

    def product(self) -> ProductFields:
        """The product that the body describes."""
        return ProductFields(**self.model_dump(exclude={"metadata"}), metadata=self.metadata or {})


class UpdateProductRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    number: CatalogNumber = omitted(description="Unique product number within the company", examples=["P001"])
    name: CatalogName = omitted(examples=["Office chair"])
    product_group_id: Id = omitted(description="The group that decides its revenue accounts")
    description: Text | None = Field(None, description="null removes it", examples=["Height-adjustable"])
    unit: OptionalLine | None = Field(None, description="null removes it", examples=["pcs"])
    status: CatalogStatus = omitted()
    metadata: Metadata = omitted(description=_METADATA + ". Replaces all of them.", examples=[{"sku": "CH-1"}])


changes_of = changes_to(ProductFields, UpdateProductRequest)


class ProductQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("Office")] = Field(None, description="Prefix search on name or number")
    product_group_id: Annotated[Id | None, WithJsonSchema({"type": "string"})] = Field(
        None, description="Only products of this group"
    )
    status: Annotated[
        CatalogStatus | None,
        WithJsonSchema({"type": "string", "enum": [status.value for status in CatalogStatus]}),
    ] = Field(None, description="Only products of this status")
    sort_by: Literal["number", "name", "createdAt"] = Field("createdAt", description="Field to sort by")


def render(product: Product, prices: Sequence[ProductPriceResponse] | None = None) -> ProductResponse:
    """A product on the wire; its prices are part of single reads only."""
    shown = ProductResponse.model_validate(product)
    return shown if prices is None else shown.model_copy(update={"prices": list(prices)})
