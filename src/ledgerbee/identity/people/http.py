"""Pages of who works in a company (ours): accepting an invitation, and for owners the people of the company."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from ledgerbee.core.dates import day_in, iso_day
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import parse_id
from ledgerbee.http.caller import Caller
from ledgerbee.identity.pages.addresses import edge_of, path_of, redirect
from ledgerbee.identity.pages.forms import read_form
from ledgerbee.identity.pages.page import message_page, render_page
from ledgerbee.identity.pages.rules import form_token
from ledgerbee.identity.pages.serving import FormRefusedError, not_found, serve
from ledgerbee.identity.people.texts import TEXTS
from ledgerbee.identity.sign_in import store as sign_in
from ledgerbee.identity.sign_in.answers import patiently
from ledgerbee.identity.sign_in.browsers import (
    before_session,
    form_token_before,
    let_in,
    new_session,
    with_form_cookie,
)
from ledgerbee.identity.sign_in.model import UserSession
from ledgerbee.identity.sign_in.sessions import as_member, session_form, session_of, sign_in_redirect
from ledgerbee.identity.users import actions, store
from ledgerbee.identity.users.model import (
    INVITATION,
    INVITATION_ALREADY_EXISTS,
    INVITATION_INVALID_STATE,
    LAST_OWNER,
    USER_ALREADY_EXISTS,
    Invitation,
    InvitationStatus,
    Role,
    UserId,
)
from ledgerbee.identity.users.passwords import fault_of, new_record
from ledgerbee.identity.users.rules import account_email, status_of, tidy_name
from ledgerbee.platform.context import Actor, Context
from ledgerbee.tenancy.company import store as companies

router = APIRouter(include_in_schema=False)

_HERE: Final = "ledgerbee.identity.people"
_DONE: Final = frozenset({"invited", "revoked", "changed", "removed"})
#: What a form is refused for that was right in itself, as names of texts.
_REFUSALS: Final = {
    INVITATION_ALREADY_EXISTS: "invited_already",
    INVITATION_INVALID_STATE: "invitation_over",
    LAST_OWNER: "last_owner",
    USER_ALREADY_EXISTS: "member_already",
}


@router.get("/invitations/{secret}")
async def show_invitation(request: Request, secret: str) -> Response:
    """The page of an invitation's link. It changes nothing: the scanners of mail open links too."""

    async def answer() -> Response:
        session = await session_of(request)

        async def run(caller: Caller) -> Response:
            found, company, known = await caller.read(lambda context: _invitation(context, caller))
            return _invitation_page(request, secret, found, company, session, known=known)

        return await _invited(request, secret, run)

    return await serve(request, answer)


@router.post("/invitations/{secret}")
async def accept_invitation(request: Request, secret: str) -> Response:
    """Become a member: somebody new with a name and a password, others as whom they have signed in. Once."""

    async def answer() -> Response:
        session = await session_of(request)
        token = session.form_token if session else form_token_before(request)
        fields = await read_form(request, token)
        if fields is None:
            raise FormRefusedError

        async def run(caller: Caller) -> Response:
            found, company, known = await caller.read(lambda context: _invitation(context, caller))
            if session is not None and session.email == found.email:
                return await _accept(request, caller, session)
            if session is not None or known:
                return _invitation_page(request, secret, found, company, session, known=known)
            name, chosen = tidy_name(fields.get("name", "")), fields.get("new_password", "")
            fault = "name_missing" if not name else fault_of(chosen, found.email)
            if fault is None and chosen != fields.get("again", ""):
                fault = "passwords_differ"
            if fault is not None:
                return _invitation_page(request, secret, found, company, None, notice=fault, name=name)
            return await _accept_as_new(request, caller, found, name, chosen)

        return await _invited(request, secret, run)

    return await serve(request, lambda: patiently(request, answer))


