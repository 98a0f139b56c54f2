"""What is decided of invoices. Pure, split by subject."""

from ledgerbee.sales.invoices.rules.booking import book
from ledgerbee.sales.invoices.rules.checks import check_seller, check_sendable, warnings
from ledgerbee.sales.invoices.rules.draft import check_days, decide, given_before, terms
from ledgerbee.sales.invoices.rules.entry import entry_text
from ledgerbee.sales.invoices.rules.prepayments import (
    check_deductible,
    check_given_back,
    check_not_deducted,
    given_by_added,
)
from ledgerbee.sales.invoices.rules.states import (
    CREDITABLE,
    PAID_ON,
    PAYABLE,
    WHEN_CLAIMED,
    WHEN_DELIVERED,
    WHEN_FAILED,
    apply_credit,
    cancel,
    credit,
    reopen,
    require_status,
    settle,
    status_when_reopened,
    status_when_sent,
    take_up_again,
    write_off,
)

__all__ = [
    "CREDITABLE",
    "PAID_ON",
    "PAYABLE",
    "WHEN_CLAIMED",
    "WHEN_DELIVERED",
    "WHEN_FAILED",
    "apply_credit",
    "book",
    "cancel",
    "check_days",
    "check_deductible",
    "check_given_back",
    "check_not_deducted",
    "check_seller",
    "check_sendable",
    "credit",
    "decide",
    "entry_text",
    "given_before",
    "given_by_added",
    "reopen",
    "require_status",
    "settle",
    "status_when_reopened",
    "status_when_sent",
    "take_up_again",
    "terms",
    "warnings",
    "write_off",
]
