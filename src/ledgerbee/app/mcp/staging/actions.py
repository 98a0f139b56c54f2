"""Showing what a command would do, carrying it out by the preview's id, and what members decide of it.

A preview is the real operation in its real transaction, undone at its end; a commit runs the same and compares.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from fastapi import Response
from msgspec import Raw
from msgspec.json import Decoder, Encoder

from ledgerbee.app.mcp import results
from ledgerbee.app.mcp.model import Call
from ledgerbee.app.mcp.staging import forms, rules, store
from ledgerbee.app.mcp.staging.effects import effects_of
from ledgerbee.app.mcp.staging.model import (
    APPROVAL_FOR_PEOPLE,
    APPROVAL_LIFE,
    APPROVAL_REQUIRED,
    CALL_BEING_CARRIED_OUT,
    LIMIT_CURRENCY,
    PREVIEW_BEING_COMMITTED,
    PREVIEW_INVALID_STATE,
    PREVIEW_LIFE,
    PREVIEW_OUTDATED,
    REPEAT_WINDOW,
    Decision,
    Effects,
    Planned,
    PreviewStatus,
    StagedCommand,
    StagedCommandId,
)
from ledgerbee.core.dates import format_moment
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace as changed
from ledgerbee.core.ids import new_id
from ledgerbee.http.caller import Caller
from ledgerbee.http.idempotency import IDEMPOTENCY_KEY_IN_USE, Reservation, canonical_body
from ledgerbee.http.in_process import run_operation
from ledgerbee.http.json_body import decode_json
from ledgerbee.identity.connections import store as connections
from ledgerbee.identity.connections.model import ConnectionId
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS, USER_SESSION
from ledgerbee.sales.documents.printing import Trials, UntriedDocumentsError, with_trials

#: Makes the operation that a call of a tool comes to, of its arguments.
Plan = Callable[[Mapping[str, Any]], Planned]

#: What it takes to see entries, in previews and results too.
ENTRIES_SCOPE: Final = "journal-entries-read"
#: Amounts stay the numbers that they are.
_encode: Final = Encoder(decimal_format="number").encode
#: JSON by its first names: what is shown is not read again.
_parts: Final = Decoder(dict[str, Raw]).decode
#: Checks that wait for COMMIT are made now: what they refuse counts.
_CHECK_ALL: Final = "SET CONSTRAINTS ALL IMMEDIATE"


class _UndoneError(Exception):
    """Ends the transaction of a preview, with what it has found."""

    def __init__(self, effects: Effects) -> None:
        super().__init__("a preview is undone")
        self.effects = effects


class _OutdatedError(_UndoneError):
    """Ends the transaction of a commit that does something else than its preview."""


class _UntriedError(Exception):
    """Documents of the next billing have to be tried before they are looked at: see `with_trials`."""

    def __init__(self, fault: UntriedDocumentsError) -> None:
        super().__init__("documents of the next billing have to be tried")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tool has to show of a command: JSON values; `is_replay` says that an earlier call has made it."""

    content: dict[str, Any]
    is_replay: bool


