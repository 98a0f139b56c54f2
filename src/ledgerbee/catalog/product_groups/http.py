"""Product groups over HTTP: the page of the reference that is known whole (contract 2.11)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field, WithJsonSchema

from ledgerbee.catalog.product_groups import actions, store
from ledgerbee.catalog.product_groups.model import (
    PRODUCT_GROUP_ACCOUNT_INVALID,
    PRODUCT_GROUP_IN_USE,
    PRODUCT_GROUP_NOT_FOUND,
    PRODUCT_GROUP_NUMBER_ALREADY_EXISTS,
    ProductGroup,
)
from ledgerbee.catalog.wire import CatalogName, CatalogNumber
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, Account
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.query import (
    Limit,
    PageNumber,
    Search,
    SortDirection,
    SortOrder,
    page_request,
    search_schema,
)
from ledgerbee.platform.http.wire import (
    EXAMPLE_ID,
    Id,
    IdText,
    Moment,
    PageResponse,
    RequestModel,
    ResponseModel,
    Text,
    WholeNumber,
    changes_of,
    omitted,
    pages,
)
from ledgerbee.platform.wire_forms import form_of

#: As the reference prints it.
_EXAMPLE_MOMENT: Final = "2024-01-15T10:30:00Z"

router = resource_router("Product Groups")

GroupId = Annotated[Id, Path(alias="productGroupId", description="Product group ID")]


#: An id whose example the reference leaves open.
OtherId = Annotated[Id, WithJsonSchema({"type": "string"})]
OtherIdText = Annotated[IdText, WithJsonSchema({"type": "string"})]


class ProductGroupResponse(ResponseModel):
    """A product group with the accounts it maps to."""

    id: IdText = Field(description="The unique identifier of the product group", examples=[EXAMPLE_ID])
    number: str = Field(description="Unique product-group number within the company", examples=["PG001"])
    name: str = Field(description="Name of the product group", examples=["Office Supplies"])
    description: str | None = Field(None, description="Optional description", examples=["Products for office use"])
    domestic_account_id: IdText = Field(description="Ledger account ID for domestic sales", examples=[EXAMPLE_ID])
    domestic_account_number: WholeNumber | None = Field(None, description="Domestic account number", examples=[1010])
    domestic_account_name: str | None = Field(None, description="Domestic account name", examples=["Sales — domestic"])
    eu_account_id: OtherIdText | None = Field(None, description="Ledger account ID for EU sales (Rubric B)")
    eu_account_number: WholeNumber | None = Field(None, description="EU account number")
    eu_account_name: str | None = Field(None, description="EU account name")
    abroad_account_id: OtherIdText | None = Field(None, description="Ledger account ID for sales abroad (Rubric C)")
    abroad_account_number: WholeNumber | None = Field(None, description="Abroad account number")
    abroad_account_name: str | None = Field(None, description="Abroad account name")
    domestic_without_vat_account_id: OtherIdText | None = Field(
        None, description="Ledger account ID for domestic sales without VAT"
    )
    domestic_without_vat_account_number: WholeNumber | None = Field(
        None, description="Domestic-without-VAT account number"
    )
    domestic_without_vat_account_name: str | None = Field(None, description="Domestic-without-VAT account name")
    product_count: WholeNumber = omitted(
        description="Number of products in this group (list responses only)", examples=[12]
    )
    created_at: Moment = Field(description="When the product group was created", examples=[_EXAMPLE_MOMENT])
    updated_at: Moment = Field(description="When the product group was last updated", examples=[_EXAMPLE_MOMENT])


class ListProductGroupsResponse(PageResponse[ProductGroupResponse]):
    """A page of product groups."""

    data: list[ProductGroupResponse] = Field(description="Page of product groups")
    total: WholeNumber = Field(description="Total number of matching product groups", examples=[42])


class CreateProductGroupRequest(RequestModel):
    """What a new product group needs."""

    number: CatalogNumber = Field(description="Unique product-group number within the company", examples=["PG001"])
    name: CatalogName = Field(description="Name of the product group", examples=["Office Supplies"])
    description: Text = omitted(description="Optional description", examples=["Products for office use"])
    domestic_account_id: Id = Field(
        description="Ledger account ID for domestic sales. Must reference an existing account that carries a VAT "
        "code valid for sales.",
        examples=[EXAMPLE_ID],
    )
    eu_account_id: OtherId = Field(
        description="Ledger account ID for EU sales (Rubric B). Must carry a sales-valid VAT code."
    )
    abroad_account_id: OtherId = Field(
        description="Ledger account ID for sales abroad (Rubric C). Must carry a sales-valid VAT code."
    )
    domestic_without_vat_account_id: OtherId = Field(description="Ledger account ID for domestic sales without VAT.")


class UpdateProductGroupRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    number: CatalogNumber = omitted(description="Unique product-group number within the company", examples=["PG001"])
    name: CatalogName = omitted(description="Name of the product group", examples=["Office Supplies"])
    description: Text = omitted(description="Optional description", examples=["Products for office use"])
    domestic_account_id: OtherId = omitted(description="Ledger account ID for domestic sales")
    eu_account_id: OtherId = omitted(description="Ledger account ID for EU sales (Rubric B)")
    abroad_account_id: OtherId = omitted(description="Ledger account ID for sales abroad (Rubric C)")
    domestic_without_vat_account_id: OtherId = omitted(description="Ledger account ID for domestic sales without VAT")


@form_of(ProductGroup)
def _render(group: ProductGroup, accounts: Mapping[UUID, Account]) -> ProductGroupResponse:
    named: dict[str, Any] = {}
    for zone in ("domestic", "eu", "abroad", "domestic_without_vat"):
        account = accounts[getattr(group, f"{zone}_account_id")]
        named |= {
            f"{zone}_account_id": account.id,
            f"{zone}_account_number": account.number,
            f"{zone}_account_name": account.name,
        }
    return ProductGroupResponse(
        id=group.id,
        number=group.number,
        name=group.name,
        description=group.description,
        created_at=group.created_at,
        updated_at=group.updated_at,
        **named,
    )


@router.get(
    "/v1/product-groups",
    response_model_exclude_unset=True,
    **operation(
        "List product groups",
        scope="products-read",
        description="Retrieves a paginated list of your company's product groups. Each list item includes the number "
        "of products in the group.\n\nPass `?search=` to prefix-match on group name or number.",
        response="Paginated list of product groups for the company",
    ),
)
async def list_product_groups(
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    search: Annotated[Search, Query(description="Prefix search on name or number"), search_schema("Office")] = None,
    sort_by: Annotated[
        Literal["number", "name", "createdAt"], Query(alias="sortBy", description="Field to sort by")
    ] = "createdAt",
    sort_order: SortDirection = SortOrder.DESC,
) -> ListProductGroupsResponse:
    """List product groups."""
    found = await store.list_page(context, page_request(page, limit, search, sort_by, sort_order))
    return ListProductGroupsResponse(
        data=[ProductGroupResponse.model_validate(dict(row)) for row in found.rows],
        total=found.total,
        page=page,
        limit=limit,
        total_pages=pages(found.total, limit),
    )


@router.post(
    "/v1/product-groups",
    response_model_exclude_unset=True,
    **operation(
        "Create a product group",
        scope="products-write",
        status=201,
        description="Creates a product group. A group maps its products to the ledger accounts used for domestic, EU "
        "(Rubric B), abroad (Rubric C), and domestic-without-VAT sales.",
        response="Product group created successfully",
        errors=[ACCOUNT_NOT_FOUND, PRODUCT_GROUP_ACCOUNT_INVALID, PRODUCT_GROUP_NUMBER_ALREADY_EXISTS],
    ),
)
async def create_product_group(context: Ctx, body: CreateProductGroupRequest) -> ProductGroupResponse:
    """Create a product group."""
    group, accounts = await actions.create(
        context,
        number=body.number,
        name=body.name,
        description=body.description,
        domestic_account_id=body.domestic_account_id,
        eu_account_id=body.eu_account_id,
        abroad_account_id=body.abroad_account_id,
        domestic_without_vat_account_id=body.domestic_without_vat_account_id,
    )
    return _render(group, accounts)


@router.get(
    "/v1/product-groups/{productGroupId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a product group",
        scope="products-read",
        description="Returns a single product group, including its sales-account mappings (domestic, EU, abroad, and "
        "domestic-without-VAT).",
        response="Product group details",
        errors=[PRODUCT_GROUP_NOT_FOUND],
    ),
)
async def get_product_group(context: Ctx, product_group_id: GroupId) -> ProductGroupResponse:
    """Get a product group."""
    return ProductGroupResponse.model_validate(dict(await store.read(context, product_group_id)))


@router.delete(
    "/v1/product-groups/{productGroupId}",
    **operation(
        "Delete a product group",
        scope="products-write",
        status=204,
        description="Deletes a product group.",
        response="Product group deleted successfully",
        errors=[PRODUCT_GROUP_NOT_FOUND, PRODUCT_GROUP_IN_USE],
    ),
)
async def delete_product_group(context: Ctx, product_group_id: GroupId) -> None:
    """Delete a product group."""
    await actions.delete(context, product_group_id)


@router.patch(
    "/v1/product-groups/{productGroupId}",
    response_model_exclude_unset=True,
    **operation(
        "Update a product group",
        scope="products-write",
        description="Updates a product group. Only the fields provided in the request are changed.",
        response="Product group updated successfully",
        errors=[
            PRODUCT_GROUP_NOT_FOUND,
            ACCOUNT_NOT_FOUND,
            PRODUCT_GROUP_ACCOUNT_INVALID,
            PRODUCT_GROUP_NUMBER_ALREADY_EXISTS,
        ],
    ),
)
async def update_product_group(
    context: Ctx, product_group_id: GroupId, body: UpdateProductGroupRequest
) -> ProductGroupResponse:
    """Update a product group."""
    group, accounts = await actions.update(context, product_group_id, changes_of(body))
    return _render(group, accounts)
