"""Routes of document templates (contract 2.6; whatever changes them is ours).

The one that prints an example stands with the documents (`sales/documents/http.py`), which know how to print.
"""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.sales.templates import actions, store
from ledgerbee.sales.templates.model import DocumentTemplateFields, DocumentTemplateId
from ledgerbee.sales.templates.wire import (
    CreateDocumentTemplateRequest,
    DocumentTemplateQuery,
    DocumentTemplateResponse,
    ListDocumentTemplatesResponse,
    UpdateDocumentTemplateRequest,
    changes_of,
    render,
)

router = resource_router("Document Templates")

TemplateId = Annotated[IdOf[DocumentTemplateId], Path(alias="documentTemplateId", description="Document template ID")]


@router.get(
    "/v1/document-templates",
    **operation(
        "List document templates",
        scope="document-templates-read",
        description="Retrieves a paginated list of the company's document templates.\n\nPass `?search=` to "
        "prefix-match on the name.",
        response="Paginated list of document templates",
    ),
)
async def list_document_templates(
    context: Ctx, query: Annotated[DocumentTemplateQuery, Query()]
) -> ListDocumentTemplatesResponse:
    found = await store.list_page(context, query.asked, query.document_type)
    return ListDocumentTemplatesResponse.of([render(template) for template in found.rows], found.total, query.asked)


@router.post(
    "/v1/document-templates",
    **operation(
        "Create a document template",
        scope="document-templates-write",
        status=201,
        extension=True,
        response="Document template created",
    ),
)
async def create_document_template(context: Ctx, body: CreateDocumentTemplateRequest) -> DocumentTemplateResponse:
    return render(await actions.create(context, DocumentTemplateFields(**body.model_dump())))


@router.patch(
    "/v1/document-templates/{documentTemplateId}",
    **operation(
        "Update a document template",
        scope="document-templates-write",
        extension=True,
        description="Changes the fields provided. Documents that were sent stay as they are. A template keeps its type "
        "of document; which one is the default is said by `set-default`.",
        response="The template as it is now",
        errors=[DOCUMENT_TEMPLATE_NOT_FOUND],
    ),
)
async def update_document_template(
    context: Ctx, document_template_id: TemplateId, body: UpdateDocumentTemplateRequest
) -> DocumentTemplateResponse:
    return render(await actions.update(context, document_template_id, changes_of(body)))


@router.post(
    "/v1/document-templates/{documentTemplateId}/set-default",
    **operation(
        "Set the default document template",
        scope="document-templates-write",
        extension=True,
        description="Makes it the company's default for its type of document.",
        response="The template is the default",
        errors=[DOCUMENT_TEMPLATE_NOT_FOUND],
    ),
)
async def set_default_document_template(context: Ctx, document_template_id: TemplateId) -> DocumentTemplateResponse:
    return render(await actions.set_default(context, document_template_id))
