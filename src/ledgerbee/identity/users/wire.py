"""Members and invitations on the wire (ours: the original has them in its app)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.core.fields import fields_of
from ledgerbee.http.fields import MAX_EMAIL
from ledgerbee.http.wire import IdText, Moment, RequestModel, ResponseModel, Trimmed
from ledgerbee.identity.users.model import Invitation, InvitationStatus, Member, Role
from ledgerbee.identity.users.rules import account_email, status_of

_ROLE = "What the member may do: `owner`, `accountant`, `sales` or `read-only`; each is a set of scopes"
_LANGUAGE = "The language of pages and mail: `da` or `en`"


def _check_email(value: str) -> str:
    found = account_email(value)
    if found is None:
        raise PydanticCustomError("isEmail", "must be an email")
    return found


class UserResponse(ResponseModel):
    """A member of the company."""

    id: IdText = Field(description="The user: the same in each company that the user works in")
    email: str = Field(examples=["mette@example.com"])
    name: str = Field(examples=["Mette Holm"])
    role: Role = Field(description=_ROLE)
    language: str = Field(description=_LANGUAGE, examples=["da"])
    has_second_factor: bool = Field(description="Whether signing in takes more than the password")
    last_signed_in_at: Moment | None = Field(description="When the user last came to this company; null: never")
    created_at: Moment = Field(description="When the user became a member")
    updated_at: Moment = Field(description="When the role was last changed")


class UpdateUserRequest(RequestModel):
    """The role to give."""

    role: Role = Field(description=_ROLE)


class CreateInvitationRequest(RequestModel):
    """Whom to invite, as what."""

    email: Annotated[str, Trimmed(MAX_EMAIL), AfterValidator(_check_email)] = Field(
        description="Where the invitation is mailed to; only whoever has this address can accept it",
        examples=["mette@example.com"],
        json_schema_extra={"format": "email"},
    )
    role: Role = Field(description=_ROLE)
    language: Literal["da", "en"] | None = Field(default=None, description=f"{_LANGUAGE}; null: the company's")


class InvitationResponse(ResponseModel):
    """An invitation, without its link."""

    id: IdText
    email: str = Field(examples=["mette@example.com"])
    role: Role = Field(description=_ROLE)
    language: str = Field(description=_LANGUAGE, examples=["da"])
    status: InvitationStatus = Field(description="`pending`, `accepted`, `revoked` or `expired`")
    invited_by: str = Field(
        description="Who invited, as in audit events", examples=["user:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"]
    )
    created_at: Moment
    expires_at: Moment
    accepted_at: Moment | None = Field(description="When it was accepted; null: it was not")
    revoked_at: Moment | None = Field(description="When it was withdrawn; null: it was not")


def render_member(member: Member) -> UserResponse:
    """A member on the wire."""
    values = fields_of(member)
    values["id"] = member.user_id
    return UserResponse(**{name: values[name] for name in UserResponse.model_fields})


def render_invitation(invitation: Invitation, now: datetime) -> InvitationResponse:
    """An invitation on the wire, as it stands at a moment."""
    return InvitationResponse(**fields_of(invitation), status=status_of(invitation, now))
