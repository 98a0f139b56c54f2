"""API keys and OAuth clients on the wire, without their secrets, and the fields that requests for both have."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.wire import IdText, Line, Moment, RequestModel, ResponseModel, Trimmed
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.grants.model import ApiKey, OAuthClient

_MAX_ENTRIES: Final = 100
_CREATED_BY: Final = "Who made it, as in audit events; null: made before that was noted"
_EXAMPLE_ACTOR: Final = "api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"

Scopes = Annotated[
    list[Annotated[str, StringConstraints(strict=True, max_length=100)]],
    Field(
        min_length=1,
        max_length=_MAX_ENTRIES,
        description="Scopes it carries; only ones that the caller carries itself",
        examples=[["customers-read", "invoices-write"]],
        json_schema_extra={"items": {"type": "string", "enum": list(SCOPES)}},
    ),
]
#: The reference's name of it (contract 2.2), in requests and answers.
_IP_ALLOWLIST: Final = "ipWhitelist"
IpAllowlist = Annotated[
    list[Annotated[str, Trimmed(100)]],
    Field(
        alias=_IP_ALLOWLIST,
        max_length=_MAX_ENTRIES,
        description="IP addresses and networks (CIDR) it may be used from; empty: anywhere",
        examples=[["203.0.113.7", "2001:db8::/32"]],
    ),
]
IpAllowlistText = Annotated[
    list[str],
    Field(alias=_IP_ALLOWLIST, description="Addresses and networks it works from; empty: anywhere"),
]


class GrantRequest(RequestModel):
    """What a key or client is called, and what it may do."""

    name: Line
    scopes: Scopes
    ip_allowlist: IpAllowlist

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)


class ApiKeyResponse(ResponseModel):
    """A key without its secret."""

    id: IdText
    name: str = Field(examples=["Web shop"])
    prefix: str = Field(description="How the key begins, to recognise it", examples=["lb_x7Kq2"])
    scopes: list[str]
    ip_allowlist: IpAllowlistText
    expires_at: Moment | None
    created_at: Moment
    revoked_at: Moment | None
    created_by: str | None = Field(description=_CREATED_BY, examples=[_EXAMPLE_ACTOR])


class OAuthClientResponse(ResponseModel):
    """A client without its secret."""

    id: IdText = Field(alias="clientId", description="What it calls itself at the token endpoint")
    name: str = Field(examples=["Nightly sync"])
    scopes: list[str]
    ip_allowlist: IpAllowlistText
    created_at: Moment
    revoked_at: Moment | None
    expires_at: Moment | None = Field(description="With the credential that made it; null: never")
    created_by: str | None = Field(description=_CREATED_BY, examples=[_EXAMPLE_ACTOR])


def render_key(key: ApiKey) -> ApiKeyResponse:
    """A key on the wire."""
    return ApiKeyResponse.of_row(key)


def render_client(client: OAuthClient) -> OAuthClientResponse:
    """A client on the wire."""
    return OAuthClientResponse.of_row(client)