def canonical(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> bytes:
    """Arguments as JSON in the one form of all that say the same to a tool with this input schema."""
    return canonical_body(_encode(forms.form_of(arguments, schema)))


async def preview(call: Call, tool: str, schema: Mapping[str, Any], plan: Plan) -> Shown:
    """Show what a call of a tool would do, whose input schema is given. Nothing is kept but the preview.

    The same call again shows the same preview while that can be committed, and for 24 hours what came of it if it was.
    Raises what the operation refuses.
    """
    connection, arguments = ConnectionId(call.caller.principal.subject_id), call.arguments
    digest = rules.call_hash(connection, tool, canonical(arguments, schema))
    known = await call.caller.read(lambda context: store.of_call(context, connection, digest))
    if known is not None and _still_stands(known, call.caller):
        return Shown(shown(known, call.caller), is_replay=True)
    effects = await _tried(call, plan(arguments))
    return await _keep(call.caller, connection, tool, _encode(arguments).decode(), digest, effects)


async def commit(call: Call, command_id: UUID, plans: Mapping[str, Plan]) -> Shown:
    """Carry out what a preview has shown, once: the result, the same for each call.

    Raises `PREVIEW_NOT_FOUND`, `PREVIEW_INVALID_STATE`, `PREVIEW_OUTDATED` (with a new preview), `APPROVAL_REQUIRED`,
    `PREVIEW_BEING_COMMITTED` and what the operation refuses.
    """
    caller = call.caller
    connection = ConnectionId(caller.principal.subject_id)
    command = await caller.read(lambda context: store.get(context, connection, command_id))
    if command.committed_at is not None:
        return Shown(shown(command, caller), is_replay=True)
    _check_open(command, caller)
    try:
        is_replay = await _carry_out(call, command, plans[command.tool](decode_json(command.arguments.encode())))
    except _OutdatedError as outdated:
        fresh = await _replace(caller, command, outdated.effects)
        raise PREVIEW_OUTDATED.error(newPreview=fresh.content) from None
    except LedgerBeeError as fault:
        if fault.error_code is IDEMPOTENCY_KEY_IN_USE:
            raise PREVIEW_BEING_COMMITTED.error() from None
        if fault.error_code is APPROVAL_REQUIRED:
            await _ask(caller, command)
        raise
    command = await caller.read(lambda context: store.get(context, connection, command_id))
    return Shown(shown(command, caller), is_replay=is_replay)


async def at_once(call: Call, tool: str, schema: Mapping[str, Any], planned: Planned, *, is_kept: bool) -> Shown:
    """Run an operation that neither books nor sends. One whose answer `is_kept` is carried out once in 24 hours.

    Raises `CALL_BEING_CARRIED_OUT` where another call does so right now, and what the operation refuses.
    """
    caller = call.caller
    if is_kept:
        digest = rules.call_hash(caller.principal.subject_id, tool, canonical(call.arguments, schema))
        caller = replace(caller, reservation=Reservation(f"mcp:{tool}:{digest.hex()}", digest))
    try:
        response = await _run(call.app, caller, planned)
    except LedgerBeeError as fault:
        if fault.error_code is IDEMPOTENCY_KEY_IN_USE:
            raise CALL_BEING_CARRIED_OUT.error() from None
        raise
    is_replay = response.headers.get("Idempotent-Replayed") == "true"
    return Shown({"answer": results.raw(response)}, is_replay)


async def list_commands(context: Context, connection_id: UUID, limit: int, offset: int) -> tuple[list[Any], int]:
    """A connection's previews, newest first, without what they show, and how many there are."""
    page = await store.list_page(context, connection_id, limit, offset)
    return [listed(one, context.now) for one in page.rows], page.total


async def waiting(context: Context) -> list[StagedCommand]:
    """The commands that wait for a member of the company."""
    return await store.waiting(context)


async def approve(context: Context, command_id: UUID, scopes: frozenset[str], plans: Mapping[str, Plan]) -> None:
    """Let a connection commit a command that is above its limit. `scopes` are those of the member who says so.

    Emits `staged_command.approved`. Raises `APPROVAL_FOR_PEOPLE` for anyone but a member who is signed in,
    `INSUFFICIENT_PERMISSIONS` for one who may not do it himself, `PREVIEW_NOT_FOUND`, `PREVIEW_INVALID_STATE`.
    """
    await _decide(context, command_id, scopes, plans, Decision.APPROVED)


async def reject(context: Context, command_id: UUID, scopes: frozenset[str], plans: Mapping[str, Plan]) -> None:
    """Keep a connection from committing a command. Emits `staged_command.rejected`; raises as `approve`."""
    await _decide(context, command_id, scopes, plans, Decision.REJECTED)


async def _decide(
    context: Context, command_id: UUID, scopes: frozenset[str], plans: Mapping[str, Plan], decision: Decision
) -> None:
    if context.origin.credential_kind != USER_SESSION or context.actor.kind != "user":
        raise APPROVAL_FOR_PEOPLE.error()
    command = await store.get_for_update(context, command_id)
    scope = scope_of(command, plans)
    if scope not in scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[scope])
    status = rules.status_of(command, context.now)
    if status is not PreviewStatus.NEEDS_APPROVAL:
        raise PREVIEW_INVALID_STATE.in_state(status)
    if not (await connections.get(context, command.connection_id)).is_alive(context.now):
        raise PREVIEW_INVALID_STATE.in_state("revoked")
    member = UUID(context.actor.id)
    await store.decide(context, command.id, decision, member)
    decided = changed(command, decision=decision, decided_by=member, decided_at=context.now)
    form, was = _event_form(decided), _event_form(command)
    if decision is Decision.APPROVED:
        context.emit("staged_command.approved", command.id, form, before=was)
    else:
        context.emit("staged_command.rejected", command.id, form, before=was)


