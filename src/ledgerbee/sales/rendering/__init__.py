"""Billing documents as PDF: `render_async(company, PrintableDocument)` gives the bytes of an archivable file."""

from ledgerbee.sales.rendering.model import (
    Language,
    LineKind,
    Party,
    PaymentDetails,
    PrintableDocument,
    PrintKind,
    PrintLine,
    PrintVatRow,
    References,
    VatCategory,
    VatInBase,
)
from ledgerbee.sales.rendering.pool import (
    PrintingFailedError,
    RendererPool,
    check_async,
    close,
    render_async,
    use_fonts,
)
from ledgerbee.sales.rendering.renderer import Renderer, UnprintableTextError, render
from ledgerbee.tenancy.company.logo import UnreadableLogo, read_logo

__all__ = [
    "Language",
    "LineKind",
    "Party",
    "PaymentDetails",
    "PrintKind",
    "PrintLine",
    "PrintVatRow",
    "PrintableDocument",
    "PrintingFailedError",
    "References",
    "Renderer",
    "RendererPool",
    "UnprintableTextError",
    "UnreadableLogo",
    "VatCategory",
    "VatInBase",
    "check_async",
    "close",
    "read_logo",
    "render",
    "render_async",
    "use_fonts",
]
