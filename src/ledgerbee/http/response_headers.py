"""Headers that many answers share: security, CORS."""

from typing import Final

from starlette.datastructures import MutableHeaders

#: On every answer that has no such header of its own.
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
#: What a page of ours may do: its own scripts and styles, nothing from elsewhere.
PAGE_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)
#: The answer to a CORS preflight.
PREFLIGHT_HEADERS: Final = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, x-api-key, x-api-idempotency-key, mcp-protocol-version, mcp-method, mcp-name",
    ),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Final = (
    "X-Request-Id, X-API-Key-Expires-At, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, Idempotent-Replayed, "
    "Deprecation, Sunset, Link, Retry-After, Content-Disposition, WWW-Authenticate"
)


class CorsPolicy:
    """The origins whose browsers may call (`*` = any)."""

    def __init__(self, allowed_origins: tuple[str, ...]) -> None:
        self._allowed = frozenset(allowed_origins)

    def add_headers(self, headers: list[tuple[bytes, bytes]], origin: bytes) -> None:
        """Let a page from `origin` read the answer, if it may."""
        added, name = MutableHeaders(raw=headers), origin.decode("latin-1")
        if "*" in self._allowed:
            added["Access-Control-Allow-Origin"] = "*"
        elif name in self._allowed:
            added["Access-Control-Allow-Origin"] = name
            added.add_vary_header("Origin")
        else:
            return
        added["Access-Control-Expose-Headers"] = _EXPOSED
