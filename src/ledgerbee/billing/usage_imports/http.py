"""Imports of usage over HTTP (extensions)."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Header, Path, Query, Response
from starlette.requests import ClientDisconnect

from ledgerbee.billing.meters.http import metered
from ledgerbee.billing.usage_imports import actions, store
from ledgerbee.billing.usage_imports.model import (
    USAGE_IMPORT_INTERRUPTED,
    USAGE_IMPORT_INVALID_STATE,
    USAGE_IMPORT_NOT_FOUND,
    USAGE_IMPORT_QUOTA_EXCEEDED,
    UsageImportId,
)
from ledgerbee.billing.usage_imports.wire import (
    ListUsageImportsResponse,
    UsageImportDetailResponse,
    UsageImportResponse,
    UsageImportUploadQuery,
    render,
    render_detail,
)
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.caller import Caller
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import BodyStream, CallerDep, Ctx, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.imports.model import CsvOptions
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import UNREACHABLE, CredentialRevokedError

router = resource_router("Usage")

ImportPath = Annotated[IdOf[UsageImportId], Path(alias="usageImportId", description="Import ID")]
_MEDIA_TYPES: Final = ("text/csv",)

#: An operation on imports.
extension = partial(metered, extension=True)


@router.post(
    "/v1/usage/imports",
    response_model=UsageImportResponse,
    **extension(
        "Import usage",
        status=202,
        description="Takes a CSV file of any length and has its rows reported in the background, 1,000 in a "
        "transaction. Columns: `idempotencyKey`, `customerId` or `customerNumber`, `meterId` or `meterName`, `value`, "
        "`timestamp` (ISO 8601 with its offset), and any `metadata.…`, whose values are strings. Separated by "
        "semicolons, commas or tabs, in UTF-8 with or without a byte order mark. Whether a comma or a point stands "
        "before decimals is settled by all of the file; what it leaves open fails the import before anything is taken "
        "in, and can be said by `decimalMark`. A row that can't be taken in is reported with its line; the others are "
        "taken in. What was reported before under the same key is a duplicate: the same file can be sent again. Up to "
        "100 imports of a company wait at a time.",
        response="File received, import queued",
        errors=[USAGE_IMPORT_INTERRUPTED, USAGE_IMPORT_QUOTA_EXCEEDED],
        opens_transaction=False,
        streams=_MEDIA_TYPES,
    ),
)
async def import_usage(
    caller: CallerDep,
    body: BodyStream,
    query: Annotated[UsageImportUploadQuery, Query()],
    content_length: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    options = CsvOptions(query.encoding, query.decimal_mark)
    announced = int(content_length) if content_length.isdigit() else 0
    limit = caller.max_waiting_bytes
    import_id = await caller.write_step(
        lambda context: actions.begin_upload(context, query.file_name, options, announced, limit)
    )
    try:
        content_hash, length = await actions.receive(caller.write_step, import_id, body, limit)

        async def work(context: Context) -> Response:
            queued = await actions.queue(context, import_id, length)
            return Response(render(queued).model_dump_json(by_alias=True), 202, media_type="application/json")

        response = await caller.with_content(content_hash).final_command(work)
    except ClientDisconnect:
        await _surely(caller.write_step(lambda context: actions.break_off(context, import_id)))
        raise USAGE_IMPORT_INTERRUPTED.error() from None
    except BaseException as fault:
        await _give_up(caller, import_id, fault)
        raise
    if "Idempotent-Replayed" in response.headers:
        await _surely(caller.write_step(lambda context: store.remove_upload(context, import_id)))
    return response


async def _give_up(caller: Caller, import_id: UsageImportId, fault: BaseException) -> None:
    """End an upload: one that is answered with an error changes nothing, one that broke off stays as failed."""
    end = store.remove_upload if isinstance(fault, Exception) else actions.break_off
    await _surely(caller.write_step(lambda context: end(context, import_id)))


async def _surely(ending: Coroutine[Any, Any, None]) -> None:
    """Also when the request is cancelled. What can't be done now, as the credential is none any more or the database is
    away, is left for the worker, which ends the upload."""
    with suppress(*UNREACHABLE, CredentialRevokedError, LedgerBeeError):
        await asyncio.shield(ending)


@router.get(
    "/v1/usage/imports",
    **extension("List imports of usage", description="A page of the company's imports of usage, newest first."),
)
async def list_usage_imports(context: Ctx, page: PageNumber = 1, limit: Limit = 25) -> ListUsageImportsResponse:
    asked = PageRequest(page, limit)
    found = await store.list_page(context, asked)
    return ListUsageImportsResponse.of([render(row) for row in found.rows], found.total, asked)


@router.get(
    "/v1/usage/imports/{usageImportId}",
    **extension(
        "Get an import of usage",
        description="An import of usage and how far it is, with a page of what was refused, in order of the lines. The "
        "first 10,000 errors are kept.",
        errors=[USAGE_IMPORT_NOT_FOUND],
    ),
)
async def get_usage_import(
    context: Ctx, import_id: ImportPath, page: PageNumber = 1, limit: Limit = 25
) -> UsageImportDetailResponse:
    found = await store.get(context, import_id)
    asked = PageRequest(page, limit)
    return render_detail(found, await store.list_errors(context, import_id, asked), asked)


@router.post(
    "/v1/usage/imports/{usageImportId}/cancel",
    **extension(
        "Cancel an import of usage",
        description="Ends an import where it stands. What was taken in stays: withdraw it, or tell it anew by a "
        "backfill, if it should not.",
        response="Import cancelled",
        errors=[USAGE_IMPORT_NOT_FOUND, USAGE_IMPORT_INVALID_STATE],
    ),
)
async def cancel_usage_import(context: Ctx, import_id: ImportPath) -> UsageImportResponse:
    return render(await actions.cancel(context, import_id))