async def _invited(request: Request, secret: str, run: Callable[[Caller], Awaitable[Response]]) -> Response:
    """Have a request answered in the company of an invitation; the page of links that lead nowhere for any other."""
    try:
        response = await edge_of(request).as_holder(request, secret, (INVITATION,), run)
    except LedgerBeeError as fault:
        if fault.error_code not in {INVITATION_INVALID_STATE, USER_ALREADY_EXISTS}:
            raise
        response = None
    return response or message_page(request, "link_over", "link_over_text", texts=TEXTS, status=404)


async def _invitation(context: Context, caller: Caller) -> tuple[Invitation, str, bool]:
    found = await store.get_invitation(context, caller.principal.subject_id)
    status = status_of(found, context.now)
    if status is not InvitationStatus.PENDING:
        raise INVITATION_INVALID_STATE.in_state(status)
    return found, (await companies.get(context)).name, await store.is_invited_known(context, found.id)


async def _accept(request: Request, caller: Caller, session: UserSession) -> Response:
    async def work(context: Context) -> None:
        context.actor = Actor("user", str(session.user_id))
        await actions.accept(context, caller.principal.subject_id, session.user_id)

    await caller.database.run(caller.tenant, caller.now, work)
    return redirect(request, "/account?done=joined")


async def _accept_as_new(request: Request, caller: Caller, found: Invitation, name: str, password: str) -> Response:
    record = await new_record(password)
    cell = edge_of(request).cells[caller.principal.cell]
    session, secret = new_session(request, cell)

    async def work(context: Context) -> UserId | None:
        made = await sign_in.add_invited_user(context, found.id, name, found.language, record, session)
        if made is not None:
            context.actor = Actor("user", str(made))
            await actions.accept(context, found.id, made)
        return made

    if await caller.database.run(caller.tenant, caller.now, work) is None:  # made meanwhile, by another link
        return redirect(request, "/sign-in")
    return let_in(request, redirect(request, "/account?done=joined"), secret, found.email)


def _invitation_page(
    request: Request,
    secret: str,
    found: Invitation,
    company: str,
    session: UserSession | None,
    *,
    known: bool = False,
    notice: str | None = None,
    name: str = "",
) -> Response:
    cookie = before_session(request)
    path = path_of(request, f"/invitations/{secret}")
    values = {
        "notice": notice,
        "invitation": found,
        "company": company,
        "known": known,
        "session": session,
        "name": name,
        "path": path,
        "sign_in_path": path_of(request, f"/sign-in?{urlencode({'next': path})}"),
        "token": session.form_token if session else form_token(cookie),
    }
    language = None if session else found.language
    status = 400 if notice else 200
    page = render_page(
        request, f"{_HERE}/invitation.html", TEXTS, values, viewer=session, status=status, language=language
    )
    return page if session else with_form_cookie(request, page, cookie)


@router.get("/companies/{company_id}/people")
async def show_people(request: Request, company_id: str) -> Response:
    """Who works in the company, and who is invited."""

    async def answer(session: UserSession, caller: Caller, fields: dict[str, str]) -> Response:  # noqa: ARG001
        done = request.query_params.get("done")
        return await _people_page(request, session, caller, done=done if done in _DONE else None)

    return await _as_owner(request, company_id, answer)


@router.post("/companies/{company_id}/people/invite")
async def invite(request: Request, company_id: str) -> Response:
    """Mail an invitation."""

    async def answer(session: UserSession, caller: Caller, fields: dict[str, str]) -> Response:
        email, role = account_email(fields.get("email", "")[:300]), _role_in(fields)
        if email is None or role is None:
            return await _people_page(request, session, caller, "email_wrong")
        language = fields.get("language") if fields.get("language") in {"da", "en"} else None
        return await _done(
            request, session, caller, "invited",
            lambda context: actions.invite(
                context, email=email, role=role, language=language, held=caller.principal.scopes
            ),
        )  # fmt: skip

    return await _as_owner(request, company_id, answer)


