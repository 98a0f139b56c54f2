"""Where applications begin: the metadata of the authorization server and of the MCP addresses, at the host's root."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ledgerbee.http.envelope import NOT_FOUND, error_response
from ledgerbee.identity.authorization.rules.metadata import (
    RESOURCE_METADATA,
    SERVER_METADATA,
    resource_metadata,
    server_metadata,
)
from ledgerbee.identity.authorization.rules.resources import path_of
from ledgerbee.identity.connections.model import MCP_PATH
from ledgerbee.identity.pages.addresses import base_url_of, edge_of
from ledgerbee.identity.pages.rules import base_path_of

router = APIRouter(include_in_schema=False)

#: They say nothing of anybody: browsers of applications read them from anywhere, and keep them for a while.
_HEADERS: Final = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


@router.get(SERVER_METADATA)
async def show_authorization_server(request: Request) -> Response:
    """The authorization server (RFC 8414)."""
    return JSONResponse(server_metadata(base_url_of(request)), headers=_HEADERS)


@router.get(SERVER_METADATA + "/{path:path}")
async def show_authorization_server_of_path(request: Request, path: str) -> Response:
    """The same, for clients that insert the path of the MCP address; there is but one."""
    return _of_resource(request, path, lambda base_url, _: server_metadata(base_url))


@router.get(RESOURCE_METADATA)
async def show_usual_resource(request: Request) -> Response:
    """The MCP address without a company, for clients that look without its path."""
    return JSONResponse(resource_metadata(base_url_of(request), MCP_PATH), headers=_HEADERS)


@router.get(RESOURCE_METADATA + "/{path:path}")
async def show_resource(request: Request, path: str) -> Response:
    """An MCP address (RFC 9728), as it was typed. Whether there is a company of that id isn't told."""
    return _of_resource(request, path, resource_metadata)


def _of_resource(request: Request, path: str, metadata: Callable[[str, str], dict[str, Any]]) -> Response:
    base_url = base_url_of(request)
    prefix = base_path_of(base_url).removeprefix("/")  # what a proxy has put before our own paths
    own = "/" + (path.removeprefix(f"{prefix}/") if prefix else path)
    if path_of(base_url + own, base_url) is None:
        return error_response(request, NOT_FOUND.error(), edge_of(request).clock())
    return JSONResponse(metadata(base_url, own), headers=_HEADERS)