def scope_of(command: StagedCommand, plans: Mapping[str, Plan]) -> str:
    """The scope that a command takes, of whoever approves it too."""
    scope = plans[command.tool](decode_json(command.arguments.encode())).route.operation.scope
    assert scope is not None, "what is staged takes a scope"
    return scope


def _event_form(command: StagedCommand) -> dict[str, Any]:
    return {
        "id": str(command.id),
        "connectionId": str(command.connection_id),
        "tool": command.tool,
        "amount": None if command.amount is None else str(command.amount),
        "decision": command.decision,
        "decidedBy": None if command.decided_by is None else str(command.decided_by),
        "decidedAt": None if command.decided_at is None else format_moment(command.decided_at),
    }


async def _tried(call: Call, planned: Planned) -> Effects:
    """What an operation does: run, looked at, undone."""

    async def run(trials: Trials) -> Effects:
        began = _now_ms()

        async def look(context: Context, response: Response) -> None:
            effects = await _effects(context, response, planned, trials, began)
            await context.connection.execute(_CHECK_ALL)
            raise _UndoneError(effects)

        try:
            await _run(call.app, replace(call.caller, at_end=look), planned)
        except _UndoneError as undone:
            return undone.effects
        except _UntriedError as untried:
            raise untried.fault from None
        raise AssertionError("the operation is no command in one transaction: it can't be previewed")

    return await with_trials(call.caller.principal.company_id, run)


async def _carry_out(call: Call, command: StagedCommand, planned: Planned) -> bool:
    """Run a command for good; whether it was carried out before."""
    caller = call.caller
    key = Reservation(f"mcp:commit:{command.id}", command.call_hash)

    async def run(trials: Trials) -> bool:
        began = _now_ms()

        async def check(context: Context, response: Response) -> None:
            effects = await _effects(context, response, planned, trials, began)
            if effects.digest != command.effects_hash:
                raise _OutdatedError(effects)
            current = await store.get_for_update(context, command.id)
            _check_open(current, caller)
            booking = await _booking(context, current, effects.amount)
            result = _shape(effects, booking, is_provisional=False)
            await store.set_committed(context, current.id, _encode(result).decode())

        try:
            response = await _run(call.app, replace(caller, at_end=check, reservation=key), planned)
        except _UntriedError as untried:
            raise untried.fault from None
        return "Idempotent-Replayed" in response.headers

    return await with_trials(caller.principal.company_id, run)


async def _run(app: Any, caller: Caller, planned: Planned) -> Response:
    return await run_operation(planned.route, caller, app, path=planned.path, body=planned.body)


async def _effects(context: Context, response: Response, planned: Planned, trials: Trials, began: int) -> Effects:
    try:
        return await effects_of(context, response, planned, trials, began)
    except UntriedDocumentsError as untried:  # not for the operation, which looks for its own documents
        raise _UntriedError(untried) from None


async def _booking(context: Context, command: StagedCommand, amount: Decimal | None) -> dict[str, Any]:
    """Add what a command books to its application's day, unless a member has approved it: where that leaves the limit.

    Raises `APPROVAL_REQUIRED` above it.
    """
    limit, used = await store.limit_and_use(context, command.connection_id, context.today)
    if command.decision is Decision.APPROVED:
        return _standing(amount, used, limit, needs_approval=False)
    if amount:
        # The row is held from here on: whoever else books by the application for the same member sees the sum.
        used = await store.add_booked(context, command.connection_id, context.today, amount) - amount
    if rules.needs_approval(used, amount, limit):
        standing = _standing(amount, used, limit, needs_approval=True)
        raise APPROVAL_REQUIRED.error(**standing, approvalUrl=approval_url(context, command.id))
    return _standing(amount, used, limit, needs_approval=False)


def _standing(amount: Decimal | None, used: Decimal, limit: Decimal, *, needs_approval: bool) -> dict[str, Any]:
    return {
        "currency": LIMIT_CURRENCY,
        "amount": None if amount is None else results.amount(amount),
        "bookedBefore": results.amount(used),
        "dailyLimit": results.amount(limit),
        "needsApproval": needs_approval,
    }


def approval_url(context: Context, command_id: UUID) -> str:
    """Where a member decides on a command."""
    return f"{context.public_url or ''}/companies/{context.company_id}/connected-apps/commands/{command_id}"


