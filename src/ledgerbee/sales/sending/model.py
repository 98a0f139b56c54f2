"""What sending documents of any kind is told, what it loads, and all that it writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from msgspec import Struct

from ledgerbee.catalog.prices.model import ZoneSale
from ledgerbee.ledger.entries.model import EntryToPost, LineType
from ledgerbee.platform.context import Context
from ledgerbee.sales.deferrals.model import CreditedDeferrals, Deferral
from ledgerbee.sales.delivery.model import Delivery, DeliveryType
from ledgerbee.sales.documents.model import Computed, Document, FullDocument, Sources
from ledgerbee.sales.documents.printing import Trials
from ledgerbee.sales.documents.snapshot import Addressee, InBase
from ledgerbee.sales.templates.model import DocumentTemplate
from ledgerbee.tenancy.rates.model import Rate

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How to send. The overrides are for this send only, unless `update_customer_record` keeps them.

    `override_email` is an address or several, separated by commas.
    """

    delivery_type: DeliveryType
    override_email: str | None = None
    override_ean_number: str | None = None
    update_customer_record: bool = False
    document_template_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Which document is sent and how; `trials` are what came of documents that had to be tried (`with_trials`)."""

    document_id: UUID
    options: SendOptions
    trials: Trials = field(default_factory=dict)


class Draft(NamedTuple, Generic[D]):
    """A locked draft that is to be sent, with its lines, and the context of the command that said so."""

    context: Context
    command: SendCommand
    full: FullDocument[D]


class BookedOn(NamedTuple):
    """What of a document is booked together: revenue or VAT, on an account, with a VAT code and a rate (or None)."""

    line_type: LineType
    account_id: UUID
    vat_code_id: UUID | None
    vat_rate: Decimal | None


class BookedLeft(NamedTuple):
    """What is left of that after the document's credit notes; positive is in credit. `base_amount` is as booked."""

    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class SendSources:
    """All that is decided by when a draft is sent, beside the draft, its lines and the options.

    `sales` are where the lines are booked, by price; `rate` is None where there is none for the day, and for
    a kind that isn't booked.
    """

    sources: Sources
    sales: Mapping[UUID, ZoneSale]
    rate: Rate | None


class Booking(Struct, Generic[D], frozen=True):
    """All there is to write of a draft that is sent. Document and entry lack the number, which is taken last.

    `entry` is None for a kind that isn't booked. `deferrals` are what an invoice defers, `credited` is what a credit
    note takes off what its invoice deferred.
    """

    document: D
    entry: EntryToPost | None
    computed: Computed
    addressee: Addressee
    template: DocumentTemplate | None
    in_base: InBase | None
    recipient: str | None
    deferrals: tuple[Deferral, ...] = ()
    credited: CreditedDeferrals | None = None


#: A kind's decision: all there is to write of a draft, or the first refusal, raised. The moment is when it is sent.
Book = Callable[[D, SendSources, Computed, SendOptions, datetime], Booking[D]]


class Decided(Struct, Generic[D], frozen=True):
    """A draft with all there is to write of it; `content` is its snapshot, without the number."""

    draft: Draft[D]
    sources: Sources
    booking: Booking[D]
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SentDocument(Generic[D]):
    """A document that was sent, with what it was sent by and its hand-over; `full` is as it is now."""

    decided: Decided[D]
    full: FullDocument[D]
    delivery: Delivery


class SentAgain(NamedTuple, Generic[D]):
    """A document that was handed over once more, before and after."""

    before: FullDocument[D]
    after: FullDocument[D]
    delivery: Delivery
