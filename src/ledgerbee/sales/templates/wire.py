"""Document templates on the wire (contract 2.6; adding them and choosing the default is ours)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import IdText, Line, Moment, PageResponse, RequestModel, ResponseModel
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType
from ledgerbee.tenancy.company.wire import Language


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


class TemplateSortBy(StrEnum):
    """Field to sort by."""

    NAME = "name"
    DOCUMENT_TYPE = "documentType"
    CREATED_AT = "createdAt"


class DocumentTemplateQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("Fak")] = Field(None, description="Prefix search on name")
    document_type: TemplateType | None = Field(None, description="Only templates of this type")
    sort_by: TemplateSortBy = Field(TemplateSortBy.CREATED_AT, description="Field to sort by")


def render(template: DocumentTemplate) -> DocumentTemplateResponse:
    """A template on the wire."""
    return DocumentTemplateResponse.model_validate(template)
