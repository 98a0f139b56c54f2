"""What can be done with usage, split by verb.

For billing: `hold` before spans are changed, `reattribute` after it, and `quantities` to bill by. For backfills:
`prepare` and what follows it in `report`, `hold_all`, and `note_moved` after events were moved.
"""

from ledgerbee.billing.usage.actions.attribute import hold, hold_all, note_moved, quantities, reattribute
from ledgerbee.billing.usage.actions.change import amend, withdraw
from ledgerbee.billing.usage.actions.report import (
    all_recorded,
    meter_named,
    prepare,
    report,
    report_batch,
    settle_repeated,
)

__all__ = [
    "all_recorded",
    "amend",
    "hold",
    "hold_all",
    "meter_named",
    "note_moved",
    "prepare",
    "quantities",
    "reattribute",
    "report",
    "report_batch",
    "settle_repeated",
    "withdraw",
]
