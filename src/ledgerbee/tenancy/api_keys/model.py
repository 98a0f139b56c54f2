"""API keys (contract 1.2, 2.2)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret: that is shown once, at creation. Moments are aware UTC.

    `created_by` is the actor that made it, as in events.
    """

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None
    created_by: str | None = None


API_KEY_NOT_FOUND = ErrorCode("API_KEY_NOT_FOUND", 404, "No such API key in the company")
