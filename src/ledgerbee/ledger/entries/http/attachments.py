"""Routes of attachments of posted entries: the list, and the files themselves (contract 2.8)."""

from typing import Annotated

import structlog
from fastapi import Path, Response

from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.attachments import store
from ledgerbee.ledger.attachments.model import ATTACHMENT_NOT_FOUND
from ledgerbee.ledger.attachments.wire import AttachmentResponse, render
from ledgerbee.ledger.entries import store as entries
from ledgerbee.ledger.entries.http.reads import EntryPath
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_NOT_FOUND
from ledgerbee.ledger.uploads.model import AttachmentId
from ledgerbee.ledger.uploads.rules import CONTENT_TYPES
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE

router = resource_router("Journal Entries")

AttachmentPath = Annotated[IdOf[AttachmentId], Path(alias="attachmentId", description="Attachment ID")]

log = structlog.get_logger("ledgerbee.attachments")


@router.get(
    "/v1/journal-entries/{journalEntryId}/attachments",
    **operation(
        "Get attachments for a journal entry",
        scope="journal-entries-read",
        description="The files attached to a posted entry, in the order in which they were sent. They stay as long as "
        "the entry does.",
        errors=[JOURNAL_ENTRY_NOT_FOUND],
    ),
)
async def list_journal_entry_attachments(context: Ctx, journal_entry_id: EntryPath) -> list[AttachmentResponse]:
    await entries.check_exists(context, journal_entry_id)
    return [render(journal_entry_id, found) for found in await store.list_for_entry(context, journal_entry_id)]


_FILE = operation(
    "Download an attachment of a journal entry",
    scope="journal-entries-read",
    description="The file as it was sent, with the type it was sent as.",
    response="The file",
    errors=[ATTACHMENT_NOT_FOUND, ATTACHMENT_STORE_UNAVAILABLE],
    opens_transaction=False,
    extension=True,
)
_FILE["responses"][200]["content"] = {
    content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in sorted(CONTENT_TYPES)
}


@router.get("/v1/journal-entries/{journalEntryId}/attachments/{attachmentId}", response_class=Response, **_FILE)
async def get_journal_entry_attachment(
    caller: CallerDep, journal_entry_id: EntryPath, attachment_id: AttachmentPath
) -> Response:
    found = await caller.read(lambda context: store.get_of_entry(context, journal_entry_id, attachment_id))
    content = await caller.blobs.get(caller.principal.company_id, found.hash)
    if content is None:
        log.error("attachments.missing", attachment=str(found.id), sha256=found.hash.hex())
        raise ATTACHMENT_STORE_UNAVAILABLE.error()
    headers = {
        "Content-Type": found.content_type,  # as it is: Starlette would add a charset, and nobody knows which
        "Content-Disposition": content_disposition(found.file_name),
    }
    return Response(content, headers=headers)
