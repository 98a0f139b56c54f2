"""The route that prints an example of a document template (ours)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.actions import print_sample
from ledgerbee.sales.documents.model import DOCUMENT_CHARACTERS_UNPRINTABLE, DOCUMENT_PRINTING_FAILED
from ledgerbee.sales.documents.printing import file_name, print_pdf
from ledgerbee.sales.templates.model import DocumentTemplateId

router = resource_router("Document Templates")

_PREVIEW = operation(
    "Preview a document template",
    scope="document-templates-read",
    extension=True,
    description="An invented draft of the company's, to an invented buyer, as a PDF with a watermark. Nothing is kept.",
    response="The example as PDF/A",
    errors=[DOCUMENT_TEMPLATE_NOT_FOUND, DOCUMENT_CHARACTERS_UNPRINTABLE, DOCUMENT_PRINTING_FAILED],
    opens_transaction=False,
)
_PREVIEW["responses"][200]["content"] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


@router.post("/v1/document-templates/{documentTemplateId}/preview", response_class=Response, **_PREVIEW)
async def preview_document_template(
    caller: CallerDep,
    document_template_id: Annotated[
        IdOf[DocumentTemplateId], Path(alias="documentTemplateId", description="Document template ID")
    ],
) -> Response:
    sample = await caller.read(lambda context: print_sample(context, document_template_id))
    pdf = await print_pdf(caller.principal.company_id, sample.snapshot, is_draft=True, logo=sample.logo)
    headers = {"Content-Disposition": content_disposition(file_name(sample.snapshot), "inline")}

    async def answer(_: Context) -> Response:
        return Response(pdf, media_type="application/pdf", headers=headers)

    return await caller.command(answer)  # under the request's idempotency key, as every POST
