"""How a document that is booked is sent, on the wire (contract 2.19, 2.22)."""

from pydantic import Field

from ledgerbee.http.fields import NullableEmail
from ledgerbee.http.wire import Id, RequestModel, ResponseModel, omitted
from ledgerbee.parties.wire import Flag, NullableEan
from ledgerbee.sales.delivery.model import DeliveryType


class SendRequest(RequestModel):
    """How to send it."""

    delivery_type: DeliveryType = Field(
        DeliveryType.MANUAL, description="`Email` needs an address; `Sproom` needs a connected e-invoicing network"
    )
    override_email: NullableEmail = omitted(description="Send here instead of to the contact or customer")
    override_ean_number: NullableEan = omitted(description="EAN (GLN) to put on it instead of the customer's")
    update_customer_record: Flag = Field(False, description="Keep the overrides on the customer")
    document_template_id: Id | None = omitted(description="Template to use instead of the draft's")


class SendResponse(ResponseModel):
    """What became of it."""

    success: bool
    delivery_type: DeliveryType
    sproom_document_id: str | None = Field(description="The e-invoicing network's id, null for other deliveries")
