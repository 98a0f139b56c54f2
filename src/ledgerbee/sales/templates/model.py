"""Document templates: how a kind of document looks, and its language (contract 2.6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

DocumentTemplateId = NewType("DocumentTemplateId", UUID)


class TemplateType(StrEnum):
    """The kind of document that a template is for."""

    INVOICE = "invoice-template"
    CREDIT_NOTE = "credit-note-template"
    QUOTE = "quote-template"
    ORDER_CONFIRMATION = "order-confirmation-template"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTemplateFields:
    """What whoever keeps a template says of it; `language` is `da` or `en`. One of each type is the default.

    `accent_color` is `#rrggbb`, None the layout's own. The intro stands above the lines, the payment text with how to
    pay (on invoices), the footer text below the seller's details on every page.
    """

    name: str
    document_type: TemplateType
    language: str
    is_default: bool = False
    accent_color: str | None = None
    shows_logo: bool = True
    intro_text: str | None = None
    payment_text: str | None = None
    footer_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTemplate(DocumentTemplateFields):
    """A template as it is kept."""

    id: DocumentTemplateId
    created_at: datetime
