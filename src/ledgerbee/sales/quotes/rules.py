"""What is decided of quotes. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.fields import replace
from ledgerbee.parties.customers.model import BillingFacts
from ledgerbee.sales.documents.model import MAX_DUE_DAYS, Terms
from ledgerbee.sales.documents.rules import check_date, due_on
from ledgerbee.sales.quotes.model import (
    QUOTE_INVALID_STATE,
    Answer,
    Quote,
    QuoteDisplayStatus,
    QuoteFields,
    QuoteStatus,
)
from ledgerbee.tenancy.company.model import Company

#: Statuses, as they are kept, of what can be converted: the seller may convert what has expired.
CONVERTIBLE: Final = frozenset({QuoteStatus.SENT, QuoteStatus.ACCEPTED})


def check_days(given: QuoteFields, today: date) -> None:
    """Raises validation errors."""
    check_all(
        lambda: check_date(given.issue_date, today),
        lambda: check_valid_until(given.issue_date, given.valid_until),
    )


def check_valid_until(issued: date, valid_until: date | None) -> None:
    """Raises a validation error when a quote would end before its day, or later than anything is offered for."""
    if valid_until is None:
        return
    if valid_until < issued:
        raise invalid(("validUntil", "minDate", "validUntil must not be before date"))
    if valid_until > due_on(issued, MAX_DUE_DAYS):
        raise invalid(("validUntil", "maxDate", f"validUntil must not be more than {MAX_DUE_DAYS} days after date"))


def decide(given: QuoteFields, company: Company, facts: BillingFacts) -> Mapping[str, Any]:  # noqa: ARG001
    """The columns of quotes alone: what was given."""
    return {"valid_until": given.valid_until}


def given_before(before: Quote, changes: Changes[QuoteFields]) -> Mapping[str, Any]:  # noqa: ARG001
    """What a draft's author gave of them."""
    return {"valid_until": before.valid_until}


def terms(quote: Quote) -> Terms:
    """What a quote says beside what all documents say."""
    return Terms(valid_until=quote.valid_until)


def is_expired(quote: Quote, today: date) -> bool:
    """Whether the offer has ended: from the day after `valid_until` on, the company's day."""
    return quote.valid_until is not None and quote.valid_until < today


def display_status(quote: Quote, today: date) -> QuoteDisplayStatus:
    """The status as it is shown on a day of the company's."""
    if quote.is_converted:
        return QuoteDisplayStatus.CONVERTED
    if quote.status is QuoteStatus.SENT and is_expired(quote, today):
        return QuoteDisplayStatus.EXPIRED
    return QuoteDisplayStatus(quote.status.value)


def moved(quote: Quote, changes: Changes[QuoteFields], now: datetime) -> Quote:
    """A sent quote with another `valid_until`, the only thing of it that can change.

    Raises `QUOTE_INVALID_STATE` for other changes and where the buyer has answered or it was converted, and validation
    errors.
    """
    if quote.is_converted:
        raise QUOTE_INVALID_STATE.in_state(QuoteDisplayStatus.CONVERTED)
    if quote.status is not QuoteStatus.SENT or set(changes.fields) - {"valid_until"}:
        raise QUOTE_INVALID_STATE.in_state(quote.status, "Of a sent quote only validUntil can change, until its answer")
    valid_until: date | None = changes.fields.get("valid_until", quote.valid_until)
    check_valid_until(quote.issue_date, valid_until)
    return quote if valid_until == quote.valid_until else replace(quote, valid_until=valid_until, updated_at=now)


def require_open(quote: Quote, today: date) -> None:
    """Raises `QUOTE_INVALID_STATE` for what its buyer can't answer (any more), on a day of the company's."""
    shown = display_status(quote, today)
    if shown is not QuoteDisplayStatus.SENT:
        raise QUOTE_INVALID_STATE.in_state(shown)


def answered(quote: Quote, answer: Answer, now: datetime) -> Quote:
    """A sent quote with the buyer's answer, which is given once.

    It goes by the status as it is kept: the seller may record an answer to what has expired.
    Raises `QUOTE_INVALID_STATE`.
    """
    if quote.is_converted:
        raise QUOTE_INVALID_STATE.in_state(QuoteDisplayStatus.CONVERTED)
    if quote.status is not QuoteStatus.SENT:
        raise QUOTE_INVALID_STATE.in_state(quote.status)
    return replace(
        quote,
        status=answer.status,
        answered_at=now,
        answered_by=answer.answered_by,
        answer_comment=answer.comment,
        updated_at=now,
    )
