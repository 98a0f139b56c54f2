"""OAuth 2.0: what clients show, the access tokens they get, and the errors of RFC 6749 (contract 1.2, 1.6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ledgerbee.core.errors import ErrorCode

#: How long an access token lives (contract 1.2).
TOKEN_LIFE: Final = timedelta(seconds=3600)
#: The start of every client secret, so that a leaked one is recognised.
CLIENT_SECRET_PREFIX: Final = "lbs_"  # noqa: S105 a prefix, not a secret

#: Calls to one of the two endpoints in a sliding window (contract 1.6).
RATE_LIMIT_HITS: Final = 10
RATE_LIMIT_PERIOD: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a client shows to prove who it is."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A new token: the secret itself, the scopes it carries, and how long it lives."""

    secret: str
    scopes: tuple[str, ...]
    life: timedelta


@dataclass(frozen=True, slots=True)
class RateLimitWindow:
    """What a call found: let through or not, how many are left, and when the next place is free (aware UTC)."""

    allowed: bool
    remaining: int
    resets_at: datetime


class OAuthRefusal(Exception):  # noqa: N818 named for what it is: RFC 6749's "error" is its code
    """An error of the two OAuth endpoints, answered in the shape of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400, free_at: datetime | None = None) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.free_at = free_at  # when the next call is let through, of one that came too soon


def invalid_request(description: str) -> OAuthRefusal:
    """A parameter is missing, repeated or unreadable."""
    return OAuthRefusal("invalid_request", description)


def invalid_client() -> OAuthRefusal:
    """Unknown client, wrong secret or none: the caller can't tell which."""
    return OAuthRefusal("invalid_client", "Client authentication failed", 401)


#: The text of a call that came too soon (contract 1.6).
RATE_LIMITED: Final = "Rate limit exceeded. Try again later."


def rate_limited(window: RateLimitWindow) -> OAuthRefusal:
    """Too many calls (contract 1.6 gives the body)."""
    return OAuthRefusal("invalid_client", RATE_LIMITED, 429, window.resets_at)


OAUTH_CLIENT_INVALID_STATE = ErrorCode("OAUTH_CLIENT_INVALID_STATE", 409, "The OAuth client is revoked")
