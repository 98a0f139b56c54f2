"""How a page is served: the request is counted and bounded, and every refusal is a page."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from fastapi import Request, Response

from ledgerbee.core.addresses import network_of
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.state import state_of
from ledgerbee.identity.pages.addresses import edge_of
from ledgerbee.identity.pages.page import message_page
from ledgerbee.platform.db import CredentialRevokedError
from ledgerbee.tenancy.oauth import store as rate_limits

#: Pages that an address may ask for in a minute, all together.
PAGE_HITS: Final = 240


class TooManyTriesError(Exception):
    """Something is asked for too often; `free_at` is when the next one is let through (aware UTC)."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("too many tries")
        self.free_at = free_at


class FormRefusedError(Exception):
    """A form was not sent from a page of ours, or from one that was open for too long."""


def client_of(request: Request) -> str | None:
    """The address that a request comes from, as the outermost trusted proxy has it."""
    return request.client.host if request.client else None


async def serve(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Count the request and have it answered; refusals are pages that say what to do."""
    edge, state = edge_of(request), state_of(request.scope)
    now = edge.clock()
    try:
        if state.count_incoming_body is not None:
            state.count_incoming_body(None, client_of(request) or "")
        check_length(request, FORM_BODY)
        async with edge.cells.own.database.connection() as connection:  # an address is of no cell
            bucket = f"people page/address/{network_of(client_of(request))}"
            window = await rate_limits.take_hit(connection, bucket, now, PAGE_HITS)
        if not window.allowed:
            return too_many(request, window.resets_at - now)
        return await answer()
    except FormRefusedError:
        return message_page(request, "not_from_here", "not_from_here_text", status=400)
    except TooManyTriesError as fault:
        return too_many(request, fault.free_at - now)
    except CredentialRevokedError:
        return not_found(request)
    except LedgerBeeError as fault:
        return message_page(request, "try_again", "try_again_text", status=fault.status)


def too_many(request: Request, wait: timedelta) -> Response:
    """The page of whoever asks too often."""
    return told_to_wait(message_page(request, "too_many", "too_many_text", status=429), wait)


def told_to_wait(page: Response, wait: timedelta) -> Response:
    """A page of whoever asks too often, which says when the next request is let through."""
    page.headers["Retry-After"] = str(max(1, ceil(wait.total_seconds())))
    return page


def not_found(request: Request) -> Response:
    """The page of what there isn't, or isn't for whoever asks."""
    return message_page(request, "not_found", "not_found_text", status=404)
