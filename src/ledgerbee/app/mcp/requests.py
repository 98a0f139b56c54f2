"""What the parts of the MCP server say to each other about one HTTP request."""

from typing import Final

from fastapi import Request

from ledgerbee.http.edge import Edge

#: Where a request's scope has the refusal that its answer is, of HTTP and not of JSON-RPC.
REFUSAL: Final = "ledgerbee.mcp.refusal"


def base_url(request: Request) -> str:
    """The address of the installation: the operator's, else the one that the request names."""
    edge: Edge = request.app.state.edge
    return edge.cells.own.database.public_url or str(request.base_url).rstrip("/")
