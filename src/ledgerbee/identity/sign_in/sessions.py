"""Sessions of users, as the pages use them: whose a request is, which companies it opens, and working in one.

async def show(request: Request) -> Response:
    session = await session_of(request)
    if session is None:
        return sign_in_redirect(request)
    return found(request, await as_member(request, session, company_id, run))
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response

from ledgerbee.http.caller import Caller
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import edge_of, path_of, redirect
from ledgerbee.identity.pages.forms import read_form
from ledgerbee.identity.pages.serving import FormRefusedError
from ledgerbee.identity.sign_in import store
from ledgerbee.identity.sign_in.model import CompanyOfUser, UserSession
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import USER_SESSION, secret_hash

_SESSION: Final = (USER_SESSION,)


async def session_of(request: Request) -> UserSession | None:
    """Whose session a request shows; None where it shows none, or one that is over."""
    secret = cookies.read(request, cookies.SESSION)
    cell = edge_of(request).cells.of_secret(secret) if secret else None
    if secret is None or cell is None:
        return None
    async with cell.database.connection() as connection:
        return await store.find_session(connection, secret, edge_of(request).clock())


async def companies_of(request: Request, session: UserSession) -> list[CompanyOfUser]:
    """The companies that the user works in, in the order in which they came."""
    cell = edge_of(request).cells.of_secret(session.secret)
    assert cell is not None, "the session was found there"
    async with cell.database.connection() as connection:
        return await store.companies_of(connection, session.secret, edge_of(request).clock())


def company_secret(session: UserSession, company_id: UUID) -> str:
    """What opens a company for a session: its hash is a credential there, whose subject is the membership."""
    return f"{session.secret}/{company_id}"


async def as_member(
    request: Request, session: UserSession, company_id: UUID, run: Callable[[Caller], Awaitable[Response]]
) -> Response | None:
    """Have `run` answer a request as the member that the session's user is in a company, with the scopes of the role.

    None where the user doesn't work there. `run` is as `Edge.as_holder` wants it: it opens the transactions, and may
    run again. The first request of a session in a company opens it, and writes `user.signed_in` there.
    """
    edge, secret = edge_of(request), company_secret(session, company_id)
    response = await edge.as_holder(request, secret, _SESSION, run)
    if response is not None:
        return response
    cell = edge.cells.of_secret(session.secret)
    assert cell is not None, "the session was found there"
    async with cell.database.connection() as connection:
        opened = await store.open_company(connection, session.secret, company_id, secret_hash(secret), edge.clock())
    if opened is None:
        return None

    async def begin(caller: Caller) -> Response:
        nonlocal opened
        if opened:
            await caller.database.run(caller.tenant, caller.now, lambda context: _tell(context, session))
            opened = False
        return await run(caller)

    return await edge.as_holder(request, secret, _SESSION, begin)


async def _tell(context: Context, session: UserSession) -> None:
    context.emit("user.signed_in", session.user_id, {"id": session.user_id, "email": session.email})


def sign_in_redirect(request: Request) -> Response:
    """To the page of signing in, and from there back to where the request was going."""
    back = path_of(request, request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    return redirect(request, f"/sign-in?{urlencode({'next': back})}")


async def session_form(request: Request, session: UserSession) -> dict[str, str]:
    """The fields of a form that was sent from a page of this session. Raises `FormRefusedError`."""
    fields = await read_form(request, session.form_token)
    if fields is None:
        raise FormRefusedError
    return fields
