"""The wire form of a refund: what operations answer with and what its events carry."""

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ZERO, format_amount
from ledgerbee.http.wire import IdText, Moment, MoneyText, ResponseModel
from ledgerbee.payments.charge_returns.model import ChargeReturn
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.payments.refunds.model import Refund, RefundStatus


class ChargeRefundResponse(ResponseModel):
    """A refund of a charge."""

    id: IdText
    reference: str = Field(description="What the provider knows it by", examples=["7K2M9QX4ZD1P5RTA"])
    charge_id: IdText = Field(description="The charge that it gives back of")
    invoice_id: IdText = Field(description="The invoice that was charged")
    customer_id: IdText
    provider: ProviderName = Field(description="Who gives it back", examples=["stripe"])
    provider_id: str | None = Field(description="The provider's id of it, once it has told it")
    amount: MoneyText
    currency: str = Field(description="The charge's", examples=["DKK"])
    status: RefundStatus = Field(
        description="`unclear`: the provider gave no answer yet, and is asked until it does. `succeeded` and `failed` "
        "are final"
    )
    failure_code: str | None = Field(description="Why it failed, by the provider's own code", examples=[None])
    failure_message: str | None = Field(description="The provider's words", examples=[None])
    invoice_amount: MoneyText = Field(
        description="What is paid less on the invoice by it: first off the credit that a credit note made, then it is "
        "due again"
    )
    unapplied_amount: MoneyText = Field(
        description="What was given back of the charge's `unappliedAmount`", examples=["0.00"]
    )
    unidentified_amount: MoneyText = Field(
        description="What neither had any more: it stands on the account of unidentified receipts", examples=["0.00"]
    )
    journal_entry_id: IdText | None = Field(description="The entry that booked it; null unless it succeeded")
    finished_at: Moment | None = Field(description="When it succeeded or failed")
    created_at: Moment
    updated_at: Moment


def render(refund: Refund, gone: ChargeReturn | None) -> ChargeRefundResponse:
    """A refund on the wire, with what was booked of it."""
    parts = {
        "invoice_amount": ZERO if gone is None else gone.settled_amount,
        "unapplied_amount": ZERO if gone is None else gone.unapplied_amount,
        "unidentified_amount": ZERO if gone is None else gone.unidentified_amount,
    }
    return ChargeRefundResponse(
        **{**fields_of(refund), "amount": format_amount(refund.amount, refund.currency)},
        **{name: format_amount(amount, refund.currency) for name, amount in parts.items()},
        journal_entry_id=None if gone is None else gone.journal_entry_id,
    )
