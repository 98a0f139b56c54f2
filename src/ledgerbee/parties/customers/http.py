"""Routes of customers (contract 2.4)."""

from typing import Annotated, Final

from fastapi import Query, Response

from ledgerbee.http.arrays import array_of
from ledgerbee.http.metadata import matching_objects
from ledgerbee.http.metadata_filters import MetadataFilters, with_metadata_filters
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.contacts.model import CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS
from ledgerbee.parties.customers import actions, store
from ledgerbee.parties.customers.model import (
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    CUSTOMER_PARENT_INVALID,
    DOCUMENT_TEMPLATE_NOT_FOUND,
)
from ledgerbee.parties.customers.wire import (
    CreateCustomerRequest,
    CustomerResponse,
    UpdateCustomerRequest,
    changes_of,
    render,
)
from ledgerbee.parties.groups.model import CUSTOMER_GROUP_NOT_FOUND
from ledgerbee.parties.party.http import CustomerPath
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, CustomerId

router = resource_router("Customers")

_REFERENCE_ERRORS: Final = (
    CUSTOMER_NOT_FOUND,
    CUSTOMER_GROUP_NOT_FOUND,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
)


@router.get(
    "/v1/customers",
    response_model=list[CustomerResponse],
    **with_metadata_filters(
        operation(
            "List customers",
            scope="customers-read",
            description="All customers that match every filter, by customer number: runs of digits count as numbers, "
            "so `2` comes before `10` and `K9` before `K10`.",
            response="Customers of the company",
        )
    ),
)
async def list_customers(
    context: Ctx,
    caller: CallerDep,
    metadata: MetadataFilters,
    customer_number: Annotated[
        str | None, Query(alias="customerNumber", description="Exact customer number", examples=["1001"])
    ] = None,
    external_system_id: Annotated[
        str | None, Query(alias="externalSystemId", description="Exact id in your system", examples=["crm-17"])
    ] = None,
    parent_customer_id: Annotated[
        IdOf[CustomerId] | None,
        Query(alias="parentCustomerId", description="Only the children of this customer (extension)"),
    ] = None,
) -> Response:
    """List customers."""
    found = await store.list_ids(
        context,
        number=customer_number,
        external_system_id=external_system_id,
        parent_id=parent_customer_id,
        metadata=[matching_objects(key, text) for key, text in metadata],
    )
    return await array_of(context, caller, found, store.get_many, render)


@router.post(
    "/v1/customers",
    **operation(
        "Create a customer",
        scope="customers-write",
        status=201,
        description="Creates a customer, with contacts if you like.",
        response="Customer created successfully",
        errors=[*_REFERENCE_ERRORS, CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS],
    ),
)
async def create_customer(context: Ctx, body: CreateCustomerRequest) -> CustomerResponse:
    """Create a customer."""
    return render(await actions.create(context, body.given(), [contact.given() for contact in body.contacts]))


@router.get(
    "/v1/customers/{customerId}",
    **operation(
        "Get a single customer",
        scope="customers-read",
        description="Returns one customer.",
        response="The customer",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def get_customer(context: Ctx, customer_id: CustomerPath) -> CustomerResponse:
    """Get a single customer."""
    return render(await store.get_grouped(context, customer_id))


@router.patch(
    "/v1/customers/{customerId}",
    **operation(
        "Update a customer",
        scope="customers-write",
        description="Only the fields provided in the request are changed; null clears a field that may be null. "
        "`metadata` is replaced as a whole.",
        response="Customer updated successfully",
        errors=[*_REFERENCE_ERRORS, CUSTOMER_PARENT_INVALID],
    ),
)
async def update_customer(context: Ctx, customer_id: CustomerPath, body: UpdateCustomerRequest) -> CustomerResponse:
    """Update a customer."""
    return render(await actions.update(context, customer_id, changes_of(body)))
