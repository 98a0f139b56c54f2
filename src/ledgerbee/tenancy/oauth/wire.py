"""OAuth clients on the wire (ours: the original makes them in its app)."""

from pydantic import Field

from ledgerbee.http.wire import Line, changes_to, omitted
from ledgerbee.tenancy.grants.model import SubjectFields
from ledgerbee.tenancy.grants.wire import GrantRequest, IpAllowlist, OAuthClientResponse, Scopes


class CreatedOAuthClientResponse(OAuthClientResponse):
    """A new client, with its secret."""

    client_secret: str | None = Field(
        description="The secret itself. Shown this once: a replayed answer has null here."
    )


class CreateOAuthClientRequest(GrantRequest):
    """What a new client needs."""

    name: Line = Field(description="What the client is for", examples=["Nightly sync"])
    ip_allowlist: IpAllowlist = Field(default_factory=list)


class UpdateOAuthClientRequest(GrantRequest):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    name: Line = omitted(description="What the client is for")
    scopes: Scopes = omitted()
    ip_allowlist: IpAllowlist = omitted()


changes_of = changes_to(SubjectFields, UpdateOAuthClientRequest)
