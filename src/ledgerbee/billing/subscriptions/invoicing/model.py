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
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import ZERO
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

    @property
    def shares(self) -> tuple[BillShare, ...]:
        """Where each charge stands."""
        placed = (*(share for one in self.invoices for share in one.shares), *self.on_notes, *self.set_off)
        return tuple(one.share for one in placed)


class CreditSource(NamedTuple):
    """A line that a negative line of an invoice takes back: what a note finds no room for there, it finds here."""

    subscription_id: UUID
    invoice_id: UUID
    invoice_line_id: UUID
    amount: Decimal


@dataclass(slots=True)
class InvoiceLeft:
    """What credit notes may still take of an invoice: in all, of each subscription that is on it, and of each line.

    It is taken from while notes are planned. A subscription's credits never take what another one was billed.

    `sources` are behind its negative lines: the invoices that billed what those take back.
    """

    number: str
    customer_id: UUID
    left: Decimal
    chains: dict[UUID, Decimal]
    lines: dict[UUID, Decimal]
    sources: tuple[CreditSource, ...] = ()


class CreditPart(NamedTuple):
    """An amount that a note takes of an invoice's line."""

    invoice_id: UUID
    invoice_line_id: UUID
    amount: Decimal


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
