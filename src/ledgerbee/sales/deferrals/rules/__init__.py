"""What is deferred of an invoice's lines, and what is earned of it when (decisions "Deferred revenue"). Pure.

Revenue is earned by days: through a day, the rounded share of the days up to it. What a month earns is what is earned
through its last day less what was before, so that the months sum up to the whole. A credit note that gives days back
takes what is earned on these days, any other one of all days that aren't earned yet.
"""

from ledgerbee.sales.deferrals.rules.crediting import credited
from ledgerbee.sales.deferrals.rules.deferring import deferrals_of, deferred
from ledgerbee.sales.deferrals.rules.recognizing import check_month, recognize
from ledgerbee.sales.deferrals.rules.schedule import earned

__all__ = ["check_month", "credited", "deferrals_of", "deferred", "earned", "recognize"]
