"""Quotes: what a customer is offered (contract 2.25, decisions "Documents")."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import DraftFields, FullDocument
from ledgerbee.sales.presales.model import Presale

QuoteId = NewType("QuoteId", UUID)


class QuoteStatus(StrEnum):
    """Where a quote stands, as it is kept."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class QuoteDisplayStatus(StrEnum):
    """Where a quote stands, as it is shown: `expired` is a sent one after `validUntil`."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CONVERTED = "converted"


class QuoteFields(DraftFields, frozen=True, kw_only=True):
    """What an author says of a quote. Without `valid_until` it doesn't expire; that day is the last one."""

    valid_until: date | None = None


class Quote(Presale, frozen=True, kw_only=True):
    """One quote. `answered_at` is when it was accepted or rejected, `answered_by` who said so, where that is known.

    `answer_comment` is what was said to a rejection.
    """

    id: QuoteId
    status: QuoteStatus
    valid_until: date | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer_comment: str | None = None
    converted_to_order_confirmation_id: UUID | None = None

    @property
    def is_converted(self) -> bool:
        """Whether an order confirmation or an invoice was made of it."""
        return self.converted_to_invoice_id is not None or self.converted_to_order_confirmation_id is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """The buyer's answer, `accepted` or `rejected`; `comment` goes with a rejection."""

    status: QuoteStatus
    answered_by: str | None = None
    comment: str | None = None


FullQuote = FullDocument[Quote]

QUOTE_NOT_FOUND = ErrorCode("QUOTE_NOT_FOUND", 404, "No such quote in the company")
QUOTE_INVALID_STATE = ErrorCode("QUOTE_INVALID_STATE", 409, "The quote's status does not allow this")
QUOTE_RECIPIENT_MISSING = ErrorCode(
    "QUOTE_RECIPIENT_MISSING",
    400,
    "There is no address to send to: neither recipientEmail nor the contact's or customer's",
)
