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
from ledgerbee.sales.rendering.renderer import (
    Renderer,
    UnprintableTextError,
    check_async,
    render,
    render_async,
    use_fonts,
)

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
    "UnprintableTextError",
    "UnreadableLogo",
    "VatCategory",
    "VatInBase",
    "VatRow",
    "check_async",
    "read_logo",
    "render",
    "render_async",
    "use_fonts",
]
