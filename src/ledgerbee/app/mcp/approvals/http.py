"""The pages on which members decide on what applications want to do: `/companies/{id}/connected-apps/commands`.

Each sees what his role lets him do himself. A GET shows and changes nothing; tokens of applications open no page.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from ledgerbee.app.mcp.approvals.texts import TEXTS
from ledgerbee.app.mcp.staging import actions, rules, store
from ledgerbee.app.mcp.staging.model import (
    PREVIEW_INVALID_STATE,
    PREVIEW_NOT_FOUND,
    Decision,
    PreviewStatus,
    StagedCommand,
)
from ledgerbee.app.mcp.tools.previews import PLANS
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import parse_id
from ledgerbee.http.caller import Caller
from ledgerbee.http.json_body import decode_json
from ledgerbee.identity.connections import store as connections
from ledgerbee.identity.connections.scope_words import shown_amount
from ledgerbee.identity.pages.addresses import path_of, redirect
from ledgerbee.identity.pages.page import page_language, render_page
from ledgerbee.identity.pages.serving import not_found, serve
from ledgerbee.identity.sign_in.model import UserSession
from ledgerbee.identity.sign_in.sessions import as_member, session_form, session_of, sign_in_redirect
from ledgerbee.identity.users import store as users
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS
from ledgerbee.tenancy.company import store as companies

router = APIRouter(include_in_schema=False)

_PACKAGE: Final = "ledgerbee.app.mcp.approvals"
_LIST: Final = "/companies/{company_id}/connected-apps/commands"
_ONE: Final = "/companies/{company_id}/connected-apps/commands/{command_id}"
_DECISIONS: Final = {Decision.APPROVED.value: actions.approve, Decision.REJECTED.value: actions.reject}
_NOTICES: Final = {
    PreviewStatus.APPROVED: "approved",
    PreviewStatus.REJECTED: "rejected",
    PreviewStatus.COMMITTED: "done",
}

Run = Callable[[UserSession, Caller], Awaitable[Response]]


@router.get(_LIST)
async def show_waiting_commands(request: Request, company_id: str) -> Response:
    """What waits for whoever looks."""

    async def show(session: UserSession, caller: Caller) -> Response:
        async def work(context: Context) -> Response:
            waiting = [one for one in await actions.waiting(context) if _may_decide(one, caller)]
            rows = [await _row(request, session, context, one) for one in waiting]
            values = {"rows": rows, "company": await companies.get(context), "apps": _apps(request, context)}
            return render_page(request, f"{_PACKAGE}/waiting.html", TEXTS, values, viewer=session)

        return await caller.read(work)

    return await _serve(request, company_id, show)


@router.get(_ONE)
async def show_waiting_command(request: Request, company_id: str, command_id: str) -> Response:
    """One command, with all that would come of it."""

    async def show(session: UserSession, caller: Caller) -> Response:
        return await _one(request, session, caller, parse_id(command_id))

    return await _serve(request, company_id, show)


@router.post(_ONE)
async def decide_on_command(request: Request, company_id: str, command_id: str) -> Response:
    """Approve or reject it: once."""

    async def decide(session: UserSession, caller: Caller) -> Response:
        form = await session_form(request, session)
        action = _DECISIONS.get(form.get("decision", ""))
        if action is None:
            return await _one(request, session, caller, parse_id(command_id))

        async def work(context: Context) -> Response:
            await action(context, parse_id(command_id), caller.principal.scopes, PLANS)
            path = _ONE.format(company_id=context.company_id, command_id=parse_id(command_id))
            return redirect(request, path)

        try:
            return await caller.command(work)
        except LedgerBeeError as fault:
            if fault.error_code is not PREVIEW_INVALID_STATE:
                raise
            return await _one(request, session, caller, parse_id(command_id), status=409)

    return await _serve(request, company_id, decide)


async def _one(request: Request, session: UserSession, caller: Caller, command_id: UUID, status: int = 200) -> Response:
    async def work(context: Context) -> Response:
        command = await store.get_any(context, command_id)
        if command.approval_asked_at is None or not _may_decide(command, caller):
            raise PREVIEW_NOT_FOUND.error()
        stands = rules.status_of(command, context.now)
        connection = await connections.get(context, command.connection_id)
        is_revoked = stands is PreviewStatus.NEEDS_APPROVAL and not connection.is_alive(context.now)
        is_open = stands is PreviewStatus.NEEDS_APPROVAL and not is_revoked
        values = {
            "row": await _row(request, session, context, command),
            "what": _what(command),
            "is_open": is_open,
            "notice": None if is_open else "revoked" if is_revoked else _NOTICES.get(stands, "over"),
            "is_good": stands in {PreviewStatus.APPROVED, PreviewStatus.COMMITTED},
            "company": await companies.get(context),
            "all": path_of(request, _LIST.format(company_id=context.company_id)),
        }
        page = f"{_PACKAGE}/command.html"
        return render_page(request, page, TEXTS, values, viewer=session, status=status)

    return await caller.read(work)


async def _serve(request: Request, company_id: str, run: Run) -> Response:
    """Have a member's request answered; whoever isn't one, or may not decide, is told that there is no such page."""

    async def answer() -> Response:
        session = await session_of(request)
        if session is None:
            return sign_in_redirect(request)
        try:
            done = await as_member(request, session, parse_id(company_id), lambda caller: run(session, caller))
        except ValueError:  # no id
            return not_found(request)
        except LedgerBeeError as fault:
            if fault.error_code not in {PREVIEW_NOT_FOUND, INSUFFICIENT_PERMISSIONS}:
                raise
            return not_found(request)
        return not_found(request) if done is None else done

    return await serve(request, answer)


def _may_decide(command: StagedCommand, caller: Caller) -> bool:
    return actions.scope_of(command, PLANS) in caller.principal.scopes


async def _row(request: Request, session: UserSession, context: Context, command: StagedCommand) -> dict[str, Any]:
    """A command as a list has it: who wants what, and until when."""
    connection = await connections.get(context, command.connection_id)
    names = {one.user_id: one.name or one.email for one in await users.list_members(context)}
    limit, used = await store.limit_and_use(context, command.connection_id, context.today)
    language = page_language(request, session)

    def moment(at: datetime | None) -> str:
        return at.astimezone(ZoneInfo(context.time_zone)).strftime("%Y-%m-%d %H:%M") if at else ""

    def shown(amount: Decimal) -> str:
        return shown_amount(amount, language)

    return {
        "address": path_of(request, _ONE.format(company_id=context.company_id, command_id=command.id)),
        "tool": command.tool,
        "app": connection.client_name,
        "user": names.get(connection.user_id, "–"),
        "asked": moment(command.approval_asked_at),
        "expires": moment(command.expires_at),
        "amount": None if command.amount is None else shown(command.amount),
        "used": shown(used),
        "limit": shown(limit),
    }


def _what(command: StagedCommand) -> dict[str, Any]:
    """What a command does, or did, as its preview or result has it."""
    written: dict[str, Any] = decode_json((command.result or command.preview).encode())
    documents = []
    for one in written["changed"]:
        shown = one["object"]
        called = shown.get("number") or shown.get("name") or shown.get("description") or ""
        amount = f"{shown['amount']} {shown['currency']}" if {"amount", "currency"} <= shown.keys() else ""
        documents.append({"event": one["event"], "called": called, "amount": amount})
    return {
        "entries": written["entries"],
        "documents": documents,
        "deliveries": written["deliveries"],
        "next": (written["nextBilling"] or {}).get("next"),
        "is_provisional": written["isProvisional"],
    }


def _apps(request: Request, context: Context) -> str:
    return path_of(request, f"/companies/{context.company_id}/connected-apps")
