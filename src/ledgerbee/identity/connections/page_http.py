"""The pages of connected apps, at `/companies/{companyId}/connected-apps`: who works in the company for its members.

Owners see all of them, others their own. A GET shows and changes nothing.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import parse_id
from ledgerbee.core.money import format_decimal
from ledgerbee.http.caller import Caller
from ledgerbee.identity.connections import actions, store
from ledgerbee.identity.connections.model import COMPANY_MCP_PATH, CONNECTION_NOT_FOUND, AppConnection, EndReason
from ledgerbee.identity.connections.scope_words import shown_amount, words_of
from ledgerbee.identity.connections.setups import setups_of
from ledgerbee.identity.connections.texts import TEXTS
from ledgerbee.identity.pages.addresses import base_url_of, path_of, redirect
from ledgerbee.identity.pages.page import page_language, render_page
from ledgerbee.identity.pages.serving import not_found, serve
from ledgerbee.identity.sign_in.model import UserSession
from ledgerbee.identity.sign_in.sessions import as_member, session_form, session_of, sign_in_redirect
from ledgerbee.identity.users import store as users
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company

router = APIRouter(include_in_schema=False)

_PACKAGE: Final = "ledgerbee.identity.connections"
_LIST: Final = "/companies/{company_id}/connected-apps"
_ONE: Final = "/companies/{company_id}/connected-apps/{connection_id}"
#: What the applications want to do that a member has to approve: see `app/mcp/approvals`.
_WAITING: Final = "/companies/{company_id}/connected-apps/commands"
#: What owners have, and nobody else.
_OWNERS: Final = "users-write"
#: Changes that are listed of an application.
_MOST_DEEDS: Final = 50
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")

Run = Callable[[UserSession, Caller], Awaitable[Response]]


@router.get(_LIST)
async def show_connected_apps(request: Request, company_id: str) -> Response:
    """The applications that have access, and how another one is connected."""

    async def show(session: UserSession, caller: Caller) -> Response:
        async def work(context: Context) -> Response:
            seen = [
                connection
                for connection in await store.list_all(context)
                if _is_owner(caller) or connection.user_id == caller.principal.user_id
            ]
            view = await _View.load(request, session, context, seen)
            rows = [view.row(connection) for connection in seen]
            address = base_url_of(request) + COMPANY_MCP_PATH.replace("{companyId}", str(context.company_id))
            values = {
                "alive": [row for row in rows if row["is_alive"]],
                "ended": [row for row in rows if not row["is_alive"]],
                "waiting": path_of(request, _WAITING.format(company_id=context.company_id)),
                "setups": setups_of(view.company.name, address),
                "company": view.company,
                "currency": view.company.base_currency,
            }
            return render_page(request, f"{_PACKAGE}/list.html", TEXTS, values, viewer=session)

        return await caller.read(work)

    return await _serve(request, company_id, show)


@router.get(_ONE)
async def show_connected_app(request: Request, company_id: str, connection_id: str) -> Response:
    """One of them, and what it did."""

    async def show(session: UserSession, caller: Caller) -> Response:
        return await _one(request, session, caller, connection_id)

    return await _serve(request, company_id, show)


@router.post(_ONE)
async def change_connected_app(request: Request, company_id: str, connection_id: str) -> Response:
    """Take its access back, or limit it."""

    async def change(session: UserSession, caller: Caller) -> Response:
        form = await session_form(request, session)
        is_limit, limit = form.get("decision") == "limit", form.get("limit", "").strip()
        if is_limit and not _AMOUNT.fullmatch(limit):
            return await _one(request, session, caller, connection_id, "bad_limit")

        async def work(context: Context) -> Response:
            connection = _of_viewer(await store.get(context, _id(connection_id)), caller)
            if not is_limit:
                await actions.revoke(context, connection.id, EndReason.USER)
                return redirect(request, _LIST.format(company_id=context.company_id))
            if not _is_owner(caller):
                raise CONNECTION_NOT_FOUND.error()
            await actions.set_daily_limit(context, connection.id, Decimal(limit))
            return redirect(request, _ONE.format(company_id=context.company_id, connection_id=connection.id))

        return await caller.command(work)

    return await _serve(request, company_id, change)


async def _one(
    request: Request, session: UserSession, caller: Caller, connection_id: str, notice: str | None = None
) -> Response:
    async def work(context: Context) -> Response:
        connection = _of_viewer(await store.get(context, _id(connection_id)), caller)
        view = await _View.load(request, session, context, [connection])
        deeds = [
            {**deed, "at": view.moment(deed["occurred_at"])}
            for deed in await store.deeds_of(context, connection.id, _MOST_DEEDS)
        ]
        values = {
            "row": view.row(connection),
            "deeds": deeds,
            "all": path_of(request, _LIST.format(company_id=context.company_id)),
            "notice": notice,
            "is_owner": _is_owner(caller),
            "company": view.company,
            "currency": view.company.base_currency,
        }
        page = f"{_PACKAGE}/one.html"
        return render_page(request, page, TEXTS, values, viewer=session, status=400 if notice else 200)

    return await caller.read(work)


async def _serve(request: Request, company_id: str, run: Run) -> Response:
    """Have a member's request answered; whoever isn't one is told that there is no such page."""

    async def answer() -> Response:
        session = await session_of(request)
        if session is None:
            return sign_in_redirect(request)
        try:
            done = await as_member(request, session, parse_id(company_id), lambda caller: run(session, caller))
        except ValueError:  # no id
            return not_found(request)
        except LedgerBeeError as fault:
            if fault.error_code is not CONNECTION_NOT_FOUND:
                raise
            return not_found(request)
        return not_found(request) if done is None else done

    return await serve(request, answer)


@dataclass(frozen=True, slots=True)
class _View:
    """What a page shows of connections beside themselves."""

    request: Request
    context: Context
    company: Company
    language: str
    names: Mapping[UUID, str]
    booked: Mapping[UUID, Decimal]

    @classmethod
    async def load(
        cls,
        request: Request,
        session: UserSession,
        context: Context,
        connections: Sequence[AppConnection],
    ) -> "_View":
        members = await users.list_members(context)
        names: dict[UUID, str] = {member.user_id: member.name or member.email for member in members}
        midnight = datetime.combine(context.today, time(), ZoneInfo(context.time_zone)).astimezone(UTC)
        booked = await store.booked_since(context, [connection.id for connection in connections], midnight)
        company = await companies.get(context)
        return cls(request, context, company, page_language(request, session), names, booked)

    def row(self, connection: AppConnection) -> dict[str, Any]:
        """A connection, with its moments and amounts as they are read."""
        path = _ONE.format(company_id=self.context.company_id, connection_id=connection.id)
        return {
            "connection": connection,
            "address": path_of(self.request, path),
            "user": self.names.get(connection.user_id, "–"),
            "created": self.moment(connection.created_at),
            "last_used": self.moment(connection.last_used_at),
            "expires": self.moment(connection.expires_at),
            "revoked": self.moment(connection.revoked_at),
            "is_alive": connection.is_alive(self.context.now),
            "booked": shown_amount(self.booked.get(connection.id, Decimal()), self.language),
            "limit": shown_amount(connection.daily_limit, self.language),
            "plain_limit": format_decimal(connection.daily_limit),
            "may": [words_of(scope, self.language) for scope in connection.scopes],
        }

    def moment(self, at: datetime | None) -> str | None:
        """A moment on the company's clock, to the minute."""
        return at.astimezone(ZoneInfo(self.context.time_zone)).strftime("%Y-%m-%d %H:%M") if at else None


def _of_viewer(connection: AppConnection, caller: Caller) -> AppConnection:
    """A connection that whoever looks may see. Raises `CONNECTION_NOT_FOUND`."""
    if not _is_owner(caller) and connection.user_id != caller.principal.user_id:
        raise CONNECTION_NOT_FOUND.error()
    return connection


def _is_owner(caller: Caller) -> bool:
    return _OWNERS in caller.principal.scopes


def _id(text: str) -> UUID:
    try:
        return parse_id(text)
    except ValueError:
        raise CONNECTION_NOT_FOUND.error() from None
