"""Bills of subscriptions on their way to become invoices and credit notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct, field

from ledgerbee.billing.charges.model import BillShare, Charge
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.timelines.model import Span
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import ZERO, total
from ledgerbee.sales.invoices.model import InvoiceId

#: A chain with what became of it.
AdvancedChain = tuple[LoadedChain, Advanced]


class InvoiceShare(Struct, frozen=True):
    """A charge that stands on an invoice, with the chain that it is of."""

    loaded: LoadedChain
    share: BillShare


class PlannedInvoice(Struct, frozen=True):
    """An invoice for one payer of one billing date: of one subscription, or of children that a parent pays for, by
    whose numbers its shares are in order."""

    id: InvoiceId
    payer_id: UUID
    on: date
    currency: str
    shares: tuple[InvoiceShare, ...]


class InvoicePlan(NamedTuple):
    """What bills become: invoices, the shares that credit notes take, and those that stand on earlier invoices."""

    invoices: tuple[PlannedInvoice, ...]
    on_notes: tuple[InvoiceShare, ...]
    set_off: tuple[InvoiceShare, ...]


class CreditSource(NamedTuple):
    """A line that a negative line (`negative_line_id`) of an invoice takes back, for the days of `service`: what a note
    finds no room for on that invoice, it finds here."""

    negative_line_id: UUID
    service: Span
    invoice_id: UUID
    invoice_line_id: UUID


class LineBooking(NamedTuple):
    """The subscription that a line of an invoice is of, and how it is booked."""

    subscription_id: UUID
    account_id: UUID | None
    vat_code_id: UUID | None
    vat_rate: Decimal | None


@dataclass(slots=True)
class InvoiceLeft:
    """What credit notes may still take of an invoice: in all, and of each line of a subscription, below zero of a
    negative one.

    It is taken from while notes are planned. A subscription's credits never take what another one was billed, nor what
    its own lines that are booked otherwise were.

    `sources` are behind its negative lines: the invoices that billed what those take back. `days` says of each line the
    days that it is for and its net, and the same of what notes took of it, below zero; where there are sources.
    """

    number: str
    customer_id: UUID
    exchange_rate: Decimal | None
    left: Decimal
    lines: dict[UUID, Decimal]
    bookings: dict[UUID, LineBooking]
    sources: tuple[CreditSource, ...]
    days: dict[UUID, list[tuple[Span, Decimal]]]

    def left_of_booking(self, booking: LineBooking) -> Decimal:
        """What is left of the lines of a subscription that are booked alike."""
        return total([left for line_id, left in self.lines.items() if self.bookings[line_id] == booking])


class CreditPart(NamedTuple):
    """An amount that a note takes of an invoice's line for some days. Of a negative line it is below zero: that much is
    not taken back any more."""

    invoice_id: UUID
    invoice_line_id: UUID
    amount: Decimal
    service: Span


class Refund(Struct, frozen=True, kw_only=True):
    """What a cancellation gave back; `amount` excludes VAT and is positive. `reason` says why it is nothing."""

    credit_note_ids: tuple[UUID, ...] = ()
    amount: Decimal = ZERO
    reason: str | None = None


class Invoiced(Struct, frozen=True, kw_only=True):
    """What was made of the bills of a chain: its charges as they stand (a credit of several notes
    is a row for each), its invoices in order, and credit notes.

    `is_deliverable` is False where an invoice has no address to go to. `uncharged` says by the code of an error why an
    invoice can't be charged to its card.
    """

    charges: Sequence[Charge]
    invoice_ids: tuple[UUID, ...] = ()
    credit_note_ids: tuple[UUID, ...] = ()
    refund: Refund = field(default_factory=Refund)
    is_deliverable: bool = True
    uncharged: Mapping[UUID, str] = field(default_factory=dict)


class PayersRefusedError(LedgerBeeError):
    """Some payers can't be billed; nothing may be written with them. `faults` has the reason for each subscription that
    they pay for: who that is may have changed since somebody looked."""

    def __init__(self, faults: Mapping[UUID, LedgerBeeError]) -> None:
        first = next(iter(faults.values()))
        super().__init__(first.error_code, first.message, first.details)
        self.faults = faults
