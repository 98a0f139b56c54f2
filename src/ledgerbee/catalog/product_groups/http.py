"""Routes of product groups (contract 2.11)."""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.catalog.product_groups import actions, store
from ledgerbee.catalog.product_groups.model import (
    PRODUCT_GROUP_ACCOUNT_INVALID,
    PRODUCT_GROUP_IN_USE,
    PRODUCT_GROUP_NOT_FOUND,
    PRODUCT_GROUP_NUMBER_ALREADY_EXISTS,
    ProductGroupFields,
    ProductGroupId,
)
from ledgerbee.catalog.product_groups.wire import (
    CreateProductGroupRequest,
    ListProductGroupsResponse,
    ProductGroupQuery,
    ProductGroupResponse,
    UpdateProductGroupRequest,
    changes_of,
    render,
)
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf

router = resource_router("Product Groups")

GroupId = Annotated[IdOf[ProductGroupId], Path(alias="productGroupId", description="Product group ID")]


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
async def list_product_groups(context: Ctx, query: Annotated[ProductGroupQuery, Query()]) -> ListProductGroupsResponse:
    """List product groups."""
    found = await store.list_page(context, query.asked)
    data = [render(row.group, row.accounts, row.product_count) for row in found.rows]
    return ListProductGroupsResponse.of(data, found.total, query.asked)


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
    group, accounts = await actions.create(context, ProductGroupFields(**body.model_dump(exclude_unset=True)))
    return render(group, accounts)


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
    found = await store.get(context, product_group_id)
    return render(found.group, found.accounts)


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
    return render(group, accounts)
