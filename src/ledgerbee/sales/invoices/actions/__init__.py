"""What can be done with an invoice, split by verb."""

from ledgerbee.sales.invoices.actions.deliver import claim_delivery, give_up_delivery, record_delivery_attempt
from ledgerbee.sales.invoices.actions.draft import create, delete, update
from ledgerbee.sales.invoices.actions.preview import document
from ledgerbee.sales.invoices.actions.send import SendOptions, send
from ledgerbee.sales.invoices.actions.settle import reopen, settle

__all__ = [
    "SendOptions",
    "claim_delivery",
    "create",
    "delete",
    "document",
    "give_up_delivery",
    "record_delivery_attempt",
    "reopen",
    "send",
    "settle",
    "update",
]
