"""Who gets a document that is sent, and its number. Pure."""

from typing import TypeVar

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.fields import replace
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.addressing import recipient
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import Document, Sources
from ledgerbee.sales.sending.model import Booking, SendOptions

D = TypeVar("D", bound=Document)


def recipient_of(sources: Sources, options: SendOptions, missing: ErrorCode) -> str | None:
    """The address that a mail goes to, None where none is sent. Raises `missing`."""
    if options.delivery_type is not DeliveryType.EMAIL:
        return None
    contacts = (sources.contact, sources.facts.default_contact)
    return recipient(options.override_email, contacts, sources.facts.customer, missing)


def numbered(kind: AnyKind, booking: Booking[D], sequence: int, number: str, language: str) -> Booking[D]:
    """The booking with the number that was taken for it; `language` is that of its entry's text."""
    document = replace(booking.document, number=number, number_sequence=sequence)
    entry = booking.entry
    if entry is not None and kind.entry is not None:
        text = kind.entry.text(document, booking.addressee.customer.name, language)
        entry = replace(entry, description=text, reference=number)
    return replace(booking, document=document, entry=entry)
