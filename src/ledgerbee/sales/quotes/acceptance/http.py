"""The buyer's page of a quote, at `/quotes/{secret}` (ours): no operation of the API, no credential but the address.

A GET shows and changes nothing, whoever fetches it: people, the scanners of their mail, browsers that look ahead. Every
address that is not good gets the same answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from ledgerbee.core.addresses import network_of
from ledgerbee.core.browsers import is_foreign
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.edge import Edge
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.state import state_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import CredentialRevokedError
from ledgerbee.sales.documents.http import pdf_of
from ledgerbee.sales.quotes.acceptance import actions
from ledgerbee.sales.quotes.acceptance.model import PAGE_HITS, Notice, Reply, Shown
from ledgerbee.sales.quotes.acceptance.page import (
    NO_SUCH_LINK,
    PAGE_HEADERS,
    TOO_MANY_REQUESTS,
    TRY_AGAIN,
    Message,
    message_page,
    quote_page,
)
from ledgerbee.sales.quotes.acceptance.rules import is_answered_so, read_reply, refusal_of
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.links.model import QUOTE_LINK, QuoteLinkId
from ledgerbee.sales.quotes.model import QUOTE_INVALID_STATE, QUOTE_NOT_FOUND
from ledgerbee.tenancy.oauth import store as rate_limits

router = APIRouter(include_in_schema=False)


@router.get("/quotes/{secret}")
async def show_quote(request: Request, secret: str) -> Response:
    """The page."""

    async def answer(caller: Caller) -> Response:
        return await _page(await _shown(caller), secret)

    return await _serve(request, secret, answer)


@router.get("/quotes/{secret}/quote.pdf")
async def download_quote(request: Request, secret: str) -> Response:
    """The quote as PDF, to be saved."""

    async def answer(caller: Caller) -> Response:
        quote_id = await caller.read(lambda context: actions.get_quote_id(context, _link_of(caller)))
        response = await pdf_of(caller, QUOTES, quote_id, draft=False)
        name = response.headers["Content-Disposition"].partition(";")[2]
        response.headers["Content-Disposition"] = f"attachment;{name}"
        response.headers["X-Robots-Tag"] = PAGE_HEADERS["X-Robots-Tag"]
        return response

    return await _serve(request, secret, answer)


@router.post("/quotes/{secret}")
async def answer_quote(request: Request, secret: str) -> Response:
    """Take the buyer's answer, once; then back to the page, which says what was decided."""

    async def answer(caller: Caller) -> Response:
        reply = await _read_reply(request)
        notice = refusal_of(reply, secret, foreign=_is_foreign(request))
        if notice is not None:
            return await _page(await _shown(caller), secret, 400, reply, notice)

        async def work(context: Context) -> Response:
            await actions.answer(context, _link_of(caller), reply)
            return _back(secret)

        try:
            return await caller.command(work)
        except LedgerBeeError as fault:
            if fault.error_code is not QUOTE_INVALID_STATE:
                raise
        shown = await _shown(caller)
        if is_answered_so(shown.quote, reply.decision):
            return _back(secret)  # the second of two clicks
        return await _page(shown, secret, 409, reply, Notice.NOT_OPEN)

    return await _serve(request, secret, answer)


async def _serve(request: Request, secret: str, answer: Callable[[Caller], Awaitable[Response]]) -> Response:
    """Count the request, find whose link it shows, have it answered."""
    edge: Edge = request.app.state.edge
    state, host = state_of(request.scope), request.client.host if request.client else None
    try:
        if state.count_incoming_body is not None:
            state.count_incoming_body(None, host or "")
        check_length(request, FORM_BODY)
        now = edge.clock()
        async with edge.cells.own.database.connection() as connection:  # an address is of no cell
            bucket = f"quote page/address/{network_of(host)}"
            window = await rate_limits.take_hit(connection, bucket, now, PAGE_HITS)
        if not window.allowed:
            wait = max(1, ceil((window.resets_at - now).total_seconds()))
            return _message(TOO_MANY_REQUESTS, 429, {"Retry-After": str(wait)})
        caller = await _caller(edge, request, secret, host)
        if caller is None:
            return _message(NO_SUCH_LINK, 404)
        return await answer(caller)
    except CredentialRevokedError:
        return _message(NO_SUCH_LINK, 404)
    except LedgerBeeError as fault:
        if fault.error_code is QUOTE_NOT_FOUND:
            return _message(NO_SUCH_LINK, 404)
        return _message(TRY_AGAIN, fault.status)


async def _caller(edge: Edge, request: Request, secret: str, host: str | None) -> Caller | None:
    """Whoever shows the link, in the company whose it is; None for what is no link, or no longer."""
    cell = edge.cells.of_secret(secret)
    if cell is None:
        return None
    # By its hash: how long it takes says nothing of how much of a secret is right.
    async with cell.database.connection() as connection:
        principal = await credentials.resolve(connection, secret_hash(secret), cell.mark)
    if principal is None or principal.kind != QUOTE_LINK:
        return None
    return Caller(
        principal=principal,
        database=cell.database,
        batcher=cell.batcher,
        blobs=cell.blobs,
        request_id=state_of(request.scope).request_id,
        now=edge.clock(),
        clock=edge.clock,
        address=host,
    )


def _link_of(caller: Caller) -> QuoteLinkId:
    return QuoteLinkId(caller.principal.subject_id)


async def _shown(caller: Caller) -> Shown:
    return await caller.read(lambda context: actions.show(context, _link_of(caller)))


async def _read_reply(request: Request) -> Reply:
    """The form that was sent. Raises `PAYLOAD_TOO_LARGE`."""
    return read_reply(request.headers.get("content-type", ""), await request.body())


def _is_foreign(request: Request) -> bool:
    hosts = frozenset({request.url.hostname or ""})
    return is_foreign(request.headers.get("sec-fetch-site"), request.headers.get("origin"), hosts)


async def _page(shown: Shown, secret: str, status: int = 200, *more: Any) -> Response:
    content = await asyncio.to_thread(quote_page, shown, secret, *more)
    return HTMLResponse(content, status, PAGE_HEADERS)


def _message(message: Message, status: int, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(message_page(message), status, {**PAGE_HEADERS, **(headers or {})})


def _back(secret: str) -> Response:
    """To the page, seen from where the form was sent to: below whatever path a proxy has put before it."""
    return Response(status_code=303, headers={**PAGE_HEADERS, "Location": secret})
