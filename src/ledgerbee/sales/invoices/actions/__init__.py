"""What can be done with an invoice, split by verb."""

from ledgerbee.sales.invoices.actions.draft import cancel, create, delete, update
from ledgerbee.sales.invoices.actions.issue import NewInvoice, PreparedInvoice, issue, prepare, taxed
from ledgerbee.sales.invoices.actions.send import send, send_batch
from ledgerbee.sales.invoices.actions.settle import (
    record_credit_applied,
    record_credited,
    record_given_back,
    record_settled,
    record_settled_together,
)

__all__ = [
    "NewInvoice",
    "PreparedInvoice",
    "cancel",
    "create",
    "delete",
    "issue",
    "prepare",
    "record_credit_applied",
    "record_credited",
    "record_given_back",
    "record_settled",
    "record_settled_together",
    "send",
    "send_batch",
    "taxed",
    "update",
]
