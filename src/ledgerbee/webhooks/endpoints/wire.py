"""Webhook endpoints on the wire (contract 2.17)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.fields import fields_of
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber
from ledgerbee.http.wire import (
    IdText,
    Moment,
    RequestModel,
    ResponseModel,
    Trimmed,
    WholeNumber,
    omitted,
)
from ledgerbee.webhooks.endpoints.model import (
    MAX_COUNTED,
    CountedEndpoint,
    Counts,
    EndpointState,
    EndpointStatus,
    WebhookEndpoint,
)
from ledgerbee.webhooks.signing import SignatureType
from ledgerbee.webhooks.topics import TOPICS

#: Longest address of an endpoint.
MAX_URL: Final = 2_048
_MAX_TOPICS: Final = 500
_COUNTED: Final = f"among those of the log; counted up to {MAX_COUNTED:,}"


def _check_topic(value: str) -> str:
    if value not in TOPICS:
        raise PydanticCustomError("isIn", "must be a topic of events that can be subscribed to")
    return value


Topic = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_check_topic),
    WithJsonSchema({"type": "string", "enum": sorted(TOPICS)}),
]


class WebhookEndpointResponse(ResponseModel):
    """A webhook endpoint, and how it fares. It never has the secret."""

    id: IdText
    url: str = Field(description="Where events are sent", examples=["https://example.com/webhooks/ledgerbee"])
    description: str | None = Field(description="What the endpoint is for", examples=["Web shop"])
    enabled_events: list[str] = Field(description="Topics that it is told of", examples=[["invoice.paid"]])
    signature_type: SignatureType = Field(
        description="Standard Webhooks: `v1` is HMAC-SHA256 with the secret, `v1a` Ed25519 (extension)"
    )
    public_key: str | None = Field(
        description="What `v1a` signatures are verified with; null for `v1` (extension)",
        examples=["whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="],
    )
    previous_secret_expires_at: Moment | None = Field(
        description="Until when the secret before the present one signs too; null where there was none (extension)"
    )
    is_enabled: bool = Field(description="Whether it is sent to (extension)")
    status: EndpointStatus = Field(
        description="`backing_off`: its last delivery failed and is tried again; `disabled_by_system`: it failed for "
        "days (extension)"
    )
    status_reason: str | None = Field(
        description="Why it is disabled, for a person; null while it is sent to (extension)",
        examples=["Disabled over the API"],
    )
    status_changed_at: Moment = Field(description="Since when it is enabled, or disabled (extension)")
    failing_since: Moment | None = Field(
        description="First failure since its last success; null where there was none (extension)"
    )
    last_failure: str | None = Field(
        description="What went wrong since its last success (extension)", examples=["Answered 503"]
    )
    last_success_at: Moment | None = Field(description="When it last took a delivery (extension)")
    next_attempt_at: Moment | None = Field(
        description="When the next attempt of one of its deliveries is due; null: none is (extension)"
    )
    pending_count: WholeNumber = omitted(
        description=f"Deliveries that wait for an attempt, {_COUNTED} (extension)", examples=[0]
    )
    failed_count: WholeNumber = omitted(
        description=f"Deliveries that were given up, {_COUNTED} (extension)", examples=[0]
    )
    skipped_count: WholeNumber = omitted(
        description=f"Deliveries that were not tried as it was disabled, {_COUNTED} (extension)", examples=[0]
    )
    created_at: Moment
    updated_at: Moment


class WebhookEndpointSecretResponse(WebhookEndpointResponse):
    """A webhook endpoint with its new secret."""

    secret: str | None = Field(
        description="What `v1` deliveries are signed with. Shown this once: a replayed answer has null here. Null for "
        "`v1a`, whose private key stays here",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDpoLsoJ1gtWs="],
    )


class ListWebhookEndpointsResponse(ResponseModel):
    """A page of webhook endpoints."""

    data: list[WebhookEndpointResponse]
    total: WholeNumber = Field(description="Total number of webhook endpoints", examples=[2])
    page: WholeNumber = Field(description="Current page number", examples=[1])
    page_size: WholeNumber = Field(description="Items per page", examples=[25])


class WebhookTestResponse(ResponseModel):
    """The event that is sent as a test."""

    event_id: IdText = Field(description="The event's id: `webhook-id` of its delivery")


class CreateWebhookEndpointRequest(RequestModel):
    """What a new endpoint needs."""

    url: Annotated[str, Trimmed(MAX_URL, min_length=1)] = Field(
        description="Where events are sent: https, and a public address. No credentials, no fragment",
        examples=["https://example.com/webhooks/ledgerbee"],
    )
    enabled_events: Annotated[list[Topic], Field(min_length=1, max_length=_MAX_TOPICS)] = Field(
        description="Topics that it is told of: see the reference of events", examples=[["invoice.paid"]]
    )
    description: NullableLine = Field(None, description="What the endpoint is for (extension)", examples=["Web shop"])
    signature_type: SignatureType = omitted(
        description="How deliveries are signed: `v1` (the default) or `v1a`; settled when the endpoint is created "
        "(extension)"
    )


class UpdateWebhookEndpointRequest(CreateWebhookEndpointRequest):
    """An endpoint's fields: all of them are set."""

    is_enabled: Annotated[bool, Field(strict=True)] = omitted(
        description="Whether it is sent to; left out: as it is (extension)"
    )


class WebhookEndpointQuery(BaseModel):
    """The query parameters of the list, which has one order."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


def state_of(body: CreateWebhookEndpointRequest) -> EndpointState:
    """What a body wants an endpoint to be."""
    return EndpointState(
        url=body.url,
        topics=tuple(sorted(set(body.enabled_events))),
        description=body.description,
        signature_type=body.signature_type,
        is_enabled=body.is_enabled if isinstance(body, UpdateWebhookEndpointRequest) else None,
    )


def render(endpoint: WebhookEndpoint, public_key: str | None, counts: Counts | None = None) -> WebhookEndpointResponse:
    """An endpoint on the wire; events have it without counts."""
    return WebhookEndpointResponse(**_fields(endpoint, public_key, counts))


def render_secret(
    endpoint: WebhookEndpoint, public_key: str | None, counts: Counts, secret: str
) -> WebhookEndpointSecretResponse:
    """An endpoint with its new secret; of a `v1a` key the private half is shown to nobody."""
    shown = None if endpoint.signature_type is SignatureType.ASYMMETRIC else secret
    return WebhookEndpointSecretResponse(**_fields(endpoint, public_key, counts), secret=shown)


def _fields(endpoint: WebhookEndpoint, public_key: str | None, counts: Counts | None) -> dict[str, Any]:
    known = fields_of(endpoint)
    return {
        **{name: known[name] for name in known.keys() & WebhookEndpointResponse.model_fields.keys()},
        "enabled_events": list(endpoint.topics),
        "public_key": public_key,
        "previous_secret_expires_at": endpoint.previous_expires_at,
        "is_enabled": endpoint.is_enabled,
        "status": endpoint.shown_status,
        **({} if counts is None else fields_of(counts)),
    }


def render_page(
    found: Sequence[tuple[CountedEndpoint, str | None]], total: int, asked: PageRequest
) -> ListWebhookEndpointsResponse:
    """A page of endpoints, each with its public key, of `total` ones."""
    return ListWebhookEndpointsResponse(
        data=[render(one.endpoint, key, one.counts) for one, key in found],
        total=total,
        page=asked.page,
        page_size=asked.limit,
    )
