"""API keys and OAuth clients as the subjects of credentials (contract 1.2, 2.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.platform.credentials.model import Grant

ApiKeyId = NewType("ApiKeyId", UUID)
OAuthClientId = NewType("OAuthClientId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFields:
    """What whoever keeps a key or client says of it. `ip_allowlist` has addresses or networks; empty: any address."""

    name: str
    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(SubjectFields):
    """A key or client, without its secret: that is shown once, at creation. Moments are aware UTC.

    It expires with the credential that made it, or before; `created_by` is the actor that did, as in events.
    """

    id: UUID
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    created_by: str | None = None

    @property
    def grant(self) -> Grant:
        """What it may do."""
        return Grant(self.scopes, self.ip_allowlist, self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Subject):
    """An API key; `prefix` is how it begins."""

    id: ApiKeyId
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient(Subject):
    """An OAuth client. Its id is its `client_id`."""

    id: OAuthClientId


API_KEY_NOT_FOUND = ErrorCode("API_KEY_NOT_FOUND", 404, "No such API key in the company")
OAUTH_CLIENT_NOT_FOUND = ErrorCode("OAUTH_CLIENT_NOT_FOUND", 404, "No such OAuth client in the company")
