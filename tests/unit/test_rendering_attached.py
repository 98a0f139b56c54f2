"""The e-invoice inside a PDF/A-3 file (ISO 19005-3, 6.8): its bytes, and what the file claims of it."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from tests.conformance.grid import BUYER, BUYERS, LINES, SELLER, TREATMENTS, snapshot
from tests.unit.printed import INVOICE, LINE

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.documents.printing import printable
from ledgerbee.sales.einvoices.attaching import attached
from ledgerbee.sales.einvoices.writing import write
from ledgerbee.sales.rendering.model import Attachment
from ledgerbee.sales.rendering.renderer import render

XML = Attachment(
    "Faktura 1 peppol.xml",
    '<?xml version="1.0" encoding="UTF-8"?>\n<a>æ &amp; "\t\u2028</a>\r\n'.encode(),
    "An example",
)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def claims(reader: PdfReader) -> tuple[str, str]:
    """Part and conformance of PDF/A, as the metadata says."""
    stream: Any = reader.root_object["/Metadata"].get_object()
    metadata = stream.get_data().decode()
    part, level = (re.findall(rf"pdfaid:{name}(?:>|=[\"'])(\w+)", metadata) for name in ("part", "conformance"))
    return part[0], level[0]


def file_specifications(reader: PdfReader) -> list[Any]:
    return [one.get_object() for one in reader.root_object.get("/AF", [])]


@pytest.mark.parametrize("lines", [1, 60])
def test_a_file_comes_out_as_it_went_in(lines: int) -> None:
    reader = read(render(replace(INVOICE, lines=(LINE,) * lines, attachment=XML)))
    assert dict(reader.attachments) == {XML.name: [XML.content]}
    assert claims(reader) == ("3", "B")
    (file,) = file_specifications(reader)
    assert (file["/AFRelationship"], file["/UF"], file["/Desc"]) == ("/Alternative", XML.name, XML.description)
    embedded = file["/EF"]["/F"].get_object()
    assert embedded["/Subtype"] == "/application/xml"
    assert embedded["/Params"]["/ModDate"].startswith("D:20261122")
    assert reader.pdf_header >= "%PDF-1.7"


def test_without_a_file_it_is_archivable_as_well() -> None:
    reader = read(render(INVOICE))
    assert claims(reader) == ("3", "B")
    assert dict(reader.attachments) == {}
    assert file_specifications(reader) == []


def test_the_same_document_gives_the_same_bytes() -> None:
    document = replace(INVOICE, attachment=XML)
    assert render(document) == render(document)


@pytest.mark.parametrize("kind", [DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE])
def test_what_can_be_an_e_invoice_holds_it(kind: DocumentKind) -> None:
    content = snapshot(kind, SELLER, BUYER, "DKK", LINES["texts"], TREATMENTS["standard"])
    file = attached(content)
    assert file is not None
    title = "Faktura" if kind is DocumentKind.INVOICE else "Kreditnota"
    pdf = render(printable(content, is_draft=False, attachment=file))
    assert dict(read(pdf).attachments) == {f"{title} 2026-1042 peppol.xml": [write(content, EInvoiceFormat.PEPPOL)]}


def test_what_can_be_none_holds_nothing() -> None:
    nobody = replace(BUYERS["American"], ean_number=None)
    content = snapshot(DocumentKind.INVOICE, SELLER, nobody, "USD", LINES["plain"], TREATMENTS["export"])
    assert attached(content) is None
    in_dinars = snapshot(DocumentKind.INVOICE, SELLER, BUYER, "KWD", LINES["plain"], TREATMENTS["standard"])
    assert attached(in_dinars) is None
