"""Who calls: the credential behind a request and what it may do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from ledgerbee.platform.context import Actor, Context
from ledgerbee.platform.db import Database, Tenant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Principal:
    """A resolved credential. `expires_at` is aware UTC; `version` tells a stale copy from the current one."""

    company_id: UUID
    kind: str
    subject_id: UUID
    scopes: frozenset[str]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    licenses: frozenset[str]
    time_zone: str
    secret_hash: bytes
    version: int

    @property
    def actor(self) -> Actor:
        """The audit trail's name for it."""
        kind = "oauth_client" if self.kind == "oauth_token" else self.kind
        return Actor(kind, str(self.subject_id))


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's principal, moment and database: enough to open transactions of its own."""

    principal: Principal
    database: Database
    request_id: str
    now: datetime

    @property
    def tenant(self) -> Tenant:
        """Whose rows the transaction may see, and the credential it checks first."""
        principal = self.principal
        return Tenant(
            company_id=principal.company_id,
            actor=principal.actor,
            request_id=self.request_id,
            time_zone=principal.time_zone,
            credential_hash=principal.secret_hash,
            credential_version=principal.version,
        )

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the caller's company."""
        return await self.database.run(self.tenant, self.now, work, read_only=True)

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the caller's company, committed on return."""
        return await self.database.run(self.tenant, self.now, work)
