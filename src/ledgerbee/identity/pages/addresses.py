"""Where this installation is reached from outside, as the pages need it."""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from ledgerbee.http.edge import Edge
from ledgerbee.identity.pages.rules import base_path_of


def edge_of(request: Request) -> Edge:
    """The process's edge."""
    edge: Edge = request.app.state.edge
    return edge


def base_url_of(request: Request) -> str:
    """The public address of this installation, without a slash at its end; without a setting, the request's own."""
    return edge_of(request).cells.own.database.public_url or str(request.base_url).rstrip("/")


def is_secure(request: Request) -> bool:
    """Whether browsers come by https."""
    return base_url_of(request).startswith("https:")


def host_of(request: Request) -> str:
    """The host's name in that address, without a port: what passkeys are for."""
    return urlsplit(base_url_of(request)).hostname or ""


def path_of(request: Request, path: str) -> str:
    """A path of ours as browsers see it: below whatever path a proxy has put before it."""
    return base_path_of(base_url_of(request)) + path


def redirect(request: Request, path: str) -> Response:
    """On to another page of ours (303: by GET)."""
    return redirect_within(path_of(request, path))


def redirect_within(path: str) -> Response:
    """On to a path of this site as browsers see it, one that `rules.path_within` has let through."""
    return Response(status_code=303, headers={"Location": path, "Cache-Control": "no-store"})
