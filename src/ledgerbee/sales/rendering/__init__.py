"""Billing documents as PDF: `render(PrintableDocument)` gives the bytes of an archivable file."""

from ledgerbee.platform.company.logo import UnreadableLogo, read_logo
from ledgerbee.sales.rendering.model import (
    DocumentKind,
    Language,
    LineKind,
    Party,
    PaymentDetails,
    PrintableDocument,
    PrintLine,
    References,
    VatCategory,
    VatInBase,
    VatRow,
)
from ledgerbee.sales.rendering.renderer import Renderer, render, render_async

__all__ = [
    "DocumentKind",
    "Language",
    "LineKind",
    "Party",
    "PaymentDetails",
    "PrintLine",
    "PrintableDocument",
    "References",
    "Renderer",
    "UnreadableLogo",
    "VatCategory",
    "VatInBase",
    "VatRow",
    "read_logo",
    "render",
    "render_async",
]
