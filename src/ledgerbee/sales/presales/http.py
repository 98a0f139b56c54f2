"""What the routes of quotes and order confirmations share."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from fastapi import Response

from ledgerbee.http.operation import CallerDep
from ledgerbee.http.wire import ResponseModel
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import (
    DOCUMENT_CHARACTERS_UNPRINTABLE,
    DOCUMENT_PRINTING_FAILED,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
)
from ledgerbee.sales.documents.printing import Trials, with_trials
from ledgerbee.sales.presales.wire import SendPresaleRequest, SendPresaleResponse
from ledgerbee.sales.sending.model import SendCommand

#: What sending may be refused by, beside the kind's own.
SEND_ERRORS: Final = (
    DOCUMENT_TEMPLATE_NOT_FOUND,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    DOCUMENT_CHARACTERS_UNPRINTABLE,
    DOCUMENT_PRINTING_FAILED,
)


async def send_tried(
    caller: CallerDep,
    document_id: UUID,
    body: SendPresaleRequest,
    send: Callable[[Context, SendCommand], Awaitable[object]],
    render_sent: Callable[[Context], Awaitable[ResponseModel]] | None = None,
) -> Response:
    """Send a document in a transaction, after a trial where it needs one (`printing.with_trials`).

    `render_sent` makes the answer of a kind that has more to say than that it was sent.
    """

    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            await send(context, SendCommand(document_id, body.options, trials))
            answer = SendPresaleResponse(success=True, delivery_type=body.delivery_type)
            told = answer if render_sent is None else await render_sent(context)
            return Response(told.model_dump_json(), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


def json_of(answer: ResponseModel) -> Response:
    """An answer without the fields that were not set."""
    return Response(answer.model_dump_json(exclude_unset=True), status_code=201, media_type="application/json")
