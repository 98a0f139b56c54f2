"""The delivery of a document on the wire."""

from collections.abc import Sequence

from pydantic import Field

from ledgerbee.http.wire import Moment, ResponseModel
from ledgerbee.sales.delivery.model import Attempt, Delivery, DeliveryStatus, DeliveryType, Outcome


class DeliveryAttemptResponse(ResponseModel):
    """One try to deliver."""

    at: Moment
    channel: str = Field(examples=["smtp"])
    recipient: str = Field(examples=["faktura@example.com"])
    outcome: Outcome
    message: str | None = Field(examples=["250 2.0.0 Ok: queued as 4F1A2"])
    provider_id: str | None


class DeliveryStatusResponse(ResponseModel):
    """Where the delivery of a document stands."""

    status: DeliveryStatus = Field(description="`pending` also before it is sent")
    delivery_type: DeliveryType | None = Field(description="Null before it is sent")
    attempts: list[DeliveryAttemptResponse] = Field(description="Oldest first")


def render_status(latest: Delivery | None, attempts: Sequence[Attempt]) -> DeliveryStatusResponse:
    """Where the newest delivery of a document stands, with the attempts of all."""
    return DeliveryStatusResponse(
        status=latest.status if latest else DeliveryStatus.PENDING,
        delivery_type=latest.delivery_type if latest else None,
        attempts=[DeliveryAttemptResponse.model_validate(attempt) for attempt in attempts],
    )
