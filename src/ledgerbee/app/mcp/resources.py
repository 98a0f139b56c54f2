"""Documents as resources: PDFs by the ids of documents, and the e-invoices of sent ones."""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import Response

from ledgerbee.app.mcp.operations import operation_route
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.ids import parse_id
from ledgerbee.http.caller import Caller
from ledgerbee.http.in_process import run_operation

RESOURCE_NOT_FOUND = ErrorCode("RESOURCE_NOT_FOUND", 404, "There is no such resource")

PDF: Final = "application/pdf"
XML: Final = "application/xml"
#: Documents that are listed: the newest ones of all kinds together.
LISTED: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKind:
    """A kind of document: `path` is its place in addresses, `id_name` what its id is called in those of the API."""

    path: str
    title: str
    scope: str
    lists: str
    id_name: str
    prints: str
    e_invoice: str | None = None


KINDS: Final = (
    DocumentKind(
        path="invoices",
        title="Invoice",
        scope="invoices-read",
        lists="list_invoices",
        id_name="invoiceId",
        prints="get_invoice_pdf",
        e_invoice="get_invoice_e_invoice",
    ),
    DocumentKind(
        path="credit-notes",
        title="Credit note",
        scope="invoices-read",
        lists="list_credit_notes",
        id_name="creditNoteId",
        prints="get_credit_note_pdf",
        e_invoice="get_credit_note_e_invoice",
    ),
    DocumentKind(
        path="quotes",
        title="Quote",
        scope="quotes-read",
        lists="list_quotes",
        id_name="quoteId",
        prints="get_quote_pdf",
    ),
    DocumentKind(
        path="order-confirmations",
        title="Order confirmation",
        scope="order-confirmations-read",
        lists="list_order_confirmations",
        id_name="orderConfirmationId",
        prints="get_order_confirmation_pdf",
    ),
)
_BY_PATH: Final = {kind.path: kind for kind in KINDS}
_ADDRESS: Final = re.compile(r"ledgerbee://([a-z-]+)/([0-9a-f-]{36})/(pdf|e-invoice)(\?format=(?:peppol|oioubl))?")


@dataclass(frozen=True, slots=True)
class Template:
    """A template of addresses (RFC 6570)."""

    address: str
    name: str
    title: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in the list. `title` has nothing in it that another party wrote."""

    address: str
    title: str
    description: str


class _Row(msgspec.Struct, rename="camel"):
    id: str
    status: str
    date: str
    amount: str
    currency: str
    created_at: str
    number: str | None = None
    document_number: str | None = None


class _Rows(msgspec.Struct):
    data: list[_Row]


def kinds_for(scopes: frozenset[str]) -> list[DocumentKind]:
    """The kinds that a connection with these scopes may read."""
    return [kind for kind in KINDS if kind.scope in scopes]


def templates_for(scopes: frozenset[str]) -> list[Template]:
    """The templates for a connection with these scopes."""
    found = []
    for kind in kinds_for(scopes):
        name = kind.path.removesuffix("s")
        start = f"ledgerbee://{kind.path}/{{id}}"
        found.append(Template(f"{start}/pdf", f"{name}-pdf", f"{kind.title} as PDF", PDF))
        if kind.e_invoice is not None:
            address = f"{start}/e-invoice{{?format}}"
            found.append(Template(address, f"{name}-e-invoice", f"{kind.title} as e-invoice (peppol, oioubl)", XML))
    return found


async def newest(app: Any, caller: Caller, limit: int = LISTED) -> list[Listed]:
    """The documents of the last days, the newest first: by their date, then by when they were made."""
    found: list[tuple[tuple[str, str], Listed]] = []
    for kind in kinds_for(caller.principal.scopes):
        answer = await run_operation(operation_route(kind.lists), caller, app, query={"limit": limit, "sortBy": "date"})
        for row in msgspec.json.decode(bytes(answer.body), type=_Rows).data:
            number = row.number or row.document_number
            title = f"{kind.title} {number}" if number else f"{kind.title} (draft)"
            about = f"{row.status}, {row.date}, {row.amount} {row.currency}"
            found.append(((row.date, row.created_at), Listed(f"ledgerbee://{kind.path}/{row.id}/pdf", title, about)))
    found.sort(key=lambda one: one[0], reverse=True)
    return [listed for _, listed in found[:limit]]


async def read(app: Any, caller: Caller, address: str) -> Response:
    """A document: `application/pdf`, or `application/xml` of an e-invoice.

    Raises `RESOURCE_NOT_FOUND`, and what the API's operation refuses.
    """
    match = _ADDRESS.fullmatch(address)
    kind = None if match is None else _BY_PATH.get(match[1])
    if match is None or kind is None:
        raise RESOURCE_NOT_FOUND.error()
    try:
        id_ = str(parse_id(match[2]))
    except ValueError:
        raise RESOURCE_NOT_FOUND.error() from None
    form = match[4]
    name, query = (
        (kind.e_invoice, {"format": form[8:]} if form else {}) if match[3] == "e-invoice" else (kind.prints, {})
    )
    if name is None or (form and match[3] == "pdf"):
        raise RESOURCE_NOT_FOUND.error()
    return await run_operation(operation_route(name), caller, app, path={kind.id_name: id_}, query=query)
