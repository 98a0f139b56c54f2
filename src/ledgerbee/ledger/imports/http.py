"""Imports over HTTP (extensions)."""

import asyncio
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from starlette.requests import ClientDisconnect

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.caller import Caller
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import BodyStream, CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.imports import actions, store
from ledgerbee.ledger.imports.model import (
    JOURNAL_IMPORT_INTERRUPTED,
    JOURNAL_IMPORT_INVALID_STATE,
    JOURNAL_IMPORT_NOT_FOUND,
    JOURNAL_IMPORT_QUOTA_EXCEEDED,
    JOURNAL_IMPORT_UNREADABLE,
    NOTHING_SAID,
    CsvOptions,
    FileToImport,
    ImportFormat,
    ImportId,
)
from ledgerbee.ledger.imports.query import ImportQuery
from ledgerbee.ledger.imports.wire import (
    JournalImportResponse,
    ListJournalImportErrorsResponse,
    ListJournalImportsResponse,
    render,
    render_error,
)
from ledgerbee.ledger.periods.http import OPEN_SCOPE
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS, LICENSE_REQUIRED, UNAUTHORIZED
from ledgerbee.platform.db import UNREACHABLE, CredentialRevokedError

router = resource_router("Journal Entries (v2)")

ImportPath = Annotated[IdOf[ImportId], Path(alias="importId", description="Import ID")]

#: What a credential that is none any more, or may no longer import, is answered.
_NO_LONGER_LET_IN = frozenset({UNAUTHORIZED, INSUFFICIENT_PERMISSIONS, LICENSE_REQUIRED})
#: What a file's content type says of its format.
MEDIA_TYPES = {
    "application/x-ndjson": ImportFormat.JSONL,
    "text/csv": ImportFormat.CSV,
}


@router.post(
    "/v2/journal-entries/import",
    response_model=JournalImportResponse,
    **operation(
        "Import journal entries",
        scope="journal-entries-write",
        status=202,
        extension=True,
        description="Takes a file of any length and has its entries posted in the background, 500 in a transaction. "
        "The body is the file, its content type the format: `application/x-ndjson` (JSON Lines: in each line what "
        "`POST /v2/journal-entries` takes, with `accountNumber`, `vatCode`, `customerNumber`, `vendorNumber` and "
        "`journalCategory` beside the ids) or `text/csv` (a line of an entry a row). A row that can't be posted is "
        "reported with its line; the others are posted. Numbers and dates of a CSV file are read in one way, settled "
        "by all of the file; what it leaves open fails the import before anything is posted, and can be said by the "
        "parameters. With `openFiscalYears=true` the fiscal years that rows up to a year ahead lack are opened; the "
        f"key needs `{OPEN_SCOPE}` too.",
        response="File received, import queued",
        errors=[
            JOURNAL_IMPORT_INTERRUPTED,
            JOURNAL_IMPORT_UNREADABLE,
            JOURNAL_IMPORT_QUOTA_EXCEEDED,
            INSUFFICIENT_PERMISSIONS,
        ],
        opens_transaction=False,
        streams=tuple(MEDIA_TYPES),
    ),
)
async def import_journal_entries(
    caller: CallerDep,
    body: BodyStream,
    query: Annotated[ImportQuery, Query()],
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    if query.open_fiscal_years and OPEN_SCOPE not in caller.principal.scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[OPEN_SCOPE])
    file_format = MEDIA_TYPES[content_type.partition(";")[0].strip().lower()]
    options = CsvOptions(
        query.encoding, query.decimal_mark, query.date_format, int(query.rate_units) if query.rate_units else None
    )
    if options != NOTHING_SAID and file_format is not ImportFormat.CSV:
        raise invalid(("", "isCsv", "encoding, decimalMark, dateFormat and rateUnits are for text/csv alone"))
    upload = _Upload(caller)
    try:
        file = FileToImport(file_format, query.file_name, options, query.open_fiscal_years)
        announced = int(content_length) if content_length.isdigit() else 0
        import_id, content_hash, length = await actions.receive(upload.door, file, body, announced=announced)
    except ClientDisconnect:
        raise JOURNAL_IMPORT_INTERRUPTED.error() from None

    async def work(context: Context) -> Response:
        queued = await actions.queue(context, import_id, content_hash, length)
        return Response(render(queued).model_dump_json(by_alias=True), 202, media_type="application/json")

    try:
        response = await caller.with_content(content_hash).final_command(work)
    except BaseException as fault:
        await upload.give_up(import_id, fault)
        raise
    if "Idempotent-Replayed" in response.headers:
        await upload.forget(import_id)
    return response


