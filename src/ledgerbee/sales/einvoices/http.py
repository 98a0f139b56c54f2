"""The route of e-invoices, for each kind of document that has them: one operation, one line to answer it."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.caller import Caller
from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import RouteOptions, operation
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.einvoices.attaching import xml_name
from ledgerbee.sales.einvoices.model import E_INVOICE_INCOMPLETE
from ledgerbee.sales.einvoices.writing import write

_MEDIA_TYPE = "application/xml"

#: The format that is asked for.
FormatQuery = Annotated[
    EInvoiceFormat,
    Query(alias="format", description="`peppol`: Peppol BIS Billing 3. `oioubl`: OIOUBL 2.1"),
]


def e_invoice_operation(title: str, *, what: str, scope: str, errors: tuple[ErrorCode, ErrorCode]) -> RouteOptions:
    """The operation that downloads the e-invoice of a kind of document. `errors` are the kind's own: not found, and not
    booked."""
    options = operation(
        title,
        scope=scope,
        description=f"{what} as it was booked, with the figures of its PDF, for whoever takes e-invoices.",
        response="The e-invoice as XML",
        errors=[*errors, E_INVOICE_INCOMPLETE],
        opens_transaction=False,
        extension=True,
    )
    options["responses"][200]["content"] = {_MEDIA_TYPE: {"schema": {"type": "string"}}}
    return options


async def answer(caller: Caller, kind: AnyKind, document_id: UUID, form: EInvoiceFormat) -> Response:
    """The e-invoice of a booked document. Raises the kind's refusals and `E_INVOICE_INCOMPLETE`."""
    snapshot = await caller.read(lambda context: _booked(context, kind, document_id))
    # Thousands of lines take a tenth of a second and more: beside the event loop.
    xml = await asyncio.to_thread(write, snapshot, form)
    headers = {"Content-Disposition": content_disposition(xml_name(snapshot, form))}
    return Response(xml, media_type=_MEDIA_TYPE, headers=headers)


async def _booked(context: Context, kind: AnyKind, document_id: UUID) -> dict[str, Any]:
    document = await store.get(context, kind, document_id)
    if document.journal_entry_id is None:
        raise kind.invalid_state.in_state(document.status.value)
    return await store.get_snapshot(context, kind, document_id)
