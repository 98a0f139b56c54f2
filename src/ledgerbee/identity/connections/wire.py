"""Connections on the wire (ours)."""

from typing import Annotated

from pydantic import Field

from ledgerbee.core.money import MAX_AMOUNT
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    DecimalText,
    IdText,
    Moment,
    RequestDecimal,
    RequestModel,
    ResponseModel,
    decimal_schema,
)
from ledgerbee.identity.connections.model import AppConnection

DailyLimit = Annotated[
    RequestDecimal,
    Field(ge=0, le=MAX_AMOUNT, decimal_places=4),
    decimal_schema("Amount in DKK. A number or a decimal string.", minimum=0, exclusiveMaximum=ABOVE_AMOUNTS),
]


class ConnectionResponse(ResponseModel):
    """An application that a member lets work in the company."""

    id: IdText = Field(description="Also the `credentialId` of the audit events that it brought about")
    user_id: IdText = Field(description="The member it works for, who is the actor of what it does")
    client_id: str = Field(
        description="What the application calls itself: the URL of its metadata document, or the id that it "
        "registered under",
        examples=["https://claude.ai/oauth/claude-code-client-metadata"],
    )
    client_name: str = Field(description="As the application itself says", examples=["Claude Code"])
    redirect_host: str = Field(description="Where the member's answer was sent to", examples=["localhost"])
    resource: str = Field(
        description="The path of the only address that its tokens are good for", examples=["/api/v1/mcp"]
    )
    scopes: list[str] = Field(description="What the member agreed to, within the member's role")
    daily_limit: DecimalText = Field(description="What it may book in a day without anybody looking, in DKK")
    created_at: Moment
    last_used_at: Moment | None = Field(description="To the hour or better; null: not yet")
    expires_at: Moment | None = Field(description="When it ends unless it is used before")
    revoked_at: Moment | None
    revoked_because: str | None = Field(
        description="`user`, `application`, `code_reused`, `refresh_token_reused`, `membership` or `password`; null: "
        "it is not revoked",
        examples=["user"],
    )


class UpdateConnectionRequest(RequestModel):
    """What of a connection can be changed."""

    daily_limit: DailyLimit


def render(connection: AppConnection) -> ConnectionResponse:
    """A connection on the wire."""
    return ConnectionResponse.of_row(connection)
