"""Applying a saved card to subscriptions, on the wire (contract 2.20)."""

from typing import Annotated

from pydantic import Field

from ledgerbee.http.wire import IdText, RequestModel, ResponseModel, WholeNumber


class ApplyPaymentMethodRequest(RequestModel):
    """How a card is set on subscriptions."""

    enable_automatic_billing: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Whether their invoices are charged to it from now on; false leaves that as it is",
        examples=[True],
    )


class ApplyPaymentMethodResponse(ResponseModel):
    """What a card was set on."""

    payment_method_id: IdText = Field(description="The card")
    updated_subscriptions: WholeNumber = Field(
        description="Subscriptions that are paid with it now, those that were before among them", examples=[2]
    )
    skipped_subscriptions: WholeNumber = Field(
        description="Subscriptions that were passed over, as a parent of the customer pays for them", examples=[0]
    )
