"""Documents to PDF with Typst, in process.

The template is fixed and every document reaches it as JSON in `sys.inputs`: texts are data, never markup. No file
but the template can be read, no system font is used, and the same document gives the same bytes on every machine.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from queue import LifoQueue
from typing import Final, cast

import typst

from ledgerbee.platform.company.logo import UnreadableLogo
from ledgerbee.sales.rendering.metrics import FontMetrics, font_files
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.view import template_input

_HERE: Final = Path(__file__).parent
_FONTS: Final = _HERE / "fonts"
_TEMPLATES: Final = _HERE / "templates"
_TEMPLATE: Final = _TEMPLATES / "document.typ"

#: Archivable, and able to carry an e-invoice as an attachment.
PDF_STANDARD: Final = "a-3b"


class Renderer:
    """Sets documents on `workers` threads at most (default: one for each core), each with a compiler of its own.

    Typst releases the interpreter lock while it works, but one compiler serves one caller at a time. Thread-safe.
    `extra_fonts` is a folder of TrueType or OpenType files for scripts that the shipped fonts lack.
    """

    def __init__(self, workers: int | None = None, extra_fonts: Path | None = None) -> None:
        count = workers or _cores()
        folders = [_FONTS, *([extra_fonts] if extra_fonts else [])]
        self._metrics = FontMetrics([file for folder in folders for file in font_files(folder)])
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder) for folder in folders]
        )
        self._compilers: LifoQueue[typst.Compiler] = LifoQueue()
        for _ in range(count):
            self._compilers.put(typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATES), font_paths=fonts))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="pdf")

    def render(self, document: PrintableDocument) -> bytes:
        """The document as a PDF/A-3b file. Waits while all compilers are busy.

        Raises `UnreadableLogo` (a `ValueError`) for a logo that is damaged or no picture.
        """
        data = template_input(document, self._metrics)
        midnight = datetime.combine(document.issue_date, time(), UTC)
        with self._compiler() as compiler:
            try:
                pdf = compiler.compile(
                    format="pdf",
                    sys_inputs={"document": data},
                    pdf_standards=[PDF_STANDARD],
                    pdf_tags=False,
                    timestamp=int(midnight.timestamp()),
                )
            except typst.TypstError as error:
                if document.logo and _is_about_picture(error):
                    raise UnreadableLogo(f"the logo can't be drawn: {error.message}") from error
                raise
        return cast("bytes", pdf)

    async def render_async(self, document: PrintableDocument) -> bytes:
        """As `render`, on one of the renderer's threads, so that the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.render, document)

    def close(self) -> None:
        """End the threads once their documents are done."""
        self._threads.shutdown()

    @contextmanager
    def _compiler(self) -> Iterator[typst.Compiler]:
        compiler = self._compilers.get()
        try:
            yield compiler
        finally:
            self._compilers.put(compiler)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_about_picture(error: typst.TypstError) -> bool:
    return error.message.startswith("failed to ")


@cache
def _renderer() -> Renderer:
    return Renderer()


def render(document: PrintableDocument) -> bytes:
    """The document as a PDF/A-3b file, by the process's own renderer. See `Renderer.render`."""
    return _renderer().render(document)


async def render_async(document: PrintableDocument) -> bytes:
    """As `render`, beside the event loop. See `Renderer.render_async`."""
    return await _renderer().render_async(document)
