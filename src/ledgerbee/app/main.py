"""Composition: the application from its parts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp

from ledgerbee.app.blobs import blob_folder, blob_store
from ledgerbee.app.cells import further_cells
from ledgerbee.app.companies import allow_new_companies
from ledgerbee.app.config import Settings
from ledgerbee.app.docs_page import router as docs_router
from ledgerbee.app.health import router as health_router
from ledgerbee.app.mcp.approvals.http import router as approvals_router
from ledgerbee.app.mcp.http import ROUTES as MCP_ROUTES
from ledgerbee.app.mcp.running import McpServer
from ledgerbee.app.mcp.running import load as load_mcp
from ledgerbee.app.openapi import describe
from ledgerbee.app.openapi.page import router as openapi_router
from ledgerbee.app.payment_providers import providers_of
from ledgerbee.app.pulse import monitored_event_loop
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.routes import ROUTERS
from ledgerbee.app.secret_keys import secret_box
from ledgerbee.core.dates import Clock, system_clock
from ledgerbee.http.cells import Cell, Cells
from ledgerbee.http.dispatch import Dispatcher
from ledgerbee.http.edge import Edge
from ledgerbee.http.envelope import INTERNAL_ERROR, METHOD_NOT_ALLOWED, NOT_FOUND, error_response
from ledgerbee.http.json_body import MALFORMED_JSON
from ledgerbee.http.middleware import HttpMiddleware
from ledgerbee.http.route import operation_of
from ledgerbee.http.state import state_of
from ledgerbee.identity.authorization.authorize_http import router as consent_router
from ledgerbee.identity.authorization.metadata_http import router as oauth_metadata_router
from ledgerbee.identity.connections.page_http import router as connected_apps_router
from ledgerbee.identity.people.http import router as people_router
from ledgerbee.identity.sign_in.account_http import router as account_router
from ledgerbee.identity.sign_in.http import router as sign_in_router
from ledgerbee.identity.sign_in.reset_http import router as reset_router
from ledgerbee.payments.callbacks.http import router as payment_events_router
from ledgerbee.payments.pages.http import router as saved_cards_router
from ledgerbee.payments.providers.sandbox.http import router as sandbox_router
from ledgerbee.platform.credentials.model import Principal
from ledgerbee.platform.db import APPLICATION_ROLE, Database
from ledgerbee.platform.logs import printable
from ledgerbee.platform.secrets import SecretBox
from ledgerbee.sales.quotes.acceptance.http import router as acceptance_router
from ledgerbee.sales.rendering import pool as rendering
from ledgerbee.webhooks.targets import allow_loopback

if TYPE_CHECKING:
    from ledgerbee.app.mcp.endpoint import Endpoint

#: How addresses begin that somebody took from the reference, which leaves `/api` to its servers' address.
_WITHOUT_API: Final = ("/v1/", "/v2/")


def create_api(clock: Clock = system_clock) -> FastAPI:
    """The routes and the OpenAPI document, without a database."""
    api = FastAPI(
        title="ledgerbee",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # `ledgerbee.app.openapi.page` answers it
        redirect_slashes=False,
    )

    async def refuse(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        known = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(fault.status_code)
        if known is NOT_FOUND and request.url.path.startswith(_WITHOUT_API):
            address = f"/api{printable(request.url.path)}"
            response = error_response(
                request, NOT_FOUND.error(f"No such route. The API is below /api: {address}"), clock()
            )
        else:
            response = error_response(request, known.error() if known else MALFORMED_JSON, clock())
        if known is METHOD_NOT_ALLOWED:
            _add_allow_header(response, request, api.routes)
        return response

    async def fail(request: Request, _: Exception) -> Response:
        # The fault itself goes on to the middleware, which logs it; the caller gets the request's id and no more.
        return error_response(request, INTERNAL_ERROR.error(requestId=state_of(request.scope).request_id), clock())

    api.add_exception_handler(HTTPException, refuse)
    api.add_exception_handler(Exception, fail)
    # Straight into the application's own list: inclusion would search router by router on every request.
    for operations in ROUTERS:
        api.router.routes.extend(operations.routes)
    for pages in (
        health_router,
        docs_router,
        openapi_router,
        oauth_metadata_router,
        consent_router,
        approvals_router,  # before the pages of single apps, whose path it would match
        connected_apps_router,
        acceptance_router,
        payment_events_router,
        saved_cards_router,
        sandbox_router,
        sign_in_router,
        account_router,
        reset_router,
        people_router,
    ):
        api.router.routes.extend(pages.routes)
    api.router.routes.extend(MCP_ROUTES)
    describe(api)
    return api


@cache
def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of this release: made once a process, and not to be changed."""
    return create_api().openapi()


