"""What routes below a customer or a vendor share."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Path, Response
from pydantic import BaseModel

from ledgerbee.http.arrays import array
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.party import store
from ledgerbee.parties.party.model import CustomerId, Party, VendorId
from ledgerbee.platform.context import Context

T = TypeVar("T")

CustomerPath = Annotated[IdOf[CustomerId], Path(alias="customerId", description="Customer ID")]
VendorPath = Annotated[IdOf[VendorId], Path(alias="vendorId", description="Vendor ID")]


async def list_of_party(
    context: Context,
    party: Party,
    list_of: Callable[[Context, Party], Awaitable[Sequence[T]]],
    render: Callable[[T], BaseModel],
) -> Response:
    """The answer with what belongs to a party. Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`."""
    found = await list_of(context, party)
    if not found:  # what has contacts or departments exists
        await store.require(context, party)
    return await array(found, render)
