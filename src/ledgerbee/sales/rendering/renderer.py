"""Documents to PDF with Typst. Runs in processes of its own, see `sales.rendering.pool`.

The template is fixed and every document reaches it as JSON in `sys.inputs`: texts are data, never markup. No other
file and no package can be read and no system font is used. A document that the shipped fonts can show is set with
nothing else, so it gives the same bytes on every machine.
"""

from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

import typst

from ledgerbee.sales.rendering.coverage import (
    UnprintableTextError,
    families_beyond,
    hidden_characters,
    needs_trial,
)
from ledgerbee.sales.rendering.fonts import FontSet, shipped_fonts
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.view import template_input
from ledgerbee.tenancy.company.logo import UnreadableLogo

_TEMPLATE: Final = Path(__file__).parent / "typst" / "document.typ"

#: Archivable, and able to carry an e-invoice as an attachment.
PDF_STANDARD: Final = "a-3b"


class _Typesetter:
    """A set of fonts and the compiler that uses it, for the template in a folder of its own.

    A template that is a file is parsed once, however many documents are set; one that is given as text is parsed anew
    for each of them, which takes a tenth of a document's time.
    """

    def __init__(self, fonts: FontSet, template: Path) -> None:
        self.fonts = fonts
        folder = template.parent
        self.compiler = typst.Compiler(
            template, root=folder, font_paths=fonts.fonts, package_path=folder, package_cache_path=folder
        )


class Renderer:
    """Sets one document at a time; not for several threads.

    `extra_fonts` is a folder of TrueType or OpenType files for what the shipped fonts lack; it is read when the first
    document needs it.
    """

    def __init__(self, extra_fonts: Path | None = None) -> None:
        self._extra_fonts = extra_fonts
        # All that a document could read from: the template, as it was when the process started.
        self._folder = TemporaryDirectory(prefix="ledgerbee-typst-")
        self._template = Path(self._folder.name) / _TEMPLATE.name
        self._template.write_bytes(_TEMPLATE.read_bytes())
        self._shipped = _Typesetter(shipped_fonts(), self._template)
        self._extended: _Typesetter | None = None

    def render(self, document: PrintableDocument) -> bytes:
        """The document as a PDF/A-3b file.

        Raises `UnprintableTextError` for characters that no font shows, and `UnreadableLogo` for a logo that is damaged
        or no picture (both `ValueError`).
        """
        typesetter = self._typesetter_for(document)
        metrics = typesetter.fonts.metrics
        families = () if typesetter is self._shipped else families_beyond(document, metrics)
        data = template_input(document, metrics, families)
        midnight = datetime.combine(document.issue_date, time(), UTC)
        try:
            pdf = typesetter.compiler.compile(
                format="pdf",
                sys_inputs={"document": data},
                pdf_standards=[PDF_STANDARD],
                pdf_tags=False,
                timestamp=int(midnight.timestamp()),
            )
        except typst.TypstError as error:
            if document.logo and _is_about_picture(error):
                raise UnreadableLogo(f"the logo can't be drawn: {error.message}") from error
            if typesetter is not self._shipped or _is_about_fonts(error):
                raise UnprintableTextError(f"The fonts can't show the document: {error.message}", []) from error
            raise
        return cast("bytes", pdf)

    def check(self, document: PrintableDocument) -> None:
        """Raises `UnprintableTextError` for a document that `render` would refuse for its characters.

        Mostly a look at what the fonts cover; a document with marks to put together, or one that needs fonts of the
        operator's, is set to see whether that works.
        """
        typesetter = self._typesetter_for(document)
        if typesetter is not self._shipped or needs_trial(document):
            self.render(document)

    def close(self) -> None:
        """Remove the folders that the compilers use."""
        self._folder.cleanup()
        if self._extended is not None:
            self._extended.fonts.close()

    def _typesetter_for(self, document: PrintableDocument) -> _Typesetter:
        hidden = hidden_characters(document, self._shipped.fonts.metrics)
        if not hidden:
            return self._shipped
        if self._extra_fonts is not None:
            extended = self._typesetter_with(self._extra_fonts)
            hidden = hidden_characters(document, extended.fonts.metrics)
            if not hidden:
                return extended
        raise UnprintableTextError(
            "No font shows " + ", ".join(f"{it.code_point} {it.name}".strip() for it in hidden), hidden
        )

    def _typesetter_with(self, extra_fonts: Path) -> _Typesetter:
        if self._extended is None:
            from ledgerbee.sales.rendering.extra_fonts import fonts_with  # noqa: PLC0415  see there

            self._extended = _Typesetter(fonts_with(extra_fonts), self._template)
        return self._extended


def _is_about_picture(error: typst.TypstError) -> bool:
    return error.message.startswith("failed to ")


def _is_about_fonts(error: typst.TypstError) -> bool:
    return "font" in error.message


@cache
def _renderer() -> Renderer:
    return Renderer()


def render(document: PrintableDocument) -> bytes:
    """The document as a PDF/A-3b file, set in this process with the shipped fonts. See `Renderer.render`."""
    return _renderer().render(document)
