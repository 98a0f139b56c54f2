"""The wire form of a write-off, and what its requests bring."""

from collections.abc import Iterable
from datetime import date as day

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import given
from ledgerbee.http.wire import Day, IdText, Moment, MoneyText, RequestModel, ResponseModel, Text
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.write_offs.model import WriteOff


class CreateWriteOffRequest(RequestModel):
    """How an invoice is given up."""

    date: Day | None = Field(
        None, description="The day on which the loss is established. Default: today, or the invoice's day if later"
    )
    description: Text | None = Field(None, description="Why; the text of the journal entry starts with it")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No mistyped year."""
        yield lambda: check_date(given(self.date), facts.today)


class ReverseWriteOffRequest(RequestModel):
    """How a write-off is taken back."""

    date: Day | None = Field(None, description="Day of the reversal. Default: today, or the write-off's day if later")
    description: Text | None = Field(None, description="Default: names the number of the entry that is reversed")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No mistyped year."""
        yield lambda: check_date(given(self.date), facts.today)


class WriteOffResponse(ResponseModel):
    """What was given up of an invoice."""

    id: IdText
    invoice_id: IdText
    date: day
    amount: MoneyText = Field(description="What was due, VAT included", examples=["1250.00"])
    loss: MoneyText = Field(description="`amount` without `vatAmount` and `prepaidAmount`", examples=["1000.00"])
    prepaid_amount: MoneyText = Field(
        description="Of a prepayment invoice that no booked invoice deducts: `amount` without `vatAmount`. It leaves "
        "prepayments and is no loss",
        examples=["0.00"],
    )
    vat_amount: MoneyText = Field(description="The VAT in `amount`, which is not owed any more", examples=["250.00"])
    currency: str = Field(description="The invoice's", examples=["DKK"])
    description: str | None
    journal_entry_id: IdText
    reversed_at: Moment | None = Field(description="When it was taken back; it counts no more")
    reversal_entry_id: IdText | None = Field(description="The entry that reverses `journalEntryId`")
    created_at: Moment


def render(write_off: WriteOff, invoice: Invoice) -> WriteOffResponse:
    """The wire form of a write-off of an invoice."""
    amounts = ("amount", "loss", "prepaid_amount", "vat_amount")
    return WriteOffResponse(
        **{
            **fields_of(write_off),
            **{name: format_amount(getattr(write_off, name), invoice.currency) for name in amounts},
        },
        date=write_off.written_off_on,
        currency=invoice.currency,
    )
