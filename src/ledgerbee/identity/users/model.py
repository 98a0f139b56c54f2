"""People who sign in, and their places in companies (ours: the original has them in its app)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

UserId = NewType("UserId", UUID)
MembershipId = NewType("MembershipId", UUID)
InvitationId = NewType("InvitationId", UUID)

USER_NOT_FOUND = ErrorCode("USER_NOT_FOUND", 404, "No such user is a member of the company")
USER_ALREADY_EXISTS = ErrorCode("USER_ALREADY_EXISTS", 409, "Whoever has this e-mail address is a member already")
LAST_OWNER = ErrorCode("LAST_OWNER", 409, "The last owner of a company stays one: make somebody else an owner first")
INVITATION_NOT_FOUND = ErrorCode("INVITATION_NOT_FOUND", 404, "No such invitation to the company")
INVITATION_ALREADY_EXISTS = ErrorCode(
    "INVITATION_ALREADY_EXISTS", 409, "There is an open invitation for this e-mail address: revoke it first"
)
INVITATION_INVALID_STATE = ErrorCode(
    "INVITATION_INVALID_STATE", 409, "The invitation was accepted or revoked, or is over"
)

#: The kind of the credential behind an invitation's link, and how the link's secret begins.
INVITATION: Final = "invitation"
INVITATION_PREFIX: Final = "lbi_"
#: How long an invitation can be accepted.
INVITATION_LIFE: Final = timedelta(days=7)
#: Payload `invitationId`.
INVITATION_JOB: Final = "mail_invitation"
#: Longest name of a person.
MAX_NAME: Final = 200


class Role(StrEnum):
    """What a member is in a company; which scopes that gives stands in `rules.SCOPES_OF`."""

    OWNER = "owner"
    ACCOUNTANT = "accountant"
    SALES = "sales"
    READ_ONLY = "read-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A user's place in a company. Moments are aware UTC; `last_signed_in_at` is of this company."""

    id: MembershipId
    user_id: UserId
    role: Role
    created_at: datetime
    updated_at: datetime
    last_signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Membership):
    """A membership with what the company may know of the person."""

    email: str
    name: str
    language: str
    has_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Somebody who is asked to work in the company. Moments are aware UTC; `invited_by` is an actor as audit has it."""

    id: InvitationId
    email: str
    role: Role
    language: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None


class InvitationStatus(StrEnum):
    """What has become of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"
