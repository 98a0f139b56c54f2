"""Where an invoice stands, and what moves it on. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ZERO
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, Invoice, InvoiceStatus

#: Booked and not settled: a payment may come, also before the mail has gone out.
PAYABLE: Final = frozenset(
    {InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING, InvoiceStatus.SENT, InvoiceStatus.PARTIALLY_PAID}
)
#: Something may have been paid on it.
PAID_ON: Final = frozenset({InvoiceStatus.PAID, InvoiceStatus.PARTIALLY_PAID, InvoiceStatus.CREDITED})
#: Booked and not given up: a credit note may come, also when all is paid.
CREDITABLE: Final = PAYABLE | PAID_ON
#: What is said of an invoice that was given up.
_GIVEN_UP: Final = "The invoice is written off as uncollectible: take that back first (POST .../write-off/reverse)"
#: On the way to the customer.
_UNDERWAY: Final = frozenset({InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING})
#: Where a delivery moves an invoice. What isn't on its way stays: payments and credits outrank delivery.
WHEN_CLAIMED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SENDING)
WHEN_DELIVERED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SENT)
WHEN_FAILED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SCHEDULED)


def require_status(invoice: Invoice, allowed: Iterable[InvoiceStatus]) -> None:
    """Raises `INVOICE_INVALID_STATE` with the present status, and the way on from one that was given up."""
    if invoice.status not in allowed:
        message = _GIVEN_UP if invoice.status is InvoiceStatus.UNCOLLECTIBLE else None
        raise INVOICE_INVALID_STATE.in_state(invoice.status.value, message)


def status_when_sent(delivery_type: DeliveryType, amount: Decimal) -> InvoiceStatus:
    """Handed over by the sender it is sent at once; otherwise the worker has to deliver it.

    An `amount` of 0.00 is paid at once, also while its mail waits: payment outranks delivery (decisions "Documents").
    """
    if not amount:
        return InvoiceStatus.PAID
    return InvoiceStatus.SENT if delivery_type is DeliveryType.MANUAL else InvoiceStatus.SCHEDULED


def cancel(invoice: Invoice, now: datetime) -> Invoice:
    """A draft that is given up: it never gets a number and is never booked.

    Raises `INVOICE_INVALID_STATE` for anything else; what is booked is credited instead.
    """
    require_status(invoice, {InvoiceStatus.DRAFT})
    return replace(invoice, status=InvoiceStatus.CANCELLED, updated_at=now)


def settle(invoice: Invoice, amount: Decimal, now: datetime) -> Invoice:
    """The invoice after a payment of `amount`, which is no more than what is due.

    Raises `INVOICE_INVALID_STATE` for a draft or an invoice that has nothing open.
    """
    require_status(invoice, PAYABLE)
    paid = replace(invoice, amount_paid=EXACT.add(invoice.amount_paid, amount), updated_at=now)
    return replace(paid, status=_settled_status(paid) or InvoiceStatus.PARTIALLY_PAID)


def credit(invoice: Invoice, amount: Decimal, now: datetime, *, is_last: bool = True) -> Invoice:
    """The invoice after a credit note of `amount` (positive) was sent, which may be more than what is due.

    In part it stays as it was, and what is due ages and takes payments. It is credited with all of its amount, unless
    that isn't the last of it (`credit_notes.rules.is_credited`): what prepayments pay for is left. Raises
    `INVOICE_INVALID_STATE`.
    """
    require_status(invoice, CREDITABLE)
    credited = replace(invoice, credited_amount=EXACT.add(invoice.credited_amount, amount), updated_at=now)
    if is_last and credited.credited_amount == credited.amount:
        return replace(credited, status=InvoiceStatus.CREDITED)
    return replace(credited, status=_settled_status(credited) or invoice.status)


def apply_credit(invoice: Invoice, amount: Decimal, now: datetime) -> Invoice:
    """The invoice after credit of the customer's was used on it, no more than what is due: as after a payment.

    Raises `INVOICE_INVALID_STATE` for a draft or an invoice that has nothing open.
    """
    require_status(invoice, PAYABLE)
    applied = replace(invoice, applied_credit=EXACT.add(invoice.applied_credit, amount), updated_at=now)
    return replace(applied, status=_settled_status(applied) or InvoiceStatus.PARTIALLY_PAID)


def write_off(invoice: Invoice, now: datetime) -> Invoice:
    """The invoice after all that is due was given up: uncollectible, and nothing is due.

    It takes no payment and no credit note until that is taken back. Raises `INVOICE_INVALID_STATE` for a draft or an
    invoice that has nothing open.
    """
    require_status(invoice, PAYABLE)
    return replace(invoice, status=InvoiceStatus.UNCOLLECTIBLE, written_off_amount=invoice.amount_due, updated_at=now)


def take_up_again(invoice: Invoice, delivery: DeliveryStatus | None, now: datetime) -> Invoice:
    """The invoice after a write-off was taken back: due, and where it stood before; `delivery` as for `reopen`.

    Raises `INVOICE_INVALID_STATE` for an invoice that isn't uncollectible.
    """
    require_status(invoice, {InvoiceStatus.UNCOLLECTIBLE})
    paid = EXACT.add(invoice.amount_paid, invoice.applied_credit)
    status = status_when_reopened(invoice, paid, delivery)
    return replace(invoice, status=status, written_off_amount=ZERO, updated_at=now)


def _settled_status(invoice: Invoice) -> InvoiceStatus | None:
    """The status of an invoice on which nothing is due: given up, credited if it was, else paid. None: something is."""
    if invoice.written_off_amount:
        return InvoiceStatus.UNCOLLECTIBLE
    if invoice.amount_due:
        return None
    return InvoiceStatus.CREDITED if invoice.status is InvoiceStatus.CREDITED else InvoiceStatus.PAID


def reopen(invoice: Invoice, amount: Decimal, delivery: DeliveryStatus | None, now: datetime) -> Invoice:
    """The invoice after a payment of `amount` was taken back; `delivery` is the status of its newest delivery.

    Raises `INVOICE_INVALID_STATE` for an invoice on which nothing is paid.
    """
    require_status(invoice, PAID_ON)
    opened = replace(invoice, amount_paid=EXACT.subtract(invoice.amount_paid, amount), updated_at=now)
    paid = EXACT.add(opened.amount_paid, opened.applied_credit)
    status = _settled_status(opened) or status_when_reopened(invoice, paid, delivery)
    return replace(opened, status=status)


def status_when_reopened(invoice: Invoice, paid: Decimal, delivery: DeliveryStatus | None) -> InvoiceStatus:
    """After a payment was taken back that leaves `paid`, or credit that is used: without any, where its (latest)
    delivery has left it.
    """
    if paid:
        return InvoiceStatus.PARTIALLY_PAID
    if invoice.sent_at is not None:
        return InvoiceStatus.SENT
    return InvoiceStatus.SENDING if delivery is DeliveryStatus.SENDING else InvoiceStatus.SCHEDULED
