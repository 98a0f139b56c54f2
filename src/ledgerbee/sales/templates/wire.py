"""Document templates on the wire (contract 2.6; what they say beyond it, and whatever changes them, is ours)."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from ledgerbee.http.fields import BLANK_IS_NULL
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    IdText,
    Line,
    Moment,
    PageResponse,
    RequestModel,
    ResponseModel,
    Trimmed,
    blank_or,
    changes_to,
    omitted,
)
from ledgerbee.sales.templates.model import DocumentTemplate, DocumentTemplateFields, TemplateType
from ledgerbee.tenancy.company.wire import Language

_COLOR: Final = r"^#[0-9A-Fa-f]{6}$"
#: Characters of the texts at most: an introduction and terms of payment may take a page's quarter, a footer two lines.
_MAX_TEXT: Final = 2_000
_MAX_FOOTER: Final = 200

Color = Annotated[
    Annotated[str, StringConstraints(strict=True, pattern=_COLOR), AfterValidator(str.lower)] | None,
    BLANK_IS_NULL,
    blank_or({"type": "string", "pattern": _COLOR}),
    Field(description="Of the title, as `#rrggbb`; null: the layout's own (extension)", examples=["#1d4e5f"]),
]
Flag = Annotated[bool, Field(strict=True)]
IntroText = Annotated[
    Annotated[str, Trimmed(_MAX_TEXT)] | None,
    BLANK_IS_NULL,
    Field(description="Stands above the lines (extension)", examples=["Tak for din ordre."]),
]
PaymentText = Annotated[
    Annotated[str, Trimmed(_MAX_TEXT)] | None,
    BLANK_IS_NULL,
    Field(
        description="Stands with how to pay, on invoices (extension)",
        examples=["Ved forsinket betaling beregnes rente efter renteloven."],
    ),
]
FooterText = Annotated[
    Annotated[str, Trimmed(_MAX_FOOTER)] | None,
    BLANK_IS_NULL,
    Field(description="Stands at the bottom of every page (extension)", examples=["Medlem af Dansk Industri"]),
]


class DocumentTemplateResponse(ResponseModel):
    """A document template. `id` is the `documentTemplateId` of documents."""

    id: IdText
    name: str = Field(examples=["Faktura"])
    document_type: TemplateType
    is_default: bool = Field(description="Taken for documents of its type unless they or their customer name another")
    created_at: Moment
    language: Language
    accent_color: str | None = Field(description="Of the title, `#rrggbb`; null: the layout's own (extension)")
    shows_logo: bool = Field(description="Whether the company's logo is printed (extension)")
    intro_text: str | None = Field(description="Stands above the lines (extension)")
    payment_text: str | None = Field(description="Stands with how to pay, on invoices (extension)")
    footer_text: str | None = Field(description="Stands at the bottom of every page (extension)")


class ListDocumentTemplatesResponse(PageResponse[DocumentTemplateResponse]):
    """A page of document templates."""


class CreateDocumentTemplateRequest(RequestModel):
    """What a new template needs."""

    name: Line = Field(examples=["Faktura"])
    document_type: TemplateType
    language: Language = Field(description="The language of the document's own words")
    is_default: Flag = Field(False, description="Takes the place of the default so far")
    accent_color: Color = None
    shows_logo: Flag = Field(True, description="Whether the company's logo is printed")
    intro_text: IntroText = None
    payment_text: PaymentText = None
    footer_text: FooterText = None


class UpdateDocumentTemplateRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    name: Line = omitted(examples=["Faktura"])
    language: Language = omitted(description="The language of the document's own words")
    accent_color: Color = omitted()
    shows_logo: Flag = omitted(description="Whether the company's logo is printed")
    intro_text: IntroText = omitted()
    payment_text: PaymentText = omitted()
    footer_text: FooterText = omitted()


changes_of = changes_to(DocumentTemplateFields, UpdateDocumentTemplateRequest)


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
