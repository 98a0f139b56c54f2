"""What can be done with usage, split by verb.

For billing: `hold` before spans are changed, `reattribute` after it, and `quantities` to bill by.
"""

from ledgerbee.billing.usage.actions.attribute import hold, quantities, reattribute
from ledgerbee.billing.usage.actions.change import amend, withdraw
from ledgerbee.billing.usage.actions.report import report, report_batch

__all__ = ["amend", "hold", "quantities", "reattribute", "report", "report_batch", "withdraw"]
