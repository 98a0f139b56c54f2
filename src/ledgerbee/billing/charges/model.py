"""What subscriptions were charged and credited, price by price and period by period (decisions "Billing").

A charge is written once. The database makes a second one for the same period impossible: one row for each chain, price,
kind, period and part. Amounts are in the subscription's currency and exclude VAT; spans are half-open days.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from ledgerbee.billing.timelines.model import ProrationBehavior, Span
from ledgerbee.core.money import ZERO


class ChargeKind(StrEnum):
    """Why something is charged."""

    RECURRING = "recurring"
    ONE_TIME = "one_time"
    USAGE = "usage"
    #: What usage that came late adds to a billed period, or takes off it.
    USAGE_DIFFERENCE = "usage_difference"
    #: What a change charges and credits for the rest of a period that is billed.
    PRORATION = "proration"


class Part(NamedTuple):
    """Days of a period on which a price holds with one quantity."""

    price_id: UUID
    quantity: Decimal
    span: Span


class DuePeriod(Struct, frozen=True):
    """A period that is to be billed, in parts. `until` is where the next one begins.

    `due_on` is its billing date: the first day that it covers in advance, the day after the last one in arrears.
    `restarted_by` is the change that began its grid.
    """

    period: Span
    parts: tuple[Part, ...]
    until: date
    due_on: date
    is_arrears: bool
    proration: ProrationBehavior
    restarted_by: UUID | None = None

    @property
    def starts_late(self) -> bool:
        """Whether its first days are not covered."""
        return self.parts[0].span.start > self.period.start

    @property
    def is_partial(self) -> bool:
        """Whether days at its start or its end are not covered."""
        return self.starts_late or max(part.span.end for part in self.parts) < self.period.end


class Charge(Struct, frozen=True, kw_only=True):
    """One charge, or the credit of one (`credits_charge_id`, a `net` below zero).

    `period` is the whole period, `service` the days that it pays for. `period_amount` is what the whole period costs
    with this quantity, less discount, unrounded: `net` is its share for the days of `service`, rounded once. A charge
    that is given away has a `period_amount` of 0. `part` tells the charges of one price in a period apart: of
    RECURRING ones it is the day of the period that they begin on; `change_id`
    is the change that made it, or that began the grid of its period. `events` counts usage; `carried` is how much more
    its quantity is than what was counted: above zero what is left to the next period to take off, below zero what an
    earlier period left to this one.

    One that `waits` stands on the next regular invoice. Of a credit that the invoice has no room for, `credit_note_net`
    (positive) is what a credit note takes.
    """

    id: UUID
    subscription_id: UUID
    price_id: UUID
    kind: ChargeKind
    period: Span
    service: Span
    quantity: Decimal
    period_amount: Decimal
    discount_percent: Decimal = ZERO
    net: Decimal
    part: int = 0
    change_id: UUID | None = None
    credits_charge_id: UUID | None = None
    events: int = 0
    carried: Decimal = ZERO
    waits: bool = False
    invoice_id: UUID | None = None
    invoice_line_id: UUID | None = None
    credit_note_id: UUID | None = None
    credit_note_net: Decimal = ZERO

    @property
    def is_credit(self) -> bool:
        """Whether it takes back another one."""
        return self.credits_charge_id is not None


class BilledCharge(Struct, frozen=True):
    """A charge as it stands: what credits have left of it.

    `covered` are the days that no credit took back, `left` what of its net was not: less credits of changes, and what
    credit notes took off its invoice line, by whatever hand.
    """

    charge: Charge
    covered: tuple[Span, ...]
    left: Decimal


class Bill(Struct, frozen=True):
    """Charges and credits that leave together, with the billing date that they are due for.

    `is_refund`: by notes. One that `nets` bills a change by itself: what it charges is set off against what it credits.
    """

    on: date
    charges: tuple[Charge, ...]
    is_refund: bool = False
    nets: bool = False


class BookedAs(NamedTuple):
    """Who is billed by a line of an invoice, and how it is booked: what is taken back of it goes where that went."""

    customer_id: UUID
    customer_department_id: UUID | None
    account_id: UUID | None
    vat_code_id: UUID | None
    vat_rate: Decimal | None


class BillShare(Struct, frozen=True):
    """What of a charge stands on the invoice, and what of a credit goes onto a credit note; both positive or both not.

    `on_invoice` + `on_note` is the charge's net. With `set_off` what is `on_invoice` stands on no new one: a charge and
    the credit that pays for it, on the invoice's line of that earlier charge, which stays billed by so much.
    """

    charge: Charge
    on_invoice: Decimal
    on_note: Decimal
    set_off: UUID | None = None
