"""Forms that are sent to pages: taken only from pages of ours that were opened in the same browser."""

from fastapi import Request

from ledgerbee.core.browsers import is_foreign
from ledgerbee.identity.pages.addresses import host_of
from ledgerbee.identity.pages.rules import is_own, read_fields


async def read_form(request: Request, token: str | None) -> dict[str, str] | None:
    """The fields of a form; None where it was not sent from a page of ours with this `token` in its forms.

    Raises `PAYLOAD_TOO_LARGE`.
    """
    fields = read_fields(request.headers.get("content-type", ""), await request.body())
    hosts = frozenset({request.url.hostname or "", host_of(request)})
    foreign = is_foreign(request.headers.get("sec-fetch-site"), request.headers.get("origin"), hosts)
    return None if foreign or token is None or not is_own(fields, token) else fields
