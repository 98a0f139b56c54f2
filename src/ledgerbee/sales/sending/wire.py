"""How a document that is booked is sent, on the wire (contract 2.19, 2.22)."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.http.fields import BLANK_IS_NULL, MAX_EMAIL, normalised_email
from ledgerbee.http.wire import EXAMPLE_ID, Id, RequestModel, ResponseModel, Trimmed, blank_or, omitted
from ledgerbee.parties.wire import Flag, NullableEan
from ledgerbee.sales.delivery.model import Delivery, DeliveryType
from ledgerbee.sales.delivery.rules import addresses_in

#: At most so many addresses that one mail goes to (decisions "Documents").
MAX_RECIPIENTS: Final = 5
_LONGEST: Final = MAX_RECIPIENTS * MAX_EMAIL + 2 * (MAX_RECIPIENTS - 1)


def _check_emails(text: str) -> str:
    """The addresses in their standard form, each once, whatever the case of its letters."""
    given = addresses_in(text)
    addresses: dict[str, str] = {}
    for address in given[: MAX_RECIPIENTS + 1]:
        normalised = normalised_email(address) if len(address) <= MAX_EMAIL else None
        if normalised is None or len(given) > MAX_RECIPIENTS:
            raise PydanticCustomError("isEmail", "must be an email, or up to five, separated by commas")
        addresses.setdefault(normalised.casefold(), normalised)
    return ", ".join(addresses.values())


#: One to five e-mail addresses, separated by commas, or null.
NullableEmails = Annotated[
    Annotated[str, Trimmed(_LONGEST), AfterValidator(_check_emails)] | None,
    BLANK_IS_NULL,
    blank_or({"type": "string", "maxLength": _LONGEST}),
    Field(examples=["faktura@example.com, bogholder@example.com"]),
]


class SendRequest(RequestModel):
    """How to send it."""

    delivery_type: DeliveryType = Field(
        DeliveryType.MANUAL, description="`Email` needs an address; `Sproom`, as an e-invoice, the receiver's endpoint"
    )
    override_email: NullableEmails = omitted(
        description="Send here instead of to the contact or customer: one to five addresses, separated by commas. Each "
        "gets a mail of its own"
    )
    override_ean_number: NullableEan = omitted(description="EAN (GLN) to put on it instead of the customer's")
    update_customer_record: Flag = Field(
        False, description="Keep the overrides on the customer: of several addresses the first"
    )
    document_template_id: Id | None = omitted(description="Template to use instead of the draft's")


class SendResponse(ResponseModel):
    """What became of it."""

    success: bool
    delivery_type: DeliveryType
    sproom_document_id: str | None = Field(
        description="Id of the delivery as an e-invoice, null for other deliveries", examples=[EXAMPLE_ID]
    )


def sproom_document_id(delivery: Delivery) -> str | None:
    """The id that the answer to a send has: that of a delivery as an e-invoice."""
    return str(delivery.id) if delivery.delivery_type is DeliveryType.SPROOM else None
