"""Where answers may go (RFC 6749 3.1.2; RFC 8252 7; decisions "OAuth and MCP"). Pure."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode, urlsplit

from ledgerbee.identity.authorization.model import MAX_URI

#: Visible ASCII without fragments, and without what ends an attribute, a header, or a directive of a policy.
_PLAIN: Final = re.compile(r"[!$-&(-:=?-\[\]_a-z|~]+")
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::([0-9]{1,5}))?((?:[/?].*)?)")
_HTTPS: Final = re.compile(r"https://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?:[/?].*)?", re.IGNORECASE)
_PRIVATE: Final = re.compile(r"([a-z][a-z0-9+.-]*):(?=.)(?:(?://([^/?]*))?.*)")
_DOMAIN: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
#: Schemes without a dot to which clients that are known have answers sent.
OWN_SCHEMES: Final = ("claude", "cursor", "kiro", "vscode", "vscode-insiders", "vscodium", "windsurf", "zed")


def is_redirect(uri: str, *, is_public: bool) -> bool:
    """Whether an application may have answers sent to `uri`.

    https anywhere, http on this machine (`127.0.0.1`, `[::1]`, `localhost`), and, for a public client, schemes that
    apps have of their own: a name with a dot, a domain of the app's turned around (`com.example.app:`, RFC 8252 7.1),
    or one of known clients (`cursor://`). By any other a browser may run or open something. Never with a fragment, a
    user name, or anything that a browser would repair.
    """
    if len(uri) > MAX_URI or not _PLAIN.fullmatch(uri):
        return False
    if (found := _LOOPBACK.fullmatch(uri)) or (found := _HTTPS.fullmatch(uri)):
        return _is_port(found[2])
    own = _PRIVATE.fullmatch(uri)
    return is_public and own is not None and _is_own(own[1]) and "@" not in (own[2] or "")


def _is_own(scheme: str) -> bool:
    return scheme in OWN_SCHEMES or _DOMAIN.fullmatch(scheme) is not None


def _is_port(text: str | None) -> bool:
    return text is None or 1 <= int(text) <= 65_535


def matches(wanted: str, registered: Iterable[str]) -> bool:
    """Whether `wanted` is one of those that the client has registered.

    Byte for byte, except that the port doesn't count on this machine: an application listens on whichever it gets.
    """
    mine = _LOOPBACK.fullmatch(wanted)
    return any(wanted == one or (mine is not None and _differ_in_port(mine, one)) for one in registered)


def _differ_in_port(mine: "re.Match[str]", registered: str) -> bool:
    theirs = _LOOPBACK.fullmatch(registered)
    return theirs is not None and (mine[1], mine[3]) == (theirs[1], theirs[3])


def is_loopback(uri: str) -> bool:
    """Whether the answer stays on the member's own machine, where any program may have taken the place."""
    return _LOOPBACK.fullmatch(uri) is not None


def shown_host(uri: str) -> str:
    """What a member is shown of where the answer goes: the host, of an app's own scheme that with its host.

    `uri` is one that `is_redirect` has let pass.
    """
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        return parts.netloc if parts.port else (parts.hostname or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def policy_source(uri: str) -> str:
    """The source of a content security policy that lets a form lead to `uri` (CSP 3, 2.3.1).

    That has no place for an address of IPv6: then it is the scheme.
    """
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"} or "[" in parts.netloc:
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


def answer_uri(redirect_uri: str, **parameters: str | None) -> str:
    """`redirect_uri` with the parameters that are there added to its query."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"
