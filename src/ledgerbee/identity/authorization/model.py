"""The authorization server: who asks, what for, and what a member agreed to (OAuth 2.1, RFC 6749, 7591, 8707, 9207)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from ledgerbee.identity.connections.model import ConnectionId
from ledgerbee.identity.users.model import MembershipId, UserId

#: The kinds of credentials that stand for what a member agreed to, and how they begin.
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 a kind, not a secret
CODE_PREFIX: Final = "lbc_"
REFRESH_PREFIX: Final = "lbn_"

#: How long a code is good for (OAuth 2.1, 4.1.2: short), and a refresh token that was exchanged (decisions "OAuth").
CODE_LIFE: Final = timedelta(seconds=60)
ROTATION_GRACE: Final = timedelta(seconds=30)

#: Characters of a redirect URI, redirect URIs of a client, characters of its name as it is shown, of a state.
MAX_URI: Final = 2048
MAX_REDIRECT_URIS: Final = 20
MAX_NAME: Final = 100
MAX_STATE: Final = 1024

#: Calls in 60 seconds: registrations from an address and in all.
REGISTRATION_HITS: Final = 10
REGISTRATION_HITS_IN_ALL: Final = 60
#: Registered clients that nobody has used yet; of more than these the oldest go, once they are an hour old.
MOST_UNUSED_CLIENTS: Final = 10_000

#: Bytes and seconds of a client metadata document (contract decision D3).
DOCUMENT_BYTES: Final = 5 * 1024
DOCUMENT_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application: its id, how it calls itself, and where answers for it may go.

    `host` is the host of its metadata document, which says so much of who it is; None for one that registered itself.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    host: str | None = None
    is_confidential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What an application says of itself when it registers (RFC 7591), as far as it is supported."""

    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str
    grant_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request for a member's consent, all of it checked but for what depends on the company.

    `scopes` are the known ones that were asked for; empty: whatever may be had. `resource` is the path of the address
    that tokens are wanted for, `company_id` the company that it names (None: the member chooses one).
    """

    client: Client
    redirect_uri: str
    state: str | None
    challenge: str
    scopes: tuple[str, ...]
    resource: str
    company_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """What a member agreed to, for the application to fetch. Its id is that of the connection to come.

    Moments are aware UTC; `challenge` is that of PKCE, `resource` the path of an address.
    """

    id: ConnectionId
    membership_id: MembershipId
    user_id: UserId
    client_id: str
    client_name: str
    redirect_host: str
    redirect_uri: str
    challenge: str
    resource: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token of a connection, by its hash. One that was exchanged has its successor, encrypted with itself.

    Moments are aware UTC.
    """

    token_hash: bytes
    connection_id: ConnectionId
    created_at: datetime
    rotated_at: datetime | None = None
    successor: bytes | None = None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What an application gets: a token that lets it in for a while, and one that fetches the next."""

    access: str
    refresh: str
    scopes: tuple[str, ...]


class Access(StrEnum):
    """What a member lets an application do of what it asks for."""

    READ = "read"
    FULL = "full"


class RequestRefusedError(Exception):
    """An authorization request that can't be answered as it is: the application is told so (RFC 6749, 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class ClientRefusedError(Exception):
    """Who asks is unknown, or wants the answer to go where it may not: told to the person, and nobody else."""