def _shape(effects: Effects, booking: dict[str, Any], *, is_provisional: bool) -> dict[str, Any]:
    """What a preview or a result has to say of what a command does."""
    show = rules.without_links if is_provisional else lambda value: value
    return {
        "isProvisional": is_provisional,
        "answer": show(effects.answer),
        "entries": effects.entries,
        "changed": show(effects.changed),
        "deliveries": effects.deliveries,
        "webhooks": effects.webhooks,
        "nextBilling": effects.next_billing,
        "booking": booking,
    }


def shown(command: StagedCommand, caller: Caller) -> dict[str, Any]:
    """A command as tools show it: where it stands, and what it does or did. Values are JSON, or texts of it.

    Its entries are null for a connection that may not read entries, which `notShown` says.
    """
    parts: dict[str, Any] = _parts(command.preview if command.result is None else command.result)
    missing: list[dict[str, str]] = []
    if ENTRIES_SCOPE not in caller.principal.scopes:
        parts["entries"] = None
        missing.append({"part": "entries", "scope": ENTRIES_SCOPE})
    return {**listed(command, caller.now), **parts, "notShown": missing}


def listed(command: StagedCommand, now: datetime) -> dict[str, Any]:
    """A command in a list: where it stands, without what it does."""
    return {
        "previewId": command.id,
        "tool": command.tool,
        "arguments": Raw(command.arguments.encode()),
        "status": rules.status_of(command, now).value,
        "amount": None if command.amount is None else results.amount(command.amount),
        "createdAt": format_moment(command.created_at),
        "expiresAt": format_moment(command.expires_at),
        "committedAt": None if command.committed_at is None else format_moment(command.committed_at),
    }


async def _ask(caller: Caller, command: StagedCommand) -> None:
    """Have a command wait for a member."""

    async def work(context: Context) -> None:
        await store.ask_for_approval(context, command.id, context.now + APPROVAL_LIFE)

    await caller.database.run(caller.tenant, caller.now, work)


async def _keep(
    caller: Caller, connection: ConnectionId, tool: str, written: str, call_hash: bytes, effects: Effects
) -> Shown:
    """Keep a preview in the place of what stood for its call; where another call has kept one meanwhile, that one."""
    made: list[Shown] = []

    async def work(context: Context) -> None:
        limit, used = await store.limit_and_use(context, connection, context.today)
        is_above = rules.needs_approval(used, effects.amount, limit)
        booking = _standing(effects.amount, used, limit, needs_approval=is_above)
        command = StagedCommand(
            id=StagedCommandId(new_id()),
            connection_id=connection,
            tool=tool,
            arguments=written,
            call_hash=call_hash,
            effects_hash=effects.digest,
            amount=effects.amount,
            preview=_encode(_shape(effects, booking, is_provisional=True)).decode(),
            created_at=context.now,
            expires_at=context.now + PREVIEW_LIFE,
        )
        known = await store.of_call(context, connection, call_hash)
        if known is not None and not _still_stands(known, caller):
            await store.replace(context, connection, call_hash)
        is_new = await store.insert(context, command)
        if not is_new:
            found = await store.of_call(context, connection, call_hash)
            assert found is not None, "the index that refused the row has another one"
            command = found
        made[:] = [Shown(shown(command, caller), is_replay=not is_new)]

    await caller.database.run(caller.tenant, caller.now, work)
    return made[0]


async def _replace(caller: Caller, command: StagedCommand, effects: Effects) -> Shown:
    """Keep a new preview in the place of one that is outdated."""

    async def work(context: Context) -> None:
        await store.replace(context, command.connection_id, command.call_hash)

    await caller.database.run(caller.tenant, caller.now, work)
    return await _keep(caller, command.connection_id, command.tool, command.arguments, command.call_hash, effects)


def _still_stands(command: StagedCommand, caller: Caller) -> bool:
    """Whether a call that is made again is the command that it was: one that can be committed, or was a while ago."""
    if command.committed_at is not None:
        return caller.now - command.committed_at < REPEAT_WINDOW
    return rules.status_of(command, caller.now) in _OPEN


_OPEN: Final = frozenset({PreviewStatus.WAITING, PreviewStatus.NEEDS_APPROVAL, PreviewStatus.APPROVED})


def _check_open(command: StagedCommand, caller: Caller) -> None:
    status = rules.status_of(command, caller.now)
    if status not in _OPEN:
        raise PREVIEW_INVALID_STATE.in_state(status)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
