"""What this server says of itself, for applications to find their way (RFC 8414, RFC 9728). Pure."""

from typing import Any, Final

from ledgerbee.identity.authorization.rules.documents import AUTH_METHODS
from ledgerbee.identity.authorization.rules.resources import issuer_of
from ledgerbee.identity.authorization.rules.scopes import OFFERED
from ledgerbee.tenancy.oauth.rules import GRANT_TYPES

#: Where the two documents lie, at the root of the host (RFC 8414 3; RFC 9728 3.1).
SERVER_METADATA: Final = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"


def server_metadata(base_url: str) -> dict[str, Any]:
    """The authorization server, by the address at which this installation is reached."""
    return {
        "issuer": issuer_of(base_url),
        "authorization_endpoint": f"{base_url}/oauth/authorize",
        "token_endpoint": f"{base_url}/api/v1/auth/token",
        "registration_endpoint": f"{base_url}/api/v1/oauth/register",
        "revocation_endpoint": f"{base_url}/api/v1/oauth/revoke",
        "scopes_supported": list(OFFERED),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "ui_locales_supported": ["da", "en"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


def resource_metadata(base_url: str, path: str) -> dict[str, Any]:
    """The MCP server at a path, as the token's resource: its address is what the client typed."""
    return {
        "resource": f"{base_url}{path}",
        "authorization_servers": [issuer_of(base_url)],
        "scopes_supported": list(OFFERED),
        "bearer_methods_supported": ["header"],
        "resource_name": "ledgerbee",
    }


def resource_metadata_address(base_url: str, path: str) -> str:
    """Where the metadata of the MCP server at a path lies: what a 401 names (RFC 9728, 5.1).

    At the root of the host, whatever a proxy has put before our own paths.
    """
    issuer = issuer_of(base_url)
    return f"{issuer}{RESOURCE_METADATA}{base_url.removeprefix(issuer)}{path}"