@router.post("/companies/{company_id}/people/revoke-invitation")
async def revoke_invitation(request: Request, company_id: str) -> Response:
    """Take an invitation back."""

    async def answer(session: UserSession, caller: Caller, fields: dict[str, str]) -> Response:
        invitation_id = _id_in(fields.get("id", ""))
        return await _done(
            request, session, caller, "revoked",
            lambda context: actions.revoke_invitation(context, invitation_id, caller.principal.scopes),
        )  # fmt: skip

    return await _as_owner(request, company_id, answer)


@router.post("/companies/{company_id}/people/role")
async def change_role(request: Request, company_id: str) -> Response:
    """Give a member another role."""

    async def answer(session: UserSession, caller: Caller, fields: dict[str, str]) -> Response:
        user_id, role = UserId(_id_in(fields.get("id", ""))), _role_in(fields)
        if role is None:
            return await _people_page(request, session, caller, "email_wrong")
        return await _done(
            request, session, caller, "changed",
            lambda context: actions.change_role(context, user_id, role, caller.principal.scopes),
        )  # fmt: skip

    return await _as_owner(request, company_id, answer)


@router.post("/companies/{company_id}/people/remove")
async def remove(request: Request, company_id: str) -> Response:
    """Remove a member."""

    async def answer(session: UserSession, caller: Caller, fields: dict[str, str]) -> Response:
        user_id = UserId(_id_in(fields.get("id", "")))
        return await _done(
            request, session, caller, "removed",
            lambda context: actions.remove(context, user_id, caller.principal.scopes),
        )  # fmt: skip

    return await _as_owner(request, company_id, answer)


Answer = Callable[[UserSession, Caller, dict[str, str]], Awaitable[Response]]


async def _as_owner(request: Request, company_id: str, answer: Answer) -> Response:
    """Have a member answer who may change who the members are; for anybody else there is no such page."""

    async def inner() -> Response:
        session = await session_of(request)
        if session is None:
            return sign_in_redirect(request)
        fields = await session_form(request, session) if request.method == "POST" else {}

        async def run(caller: Caller) -> Response:
            if "users-write" not in caller.principal.scopes:
                return not_found(request)
            return await answer(session, caller, fields)

        wanted = _id_in(company_id)
        return await as_member(request, session, wanted, run) or not_found(request)

    return await serve(request, inner)


async def _done(
    request: Request,
    session: UserSession,
    caller: Caller,
    done: str,
    work: Callable[[Context], Awaitable[object]],
) -> Response:
    """Carry a command out, and go back to the page; refusals are said there."""
    try:
        await caller.database.run(caller.tenant, caller.now, work)
    except LedgerBeeError as fault:
        notice = _REFUSALS.get(fault.error_code)
        if notice is None:
            raise
        return await _people_page(request, session, caller, notice, status=fault.status)
    return redirect(request, f"/companies/{caller.principal.company_id}/people?done={done}")


async def _people_page(
    request: Request,
    session: UserSession,
    caller: Caller,
    notice: str | None = None,
    *,
    done: str | None = None,
    status: int = 400,
) -> Response:
    async def load(context: Context) -> dict[str, object]:
        open_ones = [
            one
            for one in await store.list_invitations(context)
            if status_of(one, context.now) is InvitationStatus.PENDING
        ]
        return {
            "company": await companies.get(context),
            "members": await store.list_members(context),
            "invitations": open_ones,
        }

    values = await caller.read(load)
    time_zone = caller.principal.time_zone
    values |= {
        "notice": notice,
        "done": done,
        "session": session,
        "roles": list(Role),
        "path": path_of(request, f"/companies/{caller.principal.company_id}/people"),
        "day": lambda moment: iso_day(day_in(moment, time_zone)),
    }
    return render_page(request, f"{_HERE}/people.html", TEXTS, values, viewer=session, status=status if notice else 200)


def _role_in(fields: dict[str, str]) -> Role | None:
    return Role(fields["role"]) if fields.get("role") in set(Role) else None


#: No company, user or invitation has it.
_NOBODY: Final = UUID(int=0)


def _id_in(text: str) -> UUID:
    """An id as a form or an address has it; that of nobody for what is none."""
    try:
        return parse_id(text)
    except ValueError:
        return _NOBODY
