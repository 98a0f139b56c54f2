"""Routes of incoming documents (extension; decisions "Documents")."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Path, Query, Request, Response

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.envelope import PAYLOAD_TOO_LARGE, error_response
from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, Ctx, RouteOptions, operation, resource_router
from ledgerbee.http.step_scheduler import run_step
from ledgerbee.http.wire import Id, IdOf
from ledgerbee.ledger.uploads.actions import staged
from ledgerbee.ledger.uploads.model import DecodedFile
from ledgerbee.parties.party.model import VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS
from ledgerbee.purchases.incoming_documents import actions, store
from ledgerbee.purchases.incoming_documents.answers import actions as answering
from ledgerbee.purchases.incoming_documents.answers import statuses
from ledgerbee.purchases.incoming_documents.answers import store as answers
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_ANSWER_NOT_FOUND,
    INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED,
    INCOMING_DOCUMENT_INVALID_STATE,
    INCOMING_DOCUMENT_NOT_ANSWERABLE,
    INCOMING_DOCUMENT_NOT_DRAFTABLE,
    INCOMING_DOCUMENT_NOT_FOUND,
    INCOMING_DOCUMENT_UNREADABLE,
    MAX_FILE,
    FullIncomingDocument,
    IncomingDocumentId,
    ReceivedDocument,
    ReceivedFile,
)
from ledgerbee.purchases.incoming_documents.model.messages import INCOMING_MESSAGE_DIFFERS, Envelope
from ledgerbee.purchases.incoming_documents.printing import print_pdf
from ledgerbee.purchases.incoming_documents.reading import read
from ledgerbee.purchases.incoming_documents.wire import (
    CreateIncomingAnswerRequest,
    DraftIncomingDocumentRequest,
    IncomingDocumentQuery,
    IncomingDocumentResponse,
    IncomingFileBody,
    ListIncomingDocumentsResponse,
    file_name_of,
    render,
)
from ledgerbee.purchases.incoming_documents.wire.answers import IncomingAnswerResponse, render_answer
from ledgerbee.purchases.incoming_documents.wire.messages import EnvelopeQuery, render_message
from ledgerbee.tenancy.company import store as companies

router = resource_router("Incoming Documents")

DocumentPath = Annotated[IdOf[IncomingDocumentId], Path(alias="incomingDocumentId", description="Incoming document ID")]

AnswerPath = Annotated[Id, Path(alias="answerId", description="ID of the answer")]

_XML: Final = "application/xml"
_PDF: Final = "application/pdf"
#: What making a vendor takes beside the operation's own scope.
_VENDORS_SCOPE: Final = "vendors-write"


def _xml_operation() -> RouteOptions:
    options = operation(
        "Download an answer to an incoming document",
        scope="journal-entries-read",
        description="The answer's XML, byte for byte as it is sent, for whoever takes it to the sender otherwise.",
        response="The answer as XML",
        errors=[INCOMING_ANSWER_NOT_FOUND],
        extension=True,
    )
    options["responses"][200]["content"] = {_XML: {"schema": {"type": "string"}}}
    return options


@router.post(
    "/v1/incoming-documents",
    response_model=IncomingDocumentResponse,
    **operation(
        "Receive an e-invoice",
        scope="journal-entries-write",
        status=201,
        description="Takes an invoice or credit note in UBL 2.1 (Peppol BIS Billing 3) or OIOUBL 2.1, as the body "
        "itself or as base64 in JSON, and makes a draft SUPPLIER_INVOICE of it, with the XML and a PDF attached. The "
        "vendor is the one with the sender's VAT or CVR number, else the one that was chosen for the sender before. "
        "Lines go to the accounts that were chosen last time, else to the vendor's default account. What doesn't add "
        "up, isn't known or may be a duplicate stands in `problems`; nothing is booked unasked. The same bytes again "
        "answer 200 with the document that they were. With what the envelope of the message said (`envelope` in JSON, "
        "the query parameters beside XML) the message gets a status by itself, once: a Peppol Message Level Status, of "
        "OIOUBL that is refused an ApplicationResponse. `messages` shows it, or why there is none. A file that can't "
        "be read is refused all the same; what became of its message stands in `details.message`.",
        response="Document received",
        repeated=IncomingDocumentResponse,
        errors=[INCOMING_DOCUMENT_UNREADABLE, INCOMING_MESSAGE_DIFFERS],
        opens_transaction=False,
        extension=True,
        max_body=LARGE_BODY,
        files=(_XML,),
    ),
)
async def receive_incoming_document(
    caller: CallerDep, request: Request, body: IncomingFileBody, query: Annotated[EnvelopeQuery, Query()]
) -> Response:
    envelope = _envelope(body, query)
    size = len(body if isinstance(body, bytes) else body.content)
    file = await run_step(size, lambda: _file(body))
    try:
        document = await run_step(len(file.content), lambda: read(file.content))
    except LedgerBeeError as fault:
        if envelope is None or fault.error_code is not INCOMING_DOCUMENT_UNREADABLE:
            raise
        return await _refused(caller, request, envelope, file, fault)
    language, is_known = await caller.read(lambda context: _before(context, file))
    files = [] if is_known else await _files(caller, file, document, language)

    async with staged(caller, [files]) as (attachments,):

        async def work(context: Context) -> Response:
            return _answer(*await actions.receive(context, file, document, attachments, envelope))

        return await caller.command(work)


@router.get(
    "/v1/incoming-documents",
    **operation(
        "List incoming documents",
        scope="journal-entries-read",
        description="A page of what came in, newest first, with what was noticed about it.",
        response="Paginated list of incoming documents",
        extension=True,
    ),
)
async def list_incoming_documents(
    context: Ctx, query: Annotated[IncomingDocumentQuery, Query()]
) -> ListIncomingDocumentsResponse:
    found = await store.list_page(
        context,
        query.asked,
        status=query.status,
        document_type=query.document_type,
        vendor_id=query.vendor_id,
    )
    rows = await answers.with_answers(context, found.rows)
    return ListIncomingDocumentsResponse.of([render(one) for one in rows], found.total, query.asked)


@router.get(
    "/v1/incoming-documents/{incomingDocumentId}",
    **operation(
        "Get an incoming document",
        scope="journal-entries-read",
        description="One document, as it was read.",
        response="The incoming document",
        errors=[INCOMING_DOCUMENT_NOT_FOUND],
        extension=True,
    ),
)
async def get_incoming_document(context: Ctx, incoming_document_id: DocumentPath) -> IncomingDocumentResponse:
    (full,) = await answers.with_answers(context, [await store.get(context, incoming_document_id)])
    return render(full)


@router.post(
    "/v1/incoming-documents/{incomingDocumentId}/draft",
    response_model=IncomingDocumentResponse,
    **operation(
        "Draft an incoming document",
        scope="journal-entries-write",
        description="Makes the draft of a document that has none: its vendor or an account was not known, or its draft "
        "was deleted. Without a vendor one is made of `sender`, numbered by its own number; that needs the "
        f"scope `{_VENDORS_SCOPE}` too. What is chosen here, and in the draft, is used for the vendor's next document.",
        response="The document with its draft",
        errors=[
            INCOMING_DOCUMENT_NOT_FOUND,
            INCOMING_DOCUMENT_INVALID_STATE,
            INCOMING_DOCUMENT_NOT_DRAFTABLE,
            VENDOR_NOT_FOUND,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
            INSUFFICIENT_PERMISSIONS,
        ],
        opens_transaction=False,
        extension=True,
    ),
)
async def draft_incoming_document(
    caller: CallerDep, incoming_document_id: DocumentPath, body: DraftIncomingDocumentRequest
) -> Response:
    full, content, language = await caller.read(lambda context: _kept(context, incoming_document_id))
    if actions.needs_vendor(full, body.vendor_id) and _VENDORS_SCOPE not in caller.principal.scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[_VENDORS_SCOPE])
    document = await run_step(len(content), lambda: read(content))
    file = ReceivedFile(full.document.file_name, content, full.document.hash)
    files = await _files(caller, file, document, language) if full.document.draft_journal_entry_id is None else []

    async with staged(caller, [files]) as (attachments,):

        async def work(context: Context) -> Response:
            drafted = await actions.draft(
                context,
                incoming_document_id,
                document,
                attachments,
                vendor_id=body.vendor_id,
                account_id=body.account_id,
            )
            return _answer(drafted, False)

        return await caller.command(work)


@router.post(
    "/v1/incoming-documents/{incomingDocumentId}/answers",
    response_model=IncomingAnswerResponse,
    **operation(
        "Answer an incoming document",
        scope="journal-entries-write",
        status=201,
        description="Tells the sender what becomes of the document: an OIOUBL document gets an ApplicationResponse, a "
        "Peppol document an Invoice Response. The answer is kept as XML and sent by the worker the way that e-invoices "
        "leave, after those before it; `status` and `attempts` say how far it is. Other formats have no answer. "
        "An answer that failed is sent again, as it is and under its id, by the same request (200).",
        response="The answer, which will be sent",
        repeated=IncomingAnswerResponse,
        errors=[
            INCOMING_DOCUMENT_NOT_FOUND,
            INCOMING_DOCUMENT_NOT_ANSWERABLE,
            INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED,
        ],
        opens_transaction=False,
        extension=True,
    ),
)
async def answer_incoming_document(
    caller: CallerDep, incoming_document_id: DocumentPath, body: CreateIncomingAnswerRequest
) -> Response:
    content = await caller.read(lambda context: store.get_content(context, incoming_document_id))
    document = await run_step(len(content), lambda: read(content))

    async def work(context: Context) -> Response:
        sent, is_new = await answering.answer(context, incoming_document_id, document, body.given)
        text = render_answer(sent).model_dump_json()
        return Response(text, 201 if is_new else 200, media_type="application/json")

    return await caller.command(work)


@router.get(
    "/v1/incoming-documents/{incomingDocumentId}/answers/{answerId}",
    **_xml_operation(),
)
async def download_incoming_answer(context: Ctx, incoming_document_id: DocumentPath, answer_id: AnswerPath) -> Response:
    answer = await answers.get(context, incoming_document_id, answer_id)
    return Response(
        answer.content, media_type=_XML, headers={"Content-Disposition": content_disposition(f"{answer.id}.xml")}
    )


def _answer(full: FullIncomingDocument, is_new: bool) -> Response:
    text = render(full).model_dump_json()
    return Response(text, 201 if is_new else 200, media_type="application/json")


def _envelope(body: IncomingFileBody, query: EnvelopeQuery) -> Envelope | None:
    """What is told of the message. Raises a validation error where it stands in the wrong place."""
    if isinstance(body, bytes):
        return query.told
    if query.is_told:
        raise invalid(("messageId", "isXml", "Beside JSON the envelope is told in its envelope, not in the query"))
    return None if body.envelope is None else body.envelope.told


async def _refused(
    caller: Caller, request: Request, envelope: Envelope, file: ReceivedFile, fault: LedgerBeeError
) -> Response:
    """The refusal of a file, whose message is kept and gets its status."""

    async def work(context: Context) -> Response:
        message = render_message(await statuses.refuse(context, envelope, file, fault.message))
        told = fault.error_code.error(fault.message, message=message.model_dump(mode="json"))
        return error_response(request, told, caller.now)

    return await caller.command(work)


def _file(body: IncomingFileBody) -> ReceivedFile:
    """The file of a request. Raises `PAYLOAD_TOO_LARGE`, and a validation error for what is no base64."""
    name, content = (None, body) if isinstance(body, bytes) else (body.file_name, _decoded(body.content))
    if len(content) > MAX_FILE:
        raise PAYLOAD_TOO_LARGE.error(maxBytes=MAX_FILE)
    return ReceivedFile(name, content, hashlib.sha256(content).digest())


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):  # ValueError: a character that is not even ASCII
        raise invalid(("content", "isBase64", "content must be base64 encoded")) from None


async def _before(context: Context, file: ReceivedFile) -> tuple[str, bool]:
    """The company's language, and whether the file came in before: then nothing is set."""
    known = await store.find_by_content(context, file.hash)
    return (await companies.get(context)).preferred_language, known is not None


async def _kept(context: Context, document_id: IncomingDocumentId) -> tuple[FullIncomingDocument, bytes, str]:
    full = await store.get(context, document_id)
    content = await store.get_content(context, document_id)
    return full, content, (await companies.get(context)).preferred_language


async def _files(
    caller: Caller, file: ReceivedFile, document: ReceivedDocument, language: str
) -> Sequence[DecodedFile]:
    """What is attached to the draft: the XML as it came, and the PDF where it can be set."""
    name = file_name_of(file, document)
    found = [DecodedFile(name, _XML, file.content, file.hash)]
    pdf = await print_pdf(caller.principal.company_id, document, language)
    if pdf is not None:
        stem = name.rpartition(".")[0] if name.lower().endswith(".xml") else name
        found.append(DecodedFile(f"{stem}.pdf", _PDF, pdf, hashlib.sha256(pdf).digest()))
    return found
