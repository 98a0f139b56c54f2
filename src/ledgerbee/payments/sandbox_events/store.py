"""Events of the sandbox provider as the company sees them: when each was sent, and when it came in."""

from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.payments.providers.sandbox.model import SandboxEvent
from ledgerbee.payments.sandbox_events.model import SentEvent
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_LIST: Final = f"""
SELECT {rows.columns(SandboxEvent, "e")}, r.received_at FROM page p JOIN sandbox_events e USING (company_id, id)
LEFT JOIN provider_events r ON r.company_id = e.company_id AND r.provider = 'sandbox' AND r.event_id = e.id::text
"""
_RECEIVED: Final = """
SELECT received_at FROM provider_events WHERE company_id = $1 AND provider = 'sandbox' AND event_id = $2
"""
#: Ids are made in the order of time.
_SORT_COLUMNS: Final = {"createdAt": "t.id"}


async def find_received(context: Context, event_id: UUID) -> datetime | None:
    """When an event came in first; None where it has not."""
    received_at: datetime | None = await context.connection.fetchval(_RECEIVED, context.company_id, str(event_id))
    return received_at


async def list_page(context: Context, request: PageRequest) -> Page[SentEvent]:
    """A page of the events, newest first."""
    page = await fetch_page(
        context, table="sandbox_events", select=_LIST, filters=Filter(), order_by=_SORT_COLUMNS, request=request
    )
    events = [(SandboxEvent(**{name: row[name] for name in names_of(SandboxEvent)}), row) for row in page.rows]
    return Page([SentEvent(event, row["received_at"]) for event, row in events], page.total)
