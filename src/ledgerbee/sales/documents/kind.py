"""A kind of billing document, as the code for documents of any kind knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import (
    Computed,
    Document,
    DocumentKind,
    DraftFields,
    FullDocument,
    Line,
    MailText,
    Sources,
    Tax,
    Terms,
)
from ledgerbee.sales.documents.printing import Attach
from ledgerbee.sales.templates.model import TemplateType
from ledgerbee.tenancy.company.model import Company

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)


Completing = Callable[[Context, F, UUID | None, str, Sources, Computed, Sequence[Line]], Awaitable[Computed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOfKind(Generic[D]):
    """The journal entry that a document of a kind is booked by."""

    entry_type: EntryType
    #: Its text: of the document with its number, the customer's name, in a language.
    text: Callable[[D, str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KindOfDocument(Generic[F, D]):
    """All that differs between kinds where documents are drafted, kept, printed and delivered.

    What only one kind does (its journal entry, what settles it) is in its own folder.
    """

    #: What snapshots, deliveries and the sources of journal entries call it.
    kind: DocumentKind
    template_type: TemplateType
    #: The number series.
    series: str

    # Rows
    table: str
    lines_table: str
    #: The column by which a line says whose it is.
    lines_key: str
    row: type[D]
    #: A row of the lines' table.
    line: type[Line] = Line
    fields: type[F]
    statuses: type[StrEnum]

    # Refusals
    not_found: ErrorCode
    invalid_state: ErrorCode
    recipient_missing: ErrorCode

    # Drafts
    draft: StrEnum
    #: Refuses days that can't be, given today.
    check: Callable[[F, date], None]
    #: What lines that were added say of what the author gave.
    given_by_added: Callable[[Sequence[Line]], Mapping[str, Any]] = lambda _added: {}
    #: The kind's own columns: what was given, and the customer's or company's word where nothing was.
    decide: Callable[[F, Company, BillingFacts], Mapping[str, Any]]
    #: The reverse of `decide`: what the author gave of the kind's own fields, as far as it survives the changes.
    given_before: Callable[[D, Changes[F]], Mapping[str, Any]]
    #: Of drafts that other documents add lines to, or have booked elsewhere: the draft with that. It is told what was
    #: given, the draft's id (None: a new one), its currency and sources, what was computed, and the lines before.
    complete: Completing[F] | None = None
    #: How lines are taxed, by `tax_key`, where it is not by the sales of their prices alone.
    own_taxes: Callable[[Context, D, Sequence[Line], Mapping[UUID, Tax]], Awaitable[Mapping[UUID, Tax]]] | None = None

    # Booking
    #: None for a kind that isn't booked: it is numbered and kept as it was sent, and the ledger knows nothing of it.
    entry: EntryOfKind[D] | None

    # Printing
    terms: Callable[[D], Terms]
    #: The VAT that the document charges in the company's currency, where it says so.
    vat_in_base: Callable[[Computed, Conversion, BillingFacts], Decimal | None]
    #: What the PDF of a sent document holds: its e-invoice. None for a kind that is none.
    attach: Attach | None = None

    # Delivery: the status after each step; one that isn't there stays (what was paid outranks delivery).
    when_claimed: Mapping[StrEnum, StrEnum]
    when_delivered: Mapping[StrEnum, StrEnum]
    when_failed: Mapping[StrEnum, StrEnum]
    mail: Mapping[str, MailText]
    #: The address of a document's page for its buyer, by its id; None without one. None for a kind without pages.
    page: Callable[[Context, UUID], Awaitable[str | None]] | None = None

    # Events
    #: The wire form for events.
    event_form: Callable[[FullDocument[D]], Awaitable[dict[str, Any]]]
    #: Emits that a delivery was given up; the form is the document's, with the delivery.
    emit_delivery_failed: Callable[[Context, D, dict[str, Any]], None]


AnyKind = KindOfDocument[Any, Any]
