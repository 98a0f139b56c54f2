"""Document templates (contract 2.6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class TemplateType(StrEnum):
    """The kind of document that a template is for."""

    INVOICE = "invoice-template"
    CREDIT_NOTE = "credit-note-template"
    QUOTE = "quote-template"
    ORDER_CONFIRMATION = "order-confirmation-template"


@dataclass(frozen=True, slots=True)
class DocumentTemplate:
    """How a document looks, and its language (`da` or `en`). One of each type is the company's default."""

    id: UUID
    name: str
    document_type: TemplateType
    language: str
    is_default: bool
    created_at: datetime


DOCUMENT_TEMPLATE_NOT_FOUND = ErrorCode("DOCUMENT_TEMPLATE_NOT_FOUND", 404, "No such document template in the company")
