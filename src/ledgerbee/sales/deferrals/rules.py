"""What is deferred of an invoice's lines, and what is earned of it when (decisions "Deferred revenue"). Pure.

Revenue is earned by days: through a day, the rounded share of the days up to it. What a month earns is what is earned
through its last day less what was before, so that the months sum up to the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.catalog.prices.model import ZoneSale
from ledgerbee.core.dates import add_months, first_of_month, last_of_month
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import EXACT, ONE, ZERO, allocate, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, other
from ledgerbee.sales.deferrals.model import (
    DEFERRED_REVENUE,
    INVOICE_DEFERRAL_ACCOUNT_MISSING,
    SOURCE_TYPE,
    CreditedDeferrals,
    Deferral,
    DeferralCredit,
    Deferred,
    DueDeferral,
    Recognition,
    RecognitionBooks,
    Recognized,
)
from ledgerbee.sales.documents.model import BookedDocument, Computed, Line, period_of
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.rendering.formatting import format_month

_DAY: Final = timedelta(days=1)


def earned(amount: Decimal, first: date, last: date, through: date, currency: str) -> Decimal:
    """What of `amount` for the days from `first` to `last` is earned through a day: its share by days, rounded once."""
    days = min((through - first).days, (last - first).days) + 1
    if days <= 0:
        return ZERO
    return round_money(EXACT.divide(multiply(amount, Decimal(days)), Decimal((last - first).days + 1)), currency)


def deferred(
    computed: Computed, sales: Mapping[UUID, ZoneSale], issue_date: date, currency: str, account_id: UUID | None
) -> dict[UUID, Deferred]:
    """What of an invoice's lines is deferred, by line: of those whose days end after the invoice's month and whose
    product group defers, all but what was earned before that month. `account_id` is that of deferred revenue.

    Lines whose group books to that account by itself are left as they are. Raises `INVOICE_DEFERRAL_ACCOUNT_MISSING`.
    """
    found = {}
    ends = last_of_month(issue_date)
    for line in computed.lines:
        period = period_of(line)
        if period is None or period.end <= ends or line.net is None or line.price_id is None:
            continue
        if not sales[line.price_id].defers:
            continue
        before = first_of_month(issue_date) - _DAY
        amount = EXACT.subtract(line.net, earned(line.net, *period, before, currency))
        if not amount:
            continue
        if account_id is None:
            raise INVOICE_DEFERRAL_ACCOUNT_MISSING.error(role=DEFERRED_REVENUE)
        if account_id != _revenue_account(computed, line):
            found[line.id] = Deferred(account_id, amount)
    return found


def _revenue_account(computed: Computed, line: Line) -> UUID:
    assert line.tax_key is not None
    return computed.taxes[line.tax_key].account_id


class _Group(NamedTuple):
    """What of an entry is deferred together: on one line of it."""

    account_id: UUID
    vat_code_id: UUID | None
    vat_rate: Decimal | None
    side: Side


def deferrals_of(
    invoice: BookedDocument,
    computed: Computed,
    parts: Mapping[UUID, Deferred],
    lines: Iterable[LineToPost],
    conversion: Conversion,
    now: datetime,
) -> tuple[Deferral, ...]:
    """The deferrals of an invoice that is booked by these `lines`, of which `parts` are deferred.

    In the company's currency they sum up to what their lines of the entry were booked at, by largest remainder.
    """
    booked: dict[_Group, Decimal] = defaultdict(lambda: ZERO)
    for posted in lines:
        if posted.line_type is LineType.ENTERED:
            key = _Group(posted.account_id, posted.vat_code_id, posted.vat_rate, posted.side)
            booked[key] = EXACT.add(booked[key], posted.base_amount)
    members: dict[_Group, list[Deferral]] = {}
    for line in computed.lines:
        part, period = parts.get(line.id), period_of(line)
        if part is None or period is None or line.tax_key is None or line.net is None:
            continue
        tax = computed.taxes[line.tax_key]
        side = Side.CREDIT if part.amount > 0 else Side.DEBIT
        key = _Group(part.account_id, tax.vat_code_id, tax.rate if tax.vat_code_id else None, side)
        base_amount = conversion.in_base(part.amount)
        members.setdefault(key, []).append(
            Deferral(
                invoice_line_id=line.id,
                invoice_id=invoice.id,
                account_id=part.account_id,
                revenue_account_id=tax.account_id,
                period_start=period.start,
                period_end=period.end,
                amount=part.amount,
                base_amount=base_amount,
                amount_left=part.amount,
                base_amount_left=base_amount,
                scheduled_from=period.start,
                scheduled_amount=line.net,
                scheduled_base_amount=conversion.in_base(line.net),
                next_month=first_of_month(max(period.start, invoice.issue_date)),
                created_at=now,
            )
        )
    return tuple(
        it
        for key, group in members.items()
        for it in _summing_to(booked[key] if key.side is Side.CREDIT else -booked[key], group, conversion)
    )


def _summing_to(base_amount: Decimal, group: Sequence[Deferral], conversion: Conversion) -> list[Deferral]:
    """The deferrals of one line of an entry, which was booked at `base_amount`: positive is in credit."""
    if conversion.is_base:
        return list(group)
    shares = allocate(base_amount, [abs(one.amount) for one in group], conversion.base_currency)
    return [replace(one, base_amount=share, base_amount_left=share) for one, share in zip(group, shares, strict=True)]


def recognize(
    due: Sequence[DueDeferral], month: date, on: date, books: RecognitionBooks, entry_id: UUID, now: datetime
) -> Recognized:
    """What is recognised for a month, by its first day, of deferrals of which it is due.

    Its entry is in the company's currency on the day `on`, deferred revenue against revenue; there is none where
    nothing is earned.
    """
    deferrals, recognitions = [], []
    through = last_of_month(month)
    for deferral, currency in ((one.deferral, one.currency) for one in due):
        amount = _earned_now(deferral, through, deferral.scheduled_amount, deferral.amount_left, currency)
        base_amount = _earned_now(
            deferral, through, deferral.scheduled_base_amount, deferral.base_amount_left, books.base_currency
        )
        after = _with_left(
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


def _earned_now(deferral: Deferral, through: date, scheduled: Decimal, left: Decimal, currency: str) -> Decimal:
    """What is earned through a day and not recognised yet: nothing of the other sign, and no more than is left."""
    target = earned(scheduled, deferral.scheduled_from, deferral.period_end, through, currency)
    if through >= deferral.period_end:
        return left
    return _within(left, EXACT.subtract(target, EXACT.subtract(scheduled, left)))


def _within(bound: Decimal, value: Decimal) -> Decimal:
    """`value`, but not beyond `bound` and not on the other side of zero."""
    return min(max(value, ZERO), bound) if bound >= 0 else max(min(value, ZERO), bound)


def _with_left(deferral: Deferral, amount: Decimal, base_amount: Decimal, next_month: date) -> Deferral:
    return replace(
        deferral,
        amount_left=amount,
        base_amount_left=base_amount,
        next_month=next_month if amount or base_amount else None,
    )


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


def credited(
    lines: Iterable[tuple[UUID, UUID, Decimal]],
    note_id: UUID,
    deferrals: Sequence[Deferral],
    conversion: Conversion,
) -> CreditedDeferrals:
    """What a credit note takes off deferrals: as much of each line as isn't recognised yet, the rest off revenue.

    `lines` are the note's, the invoice's line that each credits, and its net (of the other sign than that). What is
    left is recognised by days over the days that are left. In the company's currency it is taken at the invoice's rate,
    with the last of it all that is left.
    """
    now = {one.invoice_line_id: one for one in deferrals}
    taken: dict[UUID, tuple[Decimal, Decimal]] = {}
    parts: dict[UUID, Deferred] = {}
    base_amounts: dict[UUID, Decimal] = {}
    for line_id, invoice_line_id, net in lines:
        deferral = now.get(invoice_line_id)
        if deferral is None:
            continue
        amount = _within(deferral.amount_left, -net)
        if not amount:
            continue
        is_last = amount == deferral.amount_left
        left = deferral.base_amount_left
        base_amount = left if is_last else _within(left, conversion.in_base(amount))
        now[invoice_line_id] = _rescheduled(deferral, amount, base_amount)
        before = taken.get(invoice_line_id, (ZERO, ZERO))
        taken[invoice_line_id] = EXACT.add(before[0], amount), EXACT.add(before[1], base_amount)
        parts[line_id] = Deferred(deferral.account_id, -amount)
        base_amounts[line_id] = -base_amount
    return CreditedDeferrals(
        deferred=parts,
        base_amounts=base_amounts,
        credits=[
            DeferralCredit(credit_note_id=note_id, invoice_line_id=line_id, amount=amount, base_amount=base_amount)
            for line_id, (amount, base_amount) in taken.items()
        ],
        deferrals=[now[line_id] for line_id in taken],
    )


def _rescheduled(deferral: Deferral, amount: Decimal, base_amount: Decimal) -> Deferral:
    """The deferral with so much less left, which is recognised over the days that are."""
    assert deferral.next_month is not None
    less = _with_left(
        deferral,
        EXACT.subtract(deferral.amount_left, amount),
        EXACT.subtract(deferral.base_amount_left, base_amount),
        deferral.next_month,
    )
    return replace(
        less,
        scheduled_from=max(deferral.next_month, deferral.period_start),
        scheduled_amount=less.amount_left,
        scheduled_base_amount=less.base_amount_left,
    )
