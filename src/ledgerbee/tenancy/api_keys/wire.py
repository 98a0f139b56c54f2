"""API keys on the wire (contract 2.2; making and revoking them is ours)."""

from collections.abc import Iterable

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import RequestMoment
from ledgerbee.http.wire import Line, Moment, ResponseModel, omitted
from ledgerbee.tenancy.api_keys import rules
from ledgerbee.tenancy.grants.wire import ApiKeyResponse, GrantRequest, IpAllowlist, IpAllowlistText


class RateLimitTierResponse(ResponseModel):
    """How many calls in how much time."""

    name: str = Field(examples=["default"])
    ttl: int = Field(description="Milliseconds that the limit is for; 0 = no time limit", examples=[0])
    limit: int = Field(description="Calls in that time; -1 = unlimited", examples=[-1])


class CurrentApiKeyResponse(ResponseModel):
    """The key that the request was made with."""

    rate_limit_tiers: list[RateLimitTierResponse]
    expires_at: Moment | None = Field(description="When the key stops working; null: never")
    ip_allowlist: IpAllowlistText
    scopes: list[str] = Field(examples=[["customers-read", "invoices-write"]])


class CreatedApiKeyResponse(ApiKeyResponse):
    """A new key, with its secret."""

    key: str | None = Field(description="The key itself. Shown this once: a replayed answer has null here.")


class CreateApiKeyRequest(GrantRequest):
    """What a new key needs."""

    name: Line = Field(description="What the key is for", examples=["Web shop"])
    ip_allowlist: IpAllowlist = Field(default_factory=list)
    expires_at: RequestMoment = omitted(
        description="When the key stops working, not after the key that makes it; left out: with that one, or never"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:
        """Scopes and addresses that there are, and an expiry to come."""
        yield from GrantRequest.checks(self, facts, path)  # `self` may be a part of the body: no `super()`
        yield lambda: rules.check_expiry(self.expires_at, facts.now)
