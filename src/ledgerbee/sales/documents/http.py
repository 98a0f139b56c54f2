"""What the routes of documents of every kind share: refusals of drafts, the PDF.

And the route that prints an example of a document template (ours).
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Path, Response

from ledgerbee.catalog.prices.model import PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_QUANTITY_INVALID
from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, RouteOptions, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.actions import PrintedDocument, print_document, print_sample
from ledgerbee.sales.documents.kept_pdfs import pdf_of_sent
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import (
    DOCUMENT_CHARACTERS_UNPRINTABLE,
    DOCUMENT_PRINTING_FAILED,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
)
from ledgerbee.sales.documents.printing import file_name, print_pdf
from ledgerbee.sales.templates.model import DocumentTemplateId

router = resource_router("Document Templates")

#: What drafting a document of any kind may be refused by.
DRAFT_ERRORS: Final = (
    CUSTOMER_NOT_FOUND,
    CONTACT_NOT_FOUND,
    DEPARTMENT_NOT_FOUND,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    PRODUCT_PRICE_NOT_FOUND,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    PRODUCT_PRICE_QUANTITY_INVALID,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
)


def prints(options: RouteOptions) -> RouteOptions:
    """The same operation, which answers with a PDF."""
    content: dict[str, Any] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
    options["responses"][200]["content"] = content
    return options


def pdf_operation(title: str, *, scope: str, not_found: ErrorCode, description: str, response: str) -> RouteOptions:
    """Describe the operation that prints a document: see `pdf_of`."""
    return prints(
        operation(
            title,
            scope=scope,
            description=description,
            response=response,
            errors=[
                not_found,
                SALES_DOCUMENT_VAT_CODE_UNUSABLE,
                DOCUMENT_CHARACTERS_UNPRINTABLE,
                DOCUMENT_PRINTING_FAILED,
            ],
            opens_transaction=False,
        )
    )


async def pdf_of(caller: CallerDep, kind: AnyKind, document_id: UUID, *, draft: bool) -> Response:
    """A document as PDF: as it was sent, a draft as it would be; `draft` puts the watermark on a sent one too."""
    document = await caller.read(lambda context: print_document(context, kind, document_id))
    return await pdf_answer(caller, document, kind, draft=draft)


async def pdf_answer(
    caller: CallerDep, document: PrintedDocument, kind: AnyKind | None = None, *, draft: bool
) -> Response:
    """The PDF of a document that was loaded, with its watermark if it is a draft or `draft` says so.

    That of a sent one is set once and kept, with what its `kind` attaches.
    """
    company_id, snapshot, logo = caller.principal.company_id, document.snapshot, document.logo
    if kind is None or document.is_draft or draft:
        pdf = await print_pdf(company_id, snapshot, is_draft=document.is_draft or draft, logo=logo)
    else:
        pdf = await pdf_of_sent(caller.blobs, company_id, snapshot, logo=logo, attach=kind.attach)
    headers = {"Content-Disposition": content_disposition(file_name(document.snapshot), "inline")}
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.post(
    "/v1/document-templates/{documentTemplateId}/preview",
    response_class=Response,
    **prints(
        operation(
            "Preview a document template",
            scope="document-templates-read",
            extension=True,
            description="An invented draft of the company's, to an invented buyer, as a PDF with a watermark. Nothing "
            "is kept.",
            response="The example as PDF/A",
            errors=[DOCUMENT_TEMPLATE_NOT_FOUND, DOCUMENT_CHARACTERS_UNPRINTABLE, DOCUMENT_PRINTING_FAILED],
            opens_transaction=False,
        )
    ),
)
async def preview_document_template(
    caller: CallerDep,
    document_template_id: Annotated[
        IdOf[DocumentTemplateId], Path(alias="documentTemplateId", description="Document template ID")
    ],
) -> Response:
    sample = await caller.read(lambda context: print_sample(context, document_template_id))
    pdf = await pdf_answer(caller, sample, draft=True)

    async def answer(_: Context) -> Response:
        return pdf

    return await caller.command(answer)  # under the request's idempotency key, as every POST
