"""The wire form of a dispute: what operations answer with and what its event carries."""

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ZERO, format_amount
from ledgerbee.http.wire import IdText, Moment, MoneyText, PageResponse, ResponseModel
from ledgerbee.payments.charge_returns.model import ChargeReturn
from ledgerbee.payments.disputes.model import Dispute
from ledgerbee.payments.providers.model import DisputeStatus, ProviderName


class DisputeResponse(ResponseModel):
    """A charge that the card's owner disputes, or a part of it."""

    id: IdText
    provider: ProviderName = Field(description="Who decides or passes it on", examples=["stripe"])
    provider_id: str = Field(description="The provider's id of it", examples=["dp_1QRzmtLkdIwHu7ix"])
    charge_id: IdText = Field(description="The charge that is disputed")
    invoice_id: IdText = Field(description="The invoice that was charged")
    customer_id: IdText
    status: DisputeStatus = Field(
        description="`open`: nothing is booked, and the invoice stays paid. `won`: neither. `lost`: the money is gone. "
        "`won` and `lost` are final"
    )
    amount: MoneyText
    currency: str = Field(description="The charge's", examples=["DKK"])
    fee: MoneyText = Field(description="What the provider takes for it; booked when it is lost", examples=["0.00"])
    reason: str = Field(description="The provider's word for why", examples=["fraudulent"])
    invoice_amount: MoneyText = Field(
        description="What is paid less on the invoice as it was lost: first off the credit that a credit note made, "
        "then it is due again"
    )
    unapplied_amount: MoneyText = Field(
        description="What was taken of the charge's `unappliedAmount`", examples=["0.00"]
    )
    unidentified_amount: MoneyText = Field(
        description="What the charge had no more, as it was refunded: it stands on unidentified receipts",
        examples=["0.00"],
    )
    journal_entry_id: IdText | None = Field(description="The entry that booked it; null unless it was lost")
    ended_at: Moment | None = Field(description="When it was won or lost")
    created_at: Moment
    updated_at: Moment


class ListDisputesResponse(PageResponse[DisputeResponse]):
    """A page of disputes."""


def render(dispute: Dispute, gone: ChargeReturn | None) -> DisputeResponse:
    """A dispute on the wire, with what was booked of it."""
    amounts = {
        "amount": dispute.amount,
        "fee": dispute.fee,
        "invoice_amount": ZERO if gone is None else gone.settled_amount,
        "unapplied_amount": ZERO if gone is None else gone.unapplied_amount,
        "unidentified_amount": ZERO if gone is None else gone.unidentified_amount,
    }
    return DisputeResponse(
        **{
            **fields_of(dispute),
            **{name: format_amount(amount, dispute.currency) for name, amount in amounts.items()},
        },
        journal_entry_id=None if gone is None else gone.journal_entry_id,
    )
