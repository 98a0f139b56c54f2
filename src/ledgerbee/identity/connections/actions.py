"""Making connections, giving them tokens, limiting and ending them."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from fastapi import Response

from ledgerbee.core.cells import new_secret
from ledgerbee.http.caller import Caller
from ledgerbee.identity.connections import store
from ledgerbee.identity.connections.model import (
    CONNECTION_INVALID_STATE,
    CONNECTION_NOT_FOUND,
    TOKEN_LIFE,
    AppConnection,
    EndReason,
)
from ledgerbee.identity.connections.wire import render
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context, Event
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import TOKEN_PREFIX, USER_TOKEN, Grant, secret_hash

#: How exactly it is known when a connection was last used.
_COARSENESS: Final = timedelta(minutes=1)
#: Connections whose last use this process remembers to have noted.
_MOST_NOTED: Final = 10_000
_noted: OrderedDict[UUID, datetime] = OrderedDict()


async def connect(context: Context, connection: AppConnection) -> None:
    """Add a connection that its member has agreed to. Emits `connection.created`."""
    await store.insert(context, connection)
    context.emit("connection.created", connection.id, render(connection).as_event())


async def issue_token(context: Context, connection: AppConnection) -> str:
    """A new access token of a connection, good for an hour at the connection's own address; it is shown once."""
    secret = new_secret(TOKEN_PREFIX, context.cell)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind=USER_TOKEN,
        subject_id=connection.id,
        grant=Grant(connection.scopes, (), context.now + TOKEN_LIFE),
        user_id=connection.user_id,
        resource=connection.resource,
    )
    return secret


async def revoke(context: Context, connection_id: UUID, because: EndReason) -> AppConnection:
    """Shut an application out with all its tokens, at once and everywhere. Again is no error.

    Emits `connection.revoked`. Raises `CONNECTION_NOT_FOUND`.
    """
    before = CONNECTION_NOT_FOUND.unless(await store.find_for_update(context, connection_id))
    if before.revoked_at is not None:
        return before
    await store.mark_revoked(context, before.id, because)
    await credentials.revoke(context, before.id)
    after = replace(before, revoked_at=context.now, revoked_because=because)
    context.emit("connection.revoked", before.id, render(after).as_event(), before=render(before).as_event())
    return after


async def set_daily_limit(context: Context, connection_id: UUID, daily_limit: Decimal) -> AppConnection:
    """Say what an application may book in a day without anybody looking, in DKK.

    Emits `connection.updated` if that is something else. Raises `CONNECTION_NOT_FOUND` and `CONNECTION_INVALID_STATE`.
    """
    before = CONNECTION_NOT_FOUND.unless(await store.find_for_update(context, connection_id))
    if before.revoked_at is not None:
        raise CONNECTION_INVALID_STATE.in_state("revoked")
    if before.daily_limit == daily_limit:
        return before
    await store.set_daily_limit(context, before.id, daily_limit)
    return _updated(context, before, replace(before, daily_limit=daily_limit))


async def cut_scopes(context: Context, connection: AppConnection, allowed: Collection[str]) -> AppConnection:
    """Leave a connection those of its scopes that are `allowed`; tokens with more end. What it had before stays lost.

    Emits `connection.updated` if any was lost.
    """
    left = tuple(scope for scope in connection.scopes if scope in allowed)
    if left == connection.scopes:
        return connection
    await store.set_scopes(context, connection.id, left)
    await credentials.narrow(context, connection.id, left)
    return _updated(context, connection, replace(connection, scopes=left))


async def follow_members(context: Context, events: Sequence[Event]) -> None:
    """News of memberships, in their own transaction: connections lose what the member's role has not, or end with it.

    `membership.updated` and `membership.deleted`, whose object is the user.
    """
    for user_id in dict.fromkeys(event.object_id for event in events):
        role = await store.role_of_user(context, user_id)
        for connection in await store.alive_of_user(context, user_id):
            if role is None:
                await revoke(context, connection.id, EndReason.MEMBERSHIP)
            else:
                await cut_scopes(context, connection, SCOPES_OF[role])


async def note_use(caller: Caller) -> None:
    """Note that the connection whose token `caller` shows is used now: a write in a minute at most, none in between.

    For whoever serves the requests of tokens, most of which only read. (Each new token notes its own use.)
    """
    connection_id = caller.principal.subject_id
    noted = _noted.get(connection_id)
    if noted is not None and caller.now - noted < _COARSENESS:
        return
    _noted[connection_id] = caller.now
    if len(_noted) > _MOST_NOTED:
        _noted.popitem(last=False)

    async def work(context: Context) -> Response:
        await store.note_use(context, connection_id, _COARSENESS)
        return Response()

    await caller.command(work)


def _updated(context: Context, before: AppConnection, after: AppConnection) -> AppConnection:
    context.emit("connection.updated", before.id, render(after).as_event(), before=render(before).as_event())
    return after
