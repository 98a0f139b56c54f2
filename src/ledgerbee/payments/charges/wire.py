"""The wire form of a charge: what operations answer with and what its events carry."""

from datetime import date as day

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import IdText, Moment, MoneyText, ResponseModel
from ledgerbee.payments.charges.model import Charge, ChargeStatus
from ledgerbee.payments.providers.model import ProviderName


class ChargeResponse(ResponseModel):
    """A charge of a saved card for what was due on an invoice."""

    id: IdText
    reference: str = Field(description="What the provider knows it by", examples=["7K2M9QX4ZD1P5RTA"])
    invoice_id: IdText
    customer_id: IdText
    payment_method_id: IdText
    provider: ProviderName = Field(description="Where the card is saved", examples=["stripe"])
    provider_id: str | None = Field(description="The provider's id of it, once it has told it")
    amount: MoneyText
    currency: str = Field(description="The invoice's", examples=["DKK"])
    status: ChargeStatus = Field(
        description="`unclear`: the provider gave no answer yet, and is asked until it does. `succeeded` and `failed` "
        "are final"
    )
    decline_code: str | None = Field(description="Why it failed, by the provider's own code", examples=[None])
    decline_message: str | None = Field(description="The provider's words", examples=[None])
    is_soft_decline: bool | None = Field(description="Whether a later charge may go through", examples=[None])
    action_url: str | None = Field(description="Where the card's owner confirms it, while it `requires_action`")
    confirm_by: day | None = Field(
        description="While it `requires_action`, the company's day on which it is cancelled by itself", examples=[None]
    )
    cancel_asked_at: Moment | None = Field(
        description="Since when the provider is asked to cancel it. It may still succeed: it may have been confirmed "
        "meanwhile",
        examples=[None],
    )
    attempt: int = Field(description="Charges of the invoice that followed each other, this one included")
    retry_on: day | None = Field(description="When the next one comes by itself")
    payment_id: IdText | None = Field(description="The payment on the invoice that it became")
    unapplied_amount: MoneyText = Field(
        description="What it was more than was due by then: it stands on the account of unidentified receipts",
        examples=["0.00"],
    )
    unapplied_entry_id: IdText | None = Field(description="The entry that booked that")
    finished_at: Moment | None = Field(description="When it succeeded or failed")
    created_at: Moment
    updated_at: Moment


def render(charge: Charge) -> ChargeResponse:
    return ChargeResponse(
        **{
            **fields_of(charge),
            "amount": format_amount(charge.amount, charge.currency),
            "unapplied_amount": format_amount(charge.unapplied_amount, charge.currency),
        }
    )
