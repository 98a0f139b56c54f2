"""The auditor's look at usage: each event belongs to the chain that covers its day, and the sums of days are those of
the events.
"""

from ledgerbee.billing.usage.store.faults import FAULTS
from ledgerbee.platform.context import Context


async def fault_in_usage(context: Context) -> str | None:
    """What is wrong with the first event or day; None: nothing."""
    for statement, text in FAULTS:
        found = await context.connection.fetchval(statement, context.company_id)
        if found is not None:
            return text.format(found)
    return None
