"""Documents to PDF with Typst, in process.

The template is fixed and every document reaches it as JSON in `sys.inputs`: texts are data, never markup. No file
and no package can be read and no system font is used. A document that the shipped fonts can show is set with nothing
else, so it gives the same bytes on every machine.
"""

import asyncio
import os
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from queue import LifoQueue
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final, cast

import typst

from ledgerbee.platform.company.logo import UnreadableLogo
from ledgerbee.platform.turns import Turns
from ledgerbee.sales.rendering.coverage import (
    Hidden,
    families_beyond,
    hidden_characters,
    needs_trial,
    special_texts,
)
from ledgerbee.sales.rendering.fonts import FontSet, fonts_with, shipped_fonts
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.rendering.view import template_input

_TEMPLATE: Final = Path(__file__).parent / "templates" / "document.typ"

#: Archivable, and able to carry an e-invoice as an attachment.
PDF_STANDARD: Final = "a-3b"


class UnprintableTextError(ValueError):
    """No available font shows all of a document; `hidden` says which characters, and where they stand."""

    def __init__(self, message: str, hidden: list[Hidden]) -> None:
        super().__init__(message)
        self.hidden = hidden


class _Press:
    """A set of fonts and the compilers that use it."""

    def __init__(self, fonts: FontSet, workers: int, empty: str) -> None:
        self.fonts = fonts
        self._compilers: LifoQueue[typst.Compiler] = LifoQueue()
        for _ in range(workers):
            self._compilers.put(
                typst.Compiler(root=empty, font_paths=fonts.fonts, package_path=empty, package_cache_path=empty)
            )

    @contextmanager
    def compiler(self) -> Iterator[typst.Compiler]:
        """A compiler for one document; waits while all are busy."""
        compiler = self._compilers.get()
        try:
            yield compiler
        finally:
            self._compilers.put(compiler)


class Renderer:
    """Sets documents on `workers` threads at most (default: one for each core), each with a compiler of its own.

    Typst releases the interpreter lock while it works, but one compiler serves one caller at a time. Thread-safe.
    `extra_fonts` is a folder of TrueType or OpenType files for what the shipped fonts lack; it is read when the first
    document needs it.
    """

    def __init__(self, workers: int | None = None, extra_fonts: Path | None = None) -> None:
        self._workers = workers or _cores()
        self._extra_fonts = extra_fonts
        # All that a document could read from: nothing. The template is given as text.
        self._template = _TEMPLATE.read_bytes()
        self._empty = TemporaryDirectory(prefix="ledgerbee-typst-")
        self._shipped = _Press(shipped_fonts(), self._workers, self._empty.name)
        self._extended: _Press | None = None
        self._reading = Lock()
        self._turns = Turns(self._workers)
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="pdf")

    def render(self, document: PrintableDocument) -> bytes:
        """The document as a PDF/A-3b file. Waits while all compilers are busy.

        Raises `UnprintableTextError` for characters that no font shows, and `UnreadableLogo` for a logo that is damaged
        or no picture (both `ValueError`).
        """
        press = self._press_for(document)
        metrics = press.fonts.metrics
        families = () if press is self._shipped else families_beyond(document, metrics)
        data = template_input(document, metrics, families)
        midnight = datetime.combine(document.issue_date, time(), UTC)
        with press.compiler() as compiler:
            try:
                pdf = compiler.compile(
                    self._template,
                    format="pdf",
                    sys_inputs={"document": data},
                    pdf_standards=[PDF_STANDARD],
                    pdf_tags=False,
                    timestamp=int(midnight.timestamp()),
                )
            except typst.TypstError as error:
                if document.logo and _is_about_picture(error):
                    raise UnreadableLogo(f"the logo can't be drawn: {error.message}") from error
                if press is not self._shipped or _is_about_fonts(error):
                    raise UnprintableTextError(f"The fonts can't show the document: {error.message}", []) from error
                raise
        return cast("bytes", pdf)

    def check(self, document: PrintableDocument) -> None:
        """Raises `UnprintableTextError` for a document that `render` would refuse for its characters.

        Mostly a look at what the fonts cover; a document with marks to put together, or one that needs fonts of the
        operator's, is set to see whether that works.
        """
        press = self._press_for(document)
        if press is not self._shipped or needs_trial(document):
            self.render(document)

    async def render_async(self, company: Hashable, document: PrintableDocument) -> bytes:
        """As `render`, on one of the renderer's threads, so that the event loop goes on; companies take turns.

        Raises `SERVER_BUSY` besides, where too many of the company's documents wait, or one does for too long.
        """
        async with self._turns.turn(company):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.render, document)

    async def check_async(self, company: Hashable, document: PrintableDocument) -> None:
        """As `check`; what takes longer than a look runs in the company's turn on one of the renderer's threads."""
        if special_texts(document):
            async with self._turns.turn(company):
                await asyncio.get_running_loop().run_in_executor(self._threads, self.check, document)

    def close(self) -> None:
        """End the threads once their documents are done."""
        self._threads.shutdown()
        self._empty.cleanup()
        if self._extended is not None:
            self._extended.fonts.close()

    def _press_for(self, document: PrintableDocument) -> _Press:
        hidden = hidden_characters(document, self._shipped.fonts.metrics)
        if not hidden:
            return self._shipped
        if self._extra_fonts is not None:
            with self._reading:
                if self._extended is None:
                    self._extended = _Press(fonts_with(self._extra_fonts), self._workers, self._empty.name)
            hidden = hidden_characters(document, self._extended.fonts.metrics)
            if not hidden:
                return self._extended
        raise UnprintableTextError(
            "No font shows " + ", ".join(f"{it.code_point} {it.name}".strip() for it in hidden), hidden
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_about_picture(error: typst.TypstError) -> bool:
    return error.message.startswith("failed to ")


def _is_about_fonts(error: typst.TypstError) -> bool:
    return "font" in error.message


_extra_fonts: list[Path] = []


@cache
def _renderer() -> Renderer:
    return Renderer(extra_fonts=next(iter(_extra_fonts), None))


def use_fonts(folder: Path | None) -> None:
    """Have the process's own renderer use the fonts of `folder` for what the shipped ones lack."""
    wanted = [folder] if folder else []
    if wanted == _extra_fonts:
        return
    if _renderer.cache_info().currsize:
        _renderer().close()
    _renderer.cache_clear()
    _extra_fonts[:] = wanted


def render(document: PrintableDocument) -> bytes:
    """The document as a PDF/A-3b file, by the process's own renderer. See `Renderer.render`."""
    return _renderer().render(document)


async def render_async(company: Hashable, document: PrintableDocument) -> bytes:
    """As `render`, beside the event loop and in the company's turn. See `Renderer.render_async`."""
    return await _renderer().render_async(company, document)


async def check_async(company: Hashable, document: PrintableDocument) -> None:
    """Raises `UnprintableTextError` for what `render` would refuse. See `Renderer.check`."""
    await _renderer().check_async(company, document)
