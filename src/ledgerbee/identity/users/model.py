"""People who sign in, and their places in companies (ours: the original has them in its app)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

UserId = NewType("UserId", UUID)
MembershipId = NewType("MembershipId", UUID)

USER_NOT_FOUND = ErrorCode("USER_NOT_FOUND", 404, "No such user is a member of the company")


class Role(StrEnum):
    """What a member is in a company; which scopes that gives stands in `rules.SCOPES_OF`."""

    OWNER = "owner"
    ACCOUNTANT = "accountant"
    SALES = "sales"
    READ_ONLY = "read-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A user's place in a company. Moments are aware UTC."""

    id: MembershipId
    user_id: UserId
    role: Role
    created_at: datetime
    updated_at: datetime
