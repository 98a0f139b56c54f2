"""Document templates over HTTP (contract 2.6; adding them and choosing the default is ours)."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.query import Limit, PageNumber, Search, SortDirection, SortOrder, page_request, search_schema
from ledgerbee.http.wire import Id, IdText, Line, Moment, PageResponse, RequestModel, ResponseModel, pages
from ledgerbee.sales.templates import actions, store
from ledgerbee.sales.templates.model import DOCUMENT_TEMPLATE_NOT_FOUND, DocumentTemplate, TemplateType
from ledgerbee.tenancy.company.wire import Language

router = resource_router("Document Templates")

TemplateId = Annotated[Id, Path(alias="documentTemplateId", description="Document template ID")]


class TemplateSortBy(StrEnum):
    """Field to sort by."""

    NAME = "name"
    DOCUMENT_TYPE = "documentType"
    CREATED_AT = "createdAt"


class DocumentTemplateResponse(ResponseModel):
    """A document template. `id` is the `documentTemplateId` of documents."""

    id: IdText
    name: str = Field(examples=["Faktura"])
    document_type: TemplateType
    is_default: bool = Field(description="Taken for documents of its type unless they or their customer name another")
    created_at: Moment
    language: Language


class ListDocumentTemplatesResponse(PageResponse[DocumentTemplateResponse]):
    """A page of document templates."""


class CreateDocumentTemplateRequest(RequestModel):
    """What a new template needs."""

    name: Line = Field(examples=["Faktura"])
    document_type: TemplateType
    language: Language = Field(description="The language of the document's own words")
    is_default: Annotated[bool, Field(strict=True)] = Field(False, description="Takes the place of the default so far")


@form_of(DocumentTemplate)
def _render(template: DocumentTemplate) -> DocumentTemplateResponse:
    return DocumentTemplateResponse.model_validate(template)


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
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    search: Annotated[Search, Query(description="Prefix search on name"), search_schema("Fak")] = None,
    document_type: Annotated[
        TemplateType | None, Query(alias="documentType", description="Only templates of this type")
    ] = None,
    sort_by: Annotated[
        TemplateSortBy, Query(alias="sortBy", description="Field to sort by")
    ] = TemplateSortBy.CREATED_AT,
    sort_order: SortDirection = SortOrder.DESC,
) -> ListDocumentTemplatesResponse:
    """List document templates."""
    request = page_request(page, limit, search, sort_by, sort_order)
    found = await store.list_page(context, request, document_type)
    return ListDocumentTemplatesResponse(
        data=[_render(template) for template in found.rows],
        total=found.total,
        page=page,
        limit=limit,
        total_pages=pages(found.total, limit),
    )


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
    """Create a document template."""
    template = await actions.create(
        context,
        name=body.name,
        document_type=body.document_type,
        language=body.language,
        is_default=body.is_default,
    )
    return _render(template)


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
    """Set the default document template."""
    return _render(await actions.set_default(context, document_template_id))