class _Upload:
    """A caller's file that comes in, and how it ends where that doesn't become an import."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._secret = secrets.token_bytes(32)
        self.door = actions.Door(caller.write_step, self.give_up, self._secret, caller.max_waiting_bytes)

    async def give_up(self, import_id: ImportId, fault: BaseException) -> None:
        """End an upload: one that is answered with an error changes nothing, one that broke off stays as failed."""
        is_answered = isinstance(fault, Exception) and not isinstance(fault, ClientDisconnect)
        await self._surely((self._remove if is_answered else self._break_off)(import_id))

    async def forget(self, import_id: ImportId) -> None:
        """Remove an upload that is answered with what was answered before."""
        await self._surely(self._remove(import_id))

    async def _surely(self, ending: Coroutine[Any, Any, None]) -> None:
        """Also when the request is cancelled. What can't be done now is left for the worker, which ends the upload."""
        with suppress(*UNREACHABLE, CredentialRevokedError):
            await asyncio.shield(ending)

    async def _remove(self, import_id: ImportId) -> None:
        """By the upload's secret: the credential may be none any more."""
        company_id = self._caller.principal.company_id
        async with self._caller.database.connection(company_id) as connection:
            await store.give_up_upload(connection, company_id, import_id, self._secret)

    async def _break_off(self, import_id: ImportId) -> None:
        try:
            await self._caller.write_step(lambda context: actions.break_off(context, import_id))
        except LedgerBeeError as fault:
            if fault.error_code not in _NO_LONGER_LET_IN:
                raise
            await self._remove(import_id)  # as whatever else it had sent


@router.get(
    "/v2/journal-entries/import",
    **operation(
        "List imports",
        scope="journal-entries-read",
        extension=True,
        description="A page of the company's imports, newest first.",
    ),
)
async def list_journal_imports(context: Ctx, page: PageNumber = 1, limit: Limit = 25) -> ListJournalImportsResponse:
    asked = PageRequest(page, limit)
    found = await store.list_page(context, asked)
    return ListJournalImportsResponse.of([render(row) for row in found.rows], found.total, asked)


@router.get(
    "/v2/journal-entries/import/{importId}",
    **operation(
        "Get an import",
        scope="journal-entries-read",
        extension=True,
        description="An import and how far it is.",
        errors=[JOURNAL_IMPORT_NOT_FOUND],
    ),
)
async def get_journal_import(context: Ctx, import_id: ImportPath) -> JournalImportResponse:
    return render(await store.get(context, import_id))


@router.get(
    "/v2/journal-entries/import/{importId}/errors",
    **operation(
        "List the errors of an import",
        scope="journal-entries-read",
        extension=True,
        description="A page of what was refused, in order of the lines. The first 10,000 errors are kept.",
        errors=[JOURNAL_IMPORT_NOT_FOUND],
    ),
)
async def list_journal_import_errors(
    context: Ctx, import_id: ImportPath, page: PageNumber = 1, limit: Limit = 25
) -> ListJournalImportErrorsResponse:
    await store.get(context, import_id)
    asked = PageRequest(page, limit)
    found = await store.list_errors(context, import_id, asked)
    return ListJournalImportErrorsResponse.of([render_error(row) for row in found.rows], found.total, asked)


@router.post(
    "/v2/journal-entries/import/{importId}/cancel",
    **operation(
        "Cancel an import",
        scope="journal-entries-write",
        extension=True,
        description="Ends an import where it stands. What it has posted stays: reverse it if it should not.",
        response="Import cancelled",
        errors=[JOURNAL_IMPORT_NOT_FOUND, JOURNAL_IMPORT_INVALID_STATE],
    ),
)
async def cancel_journal_import(context: Ctx, import_id: ImportPath) -> JournalImportResponse:
    return render(await actions.cancel(context, import_id))
