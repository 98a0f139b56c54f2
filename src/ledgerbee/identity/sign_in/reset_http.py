"""A new password by a link in a mail (ours), at `/reset-password`.

Whether there is an account with an address is not told: the answer is the same, and the mail is the worker's.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from ledgerbee.http.state import state_of
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import edge_of, redirect
from ledgerbee.identity.pages.forms import read_form
from ledgerbee.identity.pages.page import message_page, render_page
from ledgerbee.identity.pages.rules import form_token
from ledgerbee.identity.pages.serving import FormRefusedError, TooManyTriesError, client_of, serve
from ledgerbee.identity.sign_in import limits, store
from ledgerbee.identity.sign_in.answers import patiently
from ledgerbee.identity.sign_in.browsers import (
    before_session,
    cells_of,
    form_token_before,
    known_from_now_on,
    now_of,
    with_form_cookie,
)
from ledgerbee.identity.sign_in.texts import TEXTS
from ledgerbee.identity.users.passwords import MAX_LENGTH, fault_of, new_record
from ledgerbee.identity.users.rules import account_email
from ledgerbee.platform.credentials.model import secret_hash

router = APIRouter(include_in_schema=False)

_HERE: Final = "ledgerbee.identity.sign_in"


@router.get("/reset-password")
async def show_reset(request: Request) -> Response:
    """The page that asks for the address."""

    async def answer() -> Response:
        secret = before_session(request)
        values = {"token": form_token(secret)}
        return with_form_cookie(request, render_page(request, f"{_HERE}/reset.html", TEXTS, values), secret)

    return await serve(request, answer)


@router.post("/reset-password")
async def ask_for_reset(request: Request) -> Response:
    """Have a link mailed to whoever has the address, three times an hour at most; says the same in any case."""

    async def answer() -> Response:
        fields, now = await _form(request), now_of(request)
        email = account_email(fields.get("email", "")[:MAX_LENGTH]) or ""
        async with edge_of(request).cells.own.database.connection() as connection:
            await limits.take(connection, limits.reset_limits(client_of(request)), now)
            try:
                await limits.take(connection, limits.reset_mail_limits(email), now)
            except TooManyTriesError:  # not told: it would say that somebody asks for this address
                return message_page(request, "link_sent", "link_sent_text", texts=TEXTS)
        for cell in cells_of(request):
            async with cell.database.connection() as connection:
                await store.ask_for_reset(connection, email, state_of(request.scope).request_id, now)
        return message_page(request, "link_sent", "link_sent_text", texts=TEXTS)

    return await serve(request, answer)


@router.get("/reset-password/{secret}")
async def show_link(request: Request, secret: str) -> Response:
    """The page of a link. It changes nothing of the account: the scanners of mail open links too.

    The browser is known for the account from now on. Whoever reads its mail is no stranger: nobody's wrong tries keep
    this browser out, whether a new password is chosen or the old one is shown.
    """

    async def answer() -> Response:
        found = await _found(request, secret)
        if found is None:
            return _over(request)
        return known_from_now_on(request, _page(request, secret, *found), found[0])

    return await serve(request, answer)


@router.post("/reset-password/{secret}")
async def choose_password(request: Request, secret: str) -> Response:
    """Set the password, once; all that the account has open ends. Then on to signing in with it."""

    async def answer() -> Response:
        fields, found, cell = (
            await _form(request),
            await _found(request, secret),
            edge_of(request).cells.of_secret(secret),
        )
        if found is None or cell is None:
            return _over(request)
        chosen = fields.get("new_password", "")
        fault = fault_of(chosen, found[0])
        if fault is None and chosen != fields.get("again", ""):
            fault = "passwords_differ"
        if fault is not None:
            return _page(request, secret, *found, notice=fault)
        record = await new_record(chosen)
        async with cell.database.connection() as connection:
            if not await store.reset_password(connection, secret_hash(secret), record, now_of(request)):
                return _over(request)
        response = redirect(request, "/sign-in?done=password")
        cookies.remove(request, response, cookies.SESSION)
        return known_from_now_on(request, response, found[0])

    return await serve(request, lambda: patiently(request, answer))


async def _form(request: Request) -> dict[str, str]:
    fields = await read_form(request, form_token_before(request))
    if fields is None:
        raise FormRefusedError
    return fields


async def _found(request: Request, secret: str) -> tuple[str, str] | None:
    cell = edge_of(request).cells.of_secret(secret)
    if cell is None:
        return None
    async with cell.database.connection() as connection:
        return await store.find_reset_link(connection, secret_hash(secret), now_of(request))


def _over(request: Request) -> Response:
    return message_page(request, "link_over", "link_over_text", texts=TEXTS, status=404)


def _page(request: Request, secret: str, email: str, language: str, notice: str | None = None) -> Response:
    cookie = before_session(request)
    values = {"notice": notice, "secret": secret, "email": email, "token": form_token(cookie)}
    page = render_page(
        request, f"{_HERE}/new_password.html", TEXTS, values, status=400 if notice else 200, language=language
    )
    return with_form_cookie(request, page, cookie)
