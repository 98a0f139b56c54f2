"""Answers of pages that may be refused in ways of their own: what computes passwords, and what scripts ask for."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.responses import JSONResponse

from ledgerbee.identity.pages.page import message_page
from ledgerbee.identity.pages.serving import FormRefusedError, TooManyTriesError
from ledgerbee.identity.users.passwords import TooBusyError

Answer = Callable[[], Awaitable[Response]]


async def patiently(request: Request, answer: Answer) -> Response:
    """Have a request answered that computes a password; the page of one that would have to wait for too long."""
    try:
        return await answer()
    except TooBusyError:
        return message_page(request, "try_again", "try_again_text", status=503)


async def as_json(answer: Answer) -> Response:
    """For scripts: a refusal without a page."""
    try:
        return await answer()
    except FormRefusedError:
        return JSONResponse({}, 400)
    except TooManyTriesError:
        return JSONResponse({}, 429)
