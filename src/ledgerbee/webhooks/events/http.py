"""Routes of the feed of events (ours)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.event_pieces import EventForm, Member, events_answer
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.context import Context
from ledgerbee.platform.event_json import Texts
from ledgerbee.webhooks.events import store
from ledgerbee.webhooks.events.body import sequence_member
from ledgerbee.webhooks.events.model import EVENT_NOT_FOUND, EventId, ToldEvent
from ledgerbee.webhooks.events.wire import EventQuery, EventResponse, ListEventsResponse

router = resource_router("Events")

EventPath = Annotated[IdOf[EventId], Path(alias="eventId", description="Event ID")]


@router.get(
    "/v1/events",
    response_model=ListEventsResponse,
    **operation(
        "List events",
        scope="events-read",
        extension=True,
        description="What webhooks are told of, in the order in which it was committed, oldest first, for 90 days. Ask "
        "again with `after` the `nextCursor` of the last answer, and you get each event once and miss none: nothing "
        "that commits later appears before it. A page may be short, or empty, before the end of the feed is reached, "
        "as it looks at 100,000 events at most; the end is reached when `nextCursor` stays the same.",
        response="Events and the cursor behind them",
    ),
)
async def list_events(context: Ctx, caller: CallerDep, query: Annotated[EventQuery, Query()]) -> Response:
    page = await store.list_page(context, query.wanted, query.after or 0, query.limit)
    end = b'],"nextCursor":"%d"}' % page.looked_up_to
    return events_answer(caller, [_form(event, context) for event in page.events], EVENT_NOT_FOUND, b'{"data":[', end)


@router.get(
    "/v1/events/{eventId}",
    response_model=EventResponse,
    **operation(
        "Get an event",
        scope="events-read",
        extension=True,
        description="One event of the feed.",
        errors=[EVENT_NOT_FOUND],
    ),
)
async def get_event(context: Ctx, caller: CallerDep, event_id: EventPath) -> Response:
    return events_answer(caller, [_form(await store.get(context, event_id), context)], EVENT_NOT_FOUND)


def _form(event: ToldEvent, context: Context) -> EventForm:
    fields = {name: getattr(event, name) for name in ("id", "type", "object_id", "sequence", "position")}
    if context.is_sandbox:
        fields["is_test"] = True
    shown = EventResponse(timestamp=event.occurred_at, data=None, **fields)
    head = shown.model_dump_json(exclude={"data"}, exclude_unset=True)[:-1].encode()
    texts: Texts | None = None if event.data is None else {"data": event.data}
    data = Member(b'%b,"data":' % head, "data", sequence_member(event.sequence))
    return EventForm(event.id, event.size, [data], texts)
