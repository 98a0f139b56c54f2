"""What payments and declines of charges are to subscriptions."""

from typing import NamedTuple
from uuid import UUID

from ledgerbee.tenancy.company.model import AfterLastDecline


class EndedCharge(NamedTuple):
    """A charge that has ended, as far as subscriptions go by it.

    `pays` says whether it paid something of its invoice, `is_last` whether no other charge is under way or comes by
    itself, `is_due` whether something is due on the invoice, `is_cancelled` whether somebody cancelled it.
    """

    id: UUID
    invoice_id: UUID
    decline_code: str | None
    pays: bool
    is_last: bool
    is_due: bool
    is_cancelled: bool


class UnpaidInvoice(NamedTuple):
    """An invoice of subscriptions that no charge is under way of: what the company does then, and those that it bills
    and that are to be charged automatically, but for what waits to be paid for at all."""

    setting: AfterLastDecline
    subscription_ids: list[UUID]
