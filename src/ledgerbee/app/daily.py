"""What is done for each company once a day, in its order: at its hour, and on each day that a sandbox comes to."""

from typing import Final

from ledgerbee.billing.runs import daily as billing
from ledgerbee.ledger.periods.actions import is_year_due, open_year_of_day
from ledgerbee.payments.charges import daily as charges
from ledgerbee.payments.disputes import daily as disputes
from ledgerbee.payments.payment_methods import daily as payment_methods
from ledgerbee.payments.payouts import daily as payouts
from ledgerbee.payments.refunds import daily as refunds
from ledgerbee.platform.daily import DailyTask
from ledgerbee.sales.deferrals import daily as deferrals

DAILY: Final[tuple[DailyTask, ...]] = (
    DailyTask(name="open_financial_year", run=open_year_of_day, is_due=is_year_due),
    DailyTask(name="recognize_revenue", run=deferrals.recognize_day, is_due=deferrals.is_due),
    DailyTask(name="age_payment_methods", run=payment_methods.age_day, is_due=payment_methods.is_due),
    DailyTask(name="charges", run=charges.charge_day, is_due=charges.is_due),
    DailyTask(name="refunds", run=refunds.refund_day, is_due=refunds.is_due),
    DailyTask(name="disputes", run=disputes.dispute_day, is_due=disputes.is_due),
    DailyTask(name="payouts", run=payouts.read_day, is_due=payouts.is_due),
    DailyTask(name="billing", run=billing.run_day, is_due=billing.is_due),
)
