"""Audit events: who changed what, by which credential, from where and when, and how it was before."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

AuditEventId = NewType("AuditEventId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """A row of the company's events. `occurred_at` is aware UTC; `sequence` counts the events of the object from 1.

    The credential is that of the request (None: the operator, or a job), as is the address. `data` and `before` are
    JSON as the database writes it, both None of an event whose JSON is long: `size` says how long in bytes, or more.
    """

    id: AuditEventId
    type: str
    object_id: UUID
    sequence: int
    data: str | None
    before: str | None
    size: int
    actor: str
    credential_kind: str | None
    credential_id: UUID | None
    address: str | None
    request_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What the list is narrowed to. `since` and `until` are aware UTC, both inclusive."""

    type: str | None = None
    object_id: UUID | None = None
    actor: str | None = None
    credential_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    request_id: str | None = None


AUDIT_EVENT_NOT_FOUND = ErrorCode("AUDIT_EVENT_NOT_FOUND", 404, "No such audit event in the company")
