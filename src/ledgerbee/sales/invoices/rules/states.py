"""Where an invoice stands, and what moves it on. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ledgerbee.core.money import EXACT
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, Invoice, InvoiceStatus

#: Booked and not settled: a payment may come, also before the mail has gone out.
PAYABLE: Final = frozenset(
    {InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING, InvoiceStatus.SENT, InvoiceStatus.PARTIALLY_PAID}
)
#: Something was paid on it.
PAID_ON: Final = frozenset({InvoiceStatus.PAID, InvoiceStatus.PARTIALLY_PAID})
#: On the way to the customer.
_UNDERWAY: Final = frozenset({InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING})
#: Where a delivery moves an invoice. What isn't on its way stays: payments and credits outrank delivery.
WHEN_CLAIMED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SENDING)
WHEN_DELIVERED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SENT)
WHEN_FAILED: Final[Mapping[StrEnum, StrEnum]] = dict.fromkeys(_UNDERWAY, InvoiceStatus.SCHEDULED)


def require_status(invoice: Invoice, allowed: Iterable[InvoiceStatus]) -> None:
    """Raises `INVOICE_INVALID_STATE` with the present status."""
    if invoice.status not in allowed:
        raise INVOICE_INVALID_STATE.in_state(invoice.status.value)


def status_when_sent(delivery_type: DeliveryType, amount: Decimal) -> InvoiceStatus:
    """Handed over by the sender it is sent at once; otherwise the worker has to deliver it.

    An `amount` of 0.00 is paid at once, also while its mail waits: payment outranks delivery (decisions "Documents").
    """
    if not amount:
        return InvoiceStatus.PAID
    return InvoiceStatus.SENT if delivery_type is DeliveryType.MANUAL else InvoiceStatus.SCHEDULED


def settle(invoice: Invoice, amount: Decimal, now: datetime) -> Invoice:
    """The invoice after a payment of `amount`, which is no more than what is due.

    Raises `INVOICE_INVALID_STATE` for a draft or an invoice that has nothing open.
    """
    require_status(invoice, PAYABLE)
    paid = EXACT.add(invoice.amount_paid, amount)
    status = InvoiceStatus.PAID if paid == invoice.amount else InvoiceStatus.PARTIALLY_PAID
    return replace(invoice, amount_paid=paid, status=status, updated_at=now)


def reopen(invoice: Invoice, amount: Decimal, delivery: DeliveryStatus | None, now: datetime) -> Invoice:
    """The invoice after a payment of `amount` was taken back; `delivery` is the status of its newest delivery.

    Raises `INVOICE_INVALID_STATE` for an invoice on which nothing is paid.
    """
    require_status(invoice, PAID_ON)
    paid = EXACT.subtract(invoice.amount_paid, amount)
    return replace(invoice, amount_paid=paid, status=status_when_reopened(invoice, paid, delivery), updated_at=now)


def status_when_reopened(invoice: Invoice, paid: Decimal, delivery: DeliveryStatus | None) -> InvoiceStatus:
    """After a payment was taken back that leaves `paid`: without any, where its (latest) delivery has left it."""
    if paid:
        return InvoiceStatus.PARTIALLY_PAID
    if invoice.sent_at is not None:
        return InvoiceStatus.SENT
    return InvoiceStatus.SENDING if delivery is DeliveryStatus.SENDING else InvoiceStatus.SCHEDULED
