"""Applications that a member lets work in a company; a connection is of one company (contract 3.5, decisions "MCP")."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.identity.users.model import MembershipId, UserId

ConnectionId = NewType("ConnectionId", UUID)

CONNECTION_NOT_FOUND = ErrorCode("CONNECTION_NOT_FOUND", 404, "No such connection in the company")
CONNECTION_INVALID_STATE = ErrorCode("CONNECTION_INVALID_STATE", 409, "The connection is revoked")

#: How long an access token of a connection lives (decisions "OAuth and MCP").
TOKEN_LIFE: Final = timedelta(seconds=3600)
#: How long a connection lasts that isn't used: a refresh token's life, which begins anew with each use.
CONNECTION_LIFE: Final = timedelta(days=30)
#: What may be booked in a day without anybody looking, in DKK, until an owner says otherwise.
DAILY_LIMIT: Final = Decimal(10_000)
#: Where the MCP server is, for the company that was chosen at consent and for one that the address names.
MCP_PATH: Final = "/api/v1/mcp"
COMPANY_MCP_PATH: Final = "/api/v1/mcp/c/{companyId}"


class EndReason(StrEnum):
    """Why a connection was revoked."""

    #: A member did, or an API key.
    USER = "user"
    #: The application did (RFC 7009).
    APPLICATION = "application"
    #: Its authorization code came a second time.
    CODE_REUSED = "code_reused"
    #: A refresh token came again after its successor had taken over.
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 a reason, not a secret
    #: The member has left the company.
    MEMBERSHIP = "membership"
    #: The member has another password.
    PASSWORD = "password"  # noqa: S105 a reason, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConnection:
    """A connection. Moments are aware UTC; `daily_limit` is in DKK, `resource` the path of the address it is for.

    `client_id` is text: a client metadata document's is its URL. At `expires_at` it ends unless it is used before
    (None: it has no refresh token to be used).
    """

    id: ConnectionId
    membership_id: MembershipId
    user_id: UserId
    client_id: str
    client_name: str
    redirect_host: str
    resource: str
    scopes: tuple[str, ...]
    daily_limit: Decimal = DAILY_LIMIT
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_because: EndReason | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether the application can still get in."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
