"""What is known of one request, under one key of its ASGI scope: written by the server, the middleware and the edge."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.types import Scope

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.cells import Cells
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import Principal

KEY: Final = "ledgerbee.request"


@dataclass(slots=True)
class RequestState:
    """One request. Each field says who sets it; a field that is not set yet has its default."""

    # Set by the server (`http/protocol.py`); other servers, such as those of tests, have neither.
    #: Counts a body that is still coming in for the caller: a company (None: a stranger) and an address.
    #: Raises `TOO_MANY_CONNECTIONS`.
    count_incoming_body: Callable[[UUID | None, str], None] | None = None
    #: What the server has refused the request for while its body came in.
    refusal: LedgerBeeError | None = None

    # Set by the middleware (`http/middleware.py`).
    request_id: str = ""
    #: The API key in the address; the middleware takes it out of there.
    query_key: str | None = None
    #: HEAD: answered as GET, without the body.
    is_head: bool = False
    #: The bytes that the body may have: those of the operation; else those of a form, unless a page that knows who
    #: calls says otherwise.
    max_body: int = FORM_BODY

    # Set by the edge (`http/edge.py`).
    #: Whether the credential was looked for; the middleware asks about it where nobody did.
    is_identified: bool = False
    principal: Principal | None = None
    caller: Caller | None = None
    #: The open transaction, of operations that leave it to the edge.
    context: Context | None = None
    #: The body as it comes in, of operations that stream it.
    body: AsyncIterator[bytes] | None = None
    #: What the request log says beside what it says of every request: names of ours, and ids.
    noted: Mapping[str, str] | None = None
    #: For public operations, which have no caller.
    cells: Cells | None = None
    now: datetime | None = None

    def identify(self, principal: Principal | None) -> None:
        """Say who calls; None: nobody who is known."""
        self.is_identified = True
        self.principal = principal


def state_of(scope: Scope) -> RequestState:
    """The state of a request. The first who asks makes it."""
    state: RequestState | None = scope.get(KEY)
    if state is None:
        state = scope[KEY] = RequestState()
    return state
