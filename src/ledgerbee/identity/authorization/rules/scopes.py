"""What an application may have at most (contract 1.2, 1.3). Pure."""

from collections.abc import Collection, Iterable
from typing import Final

from ledgerbee.identity.authorization.model import Access
from ledgerbee.platform.credentials.model import SCOPES

#: What no application gets, whoever asks: to make credentials, companies and members, to say what applications may do
#: (its own limit among it), and to have events sent to an address that would outlast its tokens. Partner scopes aren't
#: among `SCOPES` in the first place.
NEVER: Final = frozenset({
    "api-keys-write", "companies-write", "connections-write", "oauth-clients-write", "users-write",
    "webhook-endpoints-write",
})  # fmt: skip
#: What applications can ask for, in the order of the reference.
OFFERED: Final = tuple(scope for scope in SCOPES if scope not in NEVER)
#: What the MCP server's 401 names (decisions "OAuth and MCP"): reading.
NAMED_FIRST: Final = tuple(scope for scope in OFFERED if scope.endswith("-read"))


def read_scopes(text: str | None) -> tuple[str, ...] | None:
    """The scopes that a request asks for: those of them that there are, others count for nothing (RFC 6749, 3.3).

    Empty where none is named, or just those that the 401 names, which clients repeat without a wish of their own:
    whatever may be had, as the member decides. None where some are named and none is one of ours.
    """
    if text is None or not text.strip():
        return ()
    asked = set(text.split(" "))
    known = tuple(scope for scope in OFFERED if scope in asked)
    return () if known == NAMED_FIRST else known or None


def granted(asked: Collection[str], role: Collection[str], access: Access) -> tuple[str, ...]:
    """What comes of it: the scopes asked for (empty: all) that the member's role has too, of `READ` those that read."""
    wanted: Iterable[str] = (scope for scope in OFFERED if (not asked or scope in asked) and scope in role)
    return tuple(scope for scope in wanted if access is Access.FULL or scope.endswith("-read"))
