"""The browser that a request comes from: what it gets when somebody signs in, and where it goes on to."""

from datetime import datetime
from typing import Final

from fastapi import Request, Response

from ledgerbee.core.cells import new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.http.cells import Cell
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import edge_of, path_of, redirect_within
from ledgerbee.identity.pages.rules import form_token, path_within
from ledgerbee.identity.pages.serving import client_of
from ledgerbee.identity.sign_in import limits
from ledgerbee.identity.sign_in.model import SESSION_LIFE, SESSION_PREFIX, STEP_PREFIX
from ledgerbee.identity.sign_in.store import NewSession
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.secrets import SecretBox

_DEVICE_S: Final = 365 * 86_400
_LONGEST_AGENT: Final = 200


def now_of(request: Request) -> datetime:
    """The moment of a request (aware UTC)."""
    return edge_of(request).clock()


def cells_of(request: Request) -> list[Cell]:
    """The cells that the process serves, its own first: an account lives in one of them."""
    cells = edge_of(request).cells
    return [cells.own, *cells.others()]


def box_of(request: Request) -> SecretBox:
    """What cookies of known browsers are encrypted with, and secrets of one-time passwords."""
    box = edge_of(request).cells.own.database.secrets
    assert box is not None, "the API opens its databases with it"
    return box


def new_session(request: Request, cell: Cell) -> tuple[NewSession, str]:
    """A session that may begin in this browser, and the secret of its cookie: a new one for each sign-in."""
    secret = new_secret(SESSION_PREFIX, cell.mark)
    agent = request.headers.get("user-agent", "")[:_LONGEST_AGENT].replace("\0", "") or None
    return NewSession(new_id(), secret_hash(secret), client_of(request), agent), secret


def before_session(request: Request) -> str:
    """What forms of somebody who has not signed in are bound to: a cookie, fresh where there is none."""
    found = cookies.read(request, cookies.BEFORE_SESSION)
    return found if found and len(found) < 100 else new_secret(STEP_PREFIX, edge_of(request).cells.own.mark)


def form_token_before(request: Request) -> str | None:
    """The token of forms that were shown in this browser ahead of signing in; None where none were."""
    found = cookies.read(request, cookies.BEFORE_SESSION)
    return form_token(found) if found else None


def with_form_cookie(request: Request, response: Response, secret: str) -> Response:
    """A page with a form, and the cookie that the form is bound to."""
    if cookies.read(request, cookies.BEFORE_SESSION) != secret:
        cookies.write(request, response, cookies.BEFORE_SESSION, secret)
    return response


def let_in(request: Request, response: Response, secret: str, email: str | None) -> Response:
    """Have the browser keep a session, and be known for the account from now on."""
    cookies.write(request, response, cookies.SESSION, secret, int(SESSION_LIFE.total_seconds()))
    for over in (cookies.BEFORE_SESSION, cookies.STEP):
        if cookies.read(request, over):
            cookies.remove(request, response, over)
    return response if email is None else known_from_now_on(request, response, email)


def known_from_now_on(request: Request, response: Response, email: str) -> Response:
    """Have the browser show that it is known for an account (`limits`)."""
    cookies.write(request, response, cookies.DEVICE, limits.new_device(box_of(request), email), _DEVICE_S)
    return response


def device_of(request: Request, email: str) -> str | None:
    """The browser's name, where it is known for this account."""
    return limits.device_of(box_of(request), cookies.read(request, cookies.DEVICE), email)


def next_of(request: Request, text: str | None) -> str:
    """Where to go on to after signing in: a path of this site, as browsers see it; else the account."""
    return (path_within(text) if text else None) or path_of(request, "/account")


def go_on(request: Request, text: str | None) -> Response:
    """On to there."""
    return redirect_within(next_of(request, text))
