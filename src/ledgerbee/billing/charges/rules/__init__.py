"""Rules of charges. Pure."""

from ledgerbee.billing.charges.rules.bills import share_bill, within_left, without_void
from ledgerbee.billing.charges.rules.due import next_recurring, next_usage, usage_grid
from ledgerbee.billing.charges.rules.pricing import price_for_period, share_of
from ledgerbee.billing.charges.rules.proration import Credit, Settlement, billed_charges, left_of, settle

__all__ = [
    "Credit",
    "Settlement",
    "billed_charges",
    "left_of",
    "next_recurring",
    "next_usage",
    "price_for_period",
    "settle",
    "share_bill",
    "share_of",
    "usage_grid",
    "within_left",
    "without_void",
]
