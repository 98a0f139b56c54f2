"""The route of open invoices (extension)."""

from typing import Annotated

from fastapi import Query

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.sales.open_invoices.actions import list_open
from ledgerbee.sales.open_invoices.wire import ListOpenInvoicesResponse, OpenInvoicesQuery, render

router = resource_router("Reports")


@router.get(
    "/v1/open-invoices",
    **operation(
        "List open invoices",
        scope="invoices-read",
        extension=True,
        description="Invoices of which something was still to be paid at the end of a day, the oldest day of payment "
        "first: what was open then, and for how long it was overdue. With the sums of all of them and of the customers "
        "on the page, by currency and by how long they are overdue. What was paid, credited or written off on a later "
        "day was open then.",
        response="A page of open invoices, and their sums",
    ),
)
async def list_open_invoices(context: Ctx, query: Annotated[OpenInvoicesQuery, Query()]) -> ListOpenInvoicesResponse:
    chosen, asked = query.chosen(context.today), query.asked
    return render(await list_open(context, chosen, asked), chosen, asked)