def _add_allow_header(response: Response, request: Request, routes: Sequence[BaseRoute]) -> None:
    """`Allow` with the methods of all routes at the address: the router knows only the first one it found."""
    there = [route for route in routes if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL]
    methods = {method for route in there for method in route.methods or ()}
    if "GET" in methods:
        methods.add("HEAD")  # which the middleware answers as GET
    response.headers["Allow"] = ", ".join(sorted(methods))
    # No operation was asked for: the answer says that it is deprecated only when all at the address are.
    facts = [(route, operation_of(route)) for route in there]
    lasting = (route for route, operation in facts if operation is None or operation.deprecation is None)
    request.scope["route"] = next(lasting, there[0])


async def _open_cells(database_url: str, settings: Settings, *, set_role: bool) -> Cells:
    """The process's own cell, whose database has to be there, and the others, which may come and go."""

    async def opened(url: str, **options: Any) -> Database:
        database = await Database.open(url, reactions=REACTIONS, max_size=settings.pool_size, **options)
        database.public_url, database.secrets = settings.public_url, secret_box(settings)
        return database

    own_role = APPLICATION_ROLE if set_role else None
    own = Cell(await opened(database_url, role=own_role, cell=settings.cell), blob_store(settings))
    others = []
    for cell in further_cells(settings, blob_folder(settings)):
        database = await opened(cell.database_url, min_size=0, role=APPLICATION_ROLE, cell=cell.mark, check=cell.check)
        others.append(Cell(database, blob_store(settings, cell=settings.cells[cell.mark])))
    return Cells(own, others)


def create_app(
    database_url: str,
    settings: Settings | None = None,
    clock: Clock = system_clock,
    *,
    set_role: bool = True,
    loads_mcp: Callable[[SecretBox], "Endpoint"] = load_mcp,
) -> ASGIApp:
    """The whole application on the database at `database_url`, opened and closed with its lifespan.

    `loads_mcp` makes the MCP server when the first request for it comes.
    """
    settings = settings or Settings()
    api = create_api(clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        cells = await _open_cells(database_url, settings, set_role=set_role)
        rendering.use_fonts(settings.fonts_dir)
        allow_new_companies(settings.max_new_companies)
        was_allowed = allow_loopback(bool(settings.webhooks_allow_loopback))
        api.state.providers_of = providers_of(settings, clock)
        api.state.providers = api.state.providers_of(cells.own.database)  # what reads events needs no database
        waiting_mb = max(settings.max_waiting_imports_mb, settings.max_import_mb)
        api.state.mcp = McpServer(secret_box(settings), settings.allowed_origins, loads_mcp)
        api.state.edge = Edge(cells, clock, waiting_mb * 1024 * 1024)
        try:
            async with monitored_event_loop():
                yield
        finally:
            await api.state.mcp.close()
            await cells.close()
            await asyncio.to_thread(rendering.close)
            allow_loopback(was_allowed)

    async def identify(request: Request) -> Principal | None:
        edge: Edge = api.state.edge  # there from the start of the lifespan
        return await edge.authenticator.identify_rejected_request(request)

    api.router.lifespan_context = lifespan
    return HttpMiddleware(
        Dispatcher(api),
        routes=api.routes,
        clock=clock,
        identify=identify,
        allowed_origins=settings.allowed_origins,
        max_stream_bytes=settings.max_import_mb * 1024 * 1024,
    )
