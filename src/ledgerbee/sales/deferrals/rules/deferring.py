"""What is deferred of an invoice's lines. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ledgerbee.catalog.prices.model import ZoneSale
from ledgerbee.core.dates import first_of_month, last_of_month
from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ZERO, allocate
from ledgerbee.ledger.entries.model import LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.deferrals.model import (
    DEFERRED_REVENUE,
    INVOICE_DEFERRAL_ACCOUNT_MISSING,
    Deferral,
    Deferred,
)
from ledgerbee.sales.deferrals.rules.schedule import DAY, earned
from ledgerbee.sales.documents.model import BookedDocument, Computed, Line, period_of


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
        before = first_of_month(issue_date) - DAY
        amount = EXACT.subtract(line.net, earned(line.net, period, before, currency))
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
