"""Product groups on the wire: the page of the reference that is known whole (contract 2.11)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from ledgerbee.catalog.product_groups.model import ProductGroup, ProductGroupFields
from ledgerbee.catalog.wire import CatalogName, CatalogNumber
from ledgerbee.chart.accounts.model import Account, AccountLabel
from ledgerbee.core.fields import fields_of
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    Id,
    IdText,
    Moment,
    PageResponse,
    RequestModel,
    ResponseModel,
    Text,
    WholeNumber,
    changes_to,
    omitted,
)

#: As the reference prints it.
_EXAMPLE_MOMENT: Final = "2024-01-15T10:30:00Z"

#: An id whose example the reference leaves open.
OtherId = Annotated[Id, WithJsonSchema({"type": "string"})]
Deferring = Annotated[bool, Field(strict=True)]
_DEFERS: Final = (
    "Whether what a line charges for days after its invoice's month (`servicePeriodEnd`) is booked as deferred revenue "
    "and earned by days; for what is sent from now on (extension)"
)
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
    defer_revenue: bool = Field(
        description="Whether revenue for days after an invoice's month is earned then, by the service periods of lines "
        "(extension)"
    )
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
    defer_revenue: Deferring = Field(True, description=_DEFERS)


class UpdateProductGroupRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    number: CatalogNumber = omitted(description="Unique product-group number within the company", examples=["PG001"])
    name: CatalogName = omitted(description="Name of the product group", examples=["Office Supplies"])
    description: Text = omitted(description="Optional description", examples=["Products for office use"])
    domestic_account_id: OtherId = omitted(description="Ledger account ID for domestic sales")
    eu_account_id: OtherId = omitted(description="Ledger account ID for EU sales (Rubric B)")
    abroad_account_id: OtherId = omitted(description="Ledger account ID for sales abroad (Rubric C)")
    domestic_without_vat_account_id: OtherId = omitted(description="Ledger account ID for domestic sales without VAT")
    defer_revenue: Deferring = omitted(description=_DEFERS)


changes_of = changes_to(ProductGroupFields, UpdateProductGroupRequest)


class ProductGroupQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("Office")] = Field(None, description="Prefix search on name or number")
    sort_by: Literal["number", "name", "createdAt"] = Field("createdAt", description="Field to sort by")


def render(
    group: ProductGroup, accounts: Mapping[UUID, Account | AccountLabel], product_count: int | None = None
) -> ProductGroupResponse:
    """A group on the wire. `accounts` are those it maps to; the count of products is part of lists only."""
    shown: dict[str, Any] = {} if product_count is None else {"product_count": product_count}
    for zone in ("domestic", "eu", "abroad", "domestic_without_vat"):
        account = accounts[getattr(group, f"{zone}_account_id")]
        shown |= {f"{zone}_account_number": account.number, f"{zone}_account_name": account.name}
    return ProductGroupResponse(**fields_of(group), **shown)
