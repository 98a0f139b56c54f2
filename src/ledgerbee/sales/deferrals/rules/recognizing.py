"""What is earned of deferred revenue in a month, and its entry. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ledgerbee.core.dates import add_months, last_of_month
from ledgerbee.core.errors import invalid
from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ONE, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, Side
from ledgerbee.ledger.entries.rules import other
from ledgerbee.sales.deferrals.model import (
    SOURCE_TYPE,
    Deferral,
    HeldDeferral,
    Recognition,
    RecognitionBooks,
    Recognized,
)
from ledgerbee.sales.deferrals.rules.schedule import Amounts, left_of, scheduled, with_left
from ledgerbee.sales.documents.model import ServicePeriod
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.rendering.formatting import format_month


def recognize(
    due: Sequence[HeldDeferral], month: date, on: date, books: RecognitionBooks, entry_id: UUID, now: datetime
) -> Recognized:
    """What is recognised for a month, by its first day, of deferrals of which it is due.

    Its entry is in the company's currency on the day `on`, deferred revenue against revenue; there is none where
    nothing is earned.
    """
    deferrals, recognitions = [], []
    for held in due:
        deferral = held.deferral
        amount, base_amount = _earned_now(held, last_of_month(month), books.base_currency)
        after = with_left(
            deferral,
            EXACT.subtract(deferral.amount_left, amount),
            EXACT.subtract(deferral.base_amount_left, base_amount),
            add_months(month, 1),
        )
        deferrals.append(after)
        recognitions.append(
            Recognition(
                invoice_line_id=deferral.invoice_line_id,
                month=month,
                amount=amount,
                base_amount=base_amount,
                journal_entry_id=None,
                created_at=now,
            )
        )
    lines = _entry_lines(deferrals, recognitions)
    if not lines:
        return Recognized(deferrals, recognitions, None)
    entry = EntryToPost(
        id=entry_id,
        entry_type=EntryType.JOURNAL_ENTRY,
        date=on,
        currency=books.base_currency,
        exchange_rate=ONE,
        lines=lines,
        original_amount=total([one.base_amount for one in recognitions]),
        description=_text(month, books.language),
        journal_category_id=books.journal_category_id,
        source_type=SOURCE_TYPE,
        source_id=entry_id,
    )
    return Recognized(deferrals, [replace(one, journal_entry_id=entry_id) for one in recognitions], entry)


def _earned_now(held: HeldDeferral, through: date, base_currency: str) -> Amounts:
    """What is earned through a day and not recognised yet: nothing of the other sign, and no more than is left.

    With the last of it goes all that is left in the company's currency.
    """
    deferral = held.deferral
    left = left_of(deferral)
    if through >= deferral.period_end:
        return left
    target = scheduled(held, ServicePeriod(deferral.period_start, through))
    before = scheduled(held, deferral.period).rounded(held.currency, base_currency).less(left)
    earned = target.rounded(held.currency, base_currency).less(before).within(left)
    return left if earned.amount == left.amount else earned


def _entry_lines(deferrals: Sequence[Deferral], recognitions: Sequence[Recognition]) -> tuple[LineToPost, ...]:
    """A line for each account and side, without VAT: that was booked with the invoice."""
    pairs = list(zip(deferrals, recognitions, strict=True))
    taken_off = sums_by(
        ((deferral.account_id, one.base_amount > 0), one.base_amount) for deferral, one in pairs if one.base_amount
    )
    earns = sums_by(
        ((deferral.revenue_account_id, one.base_amount > 0), one.base_amount)
        for deferral, one in pairs
        if one.base_amount
    )
    return (
        *(_line(account_id, Side.DEBIT, amount) for (account_id, _), amount in taken_off.items()),
        *(_line(account_id, Side.CREDIT, amount) for (account_id, _), amount in earns.items()),
    )


def _line(account_id: UUID, side: Side, amount: Decimal) -> LineToPost:
    """A line of an amount, on the other side where that is negative."""
    return LineToPost(account_id, side if amount > 0 else other(side), abs(amount), base_amount=abs(amount))


def _text(month: date, language: str) -> str:
    if language == "da":
        return f"Indtægtsførsel af periodiseret omsætning, {format_month(month, 'da')}"
    return f"Deferred revenue earned, {format_month(month, 'en')}"


def check_month(month: date, on: date | None, today: date) -> None:
    """Refuse to recognise a month that isn't over, or on a day before its end or after today.

    Raises validation errors.
    """
    if last_of_month(month) >= today:
        raise invalid(("month", "maxDate", "month must have ended"))
    if on is not None and on < last_of_month(month):
        raise invalid(("date", "minDate", "date must not be before the last day of month"))
    if on is not None and on > today:
        raise invalid(("date", "maxDate", "date must not be after today"))
