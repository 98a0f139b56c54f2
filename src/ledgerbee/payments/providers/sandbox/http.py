"""The page of the provider that is built in, at `/sandbox-payments/{secret}` (ours): no credential but the address.

A GET shows and changes nothing. Every address that is not good gets the same answer.
"""

from collections.abc import Awaitable, Callable
from math import ceil

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
from ledgerbee.payments.pages.page import PAGE_HEADERS, Message, message_page
from ledgerbee.payments.providers.sandbox import page
from ledgerbee.payments.providers.sandbox.model import PAGE_HITS, SANDBOX_PAGE, SANDBOX_PAGE_GONE
from ledgerbee.payments.providers.sandbox.rules import Notice, is_from_page, read_reply
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import CredentialRevokedError
from ledgerbee.tenancy.oauth import store as rate_limits

router = APIRouter(include_in_schema=False)


@router.get("/sandbox-payments/{secret}")
async def show_sandbox_page(request: Request, secret: str) -> Response:
    """The page."""

    async def answer(caller: Caller) -> Response:
        return await _page(caller, secret, goes_on="return" in request.query_params)

    return await _serve(request, secret, answer)


@router.post("/sandbox-payments/{secret}")
async def answer_sandbox_page(request: Request, secret: str) -> Response:
    """Save the card, or confirm the payment, once; then back to the page, which says what was done."""

    async def answer(caller: Caller) -> Response:
        reply = read_reply(request.headers.get("content-type", ""), await request.body())
        hosts = frozenset({request.url.hostname or ""})
        foreign = is_foreign(request.headers.get("sec-fetch-site"), request.headers.get("origin"), hosts)
        if foreign or not is_from_page(reply, secret):
            return await _page(caller, secret, Notice.NOT_FROM_HERE)
        notices: list[Notice] = []

        async def work(context: Context) -> Response:
            notices.clear()
            notice = await page.answer(context, caller.principal.subject_id, reply)
            if notice is not None:
                notices.append(notice)
            # Seen from where the form was sent to: below whatever path a proxy has put before it.
            # From there the browser goes on to where its owner came from: a form must not be led to other sites (CSP).
            return Response(status_code=303, headers={**PAGE_HEADERS, "Location": f"{secret}?return"})

        done = await caller.command(work)
        return await _page(caller, secret, notices[0]) if notices else done

    return await _serve(request, secret, answer)


async def _serve(request: Request, secret: str, answer: Callable[[Caller], Awaitable[Response]]) -> Response:
    """Count the request, find whose page it is, have it answered."""
    edge: Edge = request.app.state.edge
    state, host = state_of(request.scope), request.client.host if request.client else None
    try:
        if state.count_incoming_body is not None:
            state.count_incoming_body(None, host or "")
        check_length(request, FORM_BODY)
        now = edge.clock()
        async with edge.cells.own.database.connection() as connection:  # an address is of no cell
            bucket = f"sandbox page/address/{network_of(host)}"
            window = await rate_limits.take_hit(connection, bucket, now, PAGE_HITS)
        if not window.allowed:
            wait = max(1, ceil((window.resets_at - now).total_seconds()))
            return _message(page.TOO_MANY_REQUESTS, 429, {"Retry-After": str(wait)})
        caller = await _caller(edge, request, secret, host)
        return _message(page.NO_SUCH_LINK, 404) if caller is None else await answer(caller)
    except CredentialRevokedError:
        return _message(page.NO_SUCH_LINK, 404)
    except LedgerBeeError as fault:
        if fault.error_code is SANDBOX_PAGE_GONE:
            return _message(page.NO_SUCH_LINK, 404)
        return _message(page.TRY_AGAIN, fault.status)


async def _caller(edge: Edge, request: Request, secret: str, host: str | None) -> Caller | None:
    """Whoever shows the link, in the company whose it is; None for what is no link, or no longer."""
    cell = edge.cells.of_secret(secret)
    if cell is None:
        return None
    # By its hash: how long it takes says nothing of how much of a secret is right.
    async with cell.database.connection() as connection:
        principal = await credentials.resolve(connection, secret_hash(secret), cell.mark)
    now = edge.clock()
    if principal is None or principal.kind != SANDBOX_PAGE or principal.expires_at is None:
        return None
    if principal.expires_at <= now:
        return None
    return Caller(
        principal=principal,
        database=cell.database,
        batcher=cell.batcher,
        blobs=cell.blobs,
        request_id=state_of(request.scope).request_id,
        now=now,
        clock=edge.clock,
        address=host,
    )


async def _page(caller: Caller, secret: str, notice: Notice | None = None, *, goes_on: bool = False) -> Response:
    shown = await caller.read(lambda context: page.load(context, caller.principal.subject_id))
    return HTMLResponse(page.render(shown, secret, notice, goes_on=goes_on), 400 if notice else 200, PAGE_HEADERS)


def _message(message: Message, status: int, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(message_page(message), status, {**PAGE_HEADERS, **(headers or {})})
