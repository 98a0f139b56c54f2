"""OAuth clients on the wire (ours: the original makes them in its app)."""

from collections.abc import Iterable

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.wire import Line, RequestModel, changes_to, omitted
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.grants.model import SubjectFields
from ledgerbee.tenancy.grants.wire import IpAllowlist, OAuthClientResponse, Scopes


class CreatedOAuthClientResponse(OAuthClientResponse):
    """A new client, with its secret."""

    client_secret: str | None = Field(
        description="The secret itself. Shown this once: a replayed answer has null here."
    )


class CreateOAuthClientRequest(RequestModel):
    """What a new client needs."""

    name: Line = Field(description="What the client is for", examples=["Nightly sync"])
    scopes: Scopes
    ip_allowlist: IpAllowlist = Field(default_factory=list)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)


class UpdateOAuthClientRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    name: Line = omitted(description="What the client is for")
    scopes: Scopes = omitted()
    ip_allowlist: IpAllowlist = omitted()

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)


changes_of = changes_to(SubjectFields, UpdateOAuthClientRequest)
