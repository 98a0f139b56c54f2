"""The addresses that tokens are for (RFC 8707, 9728), and this server's own. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from ledgerbee.identity.connections.model import COMPANY_MCP_PATH, MCP_PATH

_COMPANY: Final = re.compile(
    re.escape(MCP_PATH) + r"/c/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE
)
_PORTS: Final = {"https": 443, "http": 80}


def issuer_of(base_url: str) -> str:
    """Who this authorization server is (RFC 8414, 2): the public address without its path."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(resource: str | None, base_url: str) -> str | None:
    """The path of the address that a token is wanted for, within this installation; None where it is no such address.

    Scheme and host compare as such (in any case, with or without the usual port), the path byte for byte but for the
    case of a company's id. None is asked for: the address without a company.
    """
    if resource is None:
        return MCP_PATH
    if not resource.isascii() or not resource.isprintable() or any(mark in resource for mark in "?#\\@ "):
        return None
    own = urlsplit(base_url)
    if _origin(resource) is None or _origin(resource) != _origin(base_url):
        return None
    path = urlsplit(resource).path
    if own.path.rstrip("/"):
        if not path.startswith(f"{own.path.rstrip('/')}/"):
            return None
        path = path.removeprefix(own.path.rstrip("/"))
    if path == MCP_PATH:
        return path
    found = _COMPANY.fullmatch(path)
    return company_path(UUID(found[1])) if found else None


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def company_path(company_id: UUID) -> str:
    """The path of a company's own address."""
    return COMPANY_MCP_PATH.replace("{companyId}", str(company_id))


def company_of(path: str) -> UUID | None:
    """The company that a resource's path names; None where it names none."""
    found = _COMPANY.fullmatch(path)
    return UUID(found[1]) if found else None
