"""Files to attach in tests: the smallest of each kind that is still of its kind."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.conftest import BLOBS, Api
from tests.ledger_books import Books, post

from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.http.caller import Caller
from ledgerbee.http.command_batcher import CommandBatcher
from ledgerbee.ledger.attachments import store
from ledgerbee.ledger.uploads import rules
from ledgerbee.ledger.uploads.actions import staged
from ledgerbee.ledger.uploads.model import NewAttachment
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n%%EOF\n"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
TIFF = b"II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"


def archive(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive; a part `mimetype` is stored as it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as file:
        for name, content in parts.items():
            file.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else compression)
    return packed.getvalue()


def open_xml(folder: str) -> bytes:
    """An Office Open XML file, its main part last, as LibreOffice writes it."""
    types, relations = b"<Types/>" * 900, b"<Relationships/>"
    names = {"_rels/.rels": relations, "docProps/app.xml": types, "docProps/core.xml": types, "customXml/i.xml": types}
    return archive({**names, "[Content_Types].xml": types, f"{folder}/main.xml": b"<main/>"})


def open_document(kind: str) -> bytes:
    """An OpenDocument file."""
    told = f"application/vnd.oasis.opendocument.{kind}".encode()
    return archive({"mimetype": told, "content.xml": b"<office:document-content/>"})


def compound(stream: str) -> bytes:
    """The header and the directory of a compound file with one stream."""
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", stream, "", ""))
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + entries


@dataclass(frozen=True)
class File:
    """A file as a request carries it."""

    file_name: str
    content_type: str
    content: str

    @classmethod
    def of(cls, content: bytes, content_type: str, file_name: str = "bilag") -> "File":
        return cls(file_name, content_type, base64.b64encode(content).decode())


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

#: Content and type of one file of every type that is taken.
SAMPLES: Mapping[str, bytes] = {
    "application/pdf": PDF,
    "image/png": PNG,
    "image/jpeg": JPEG,
    "image/tiff": TIFF,
    f"{_OPEN_XML}wordprocessingml.document": open_xml("word"),
    f"{_OPEN_XML}spreadsheetml.sheet": open_xml("xl"),
    f"{_OPEN_XML}presentationml.presentation": open_xml("ppt"),
    f"{_OPEN_DOCUMENT}text": open_document("text"),
    f"{_OPEN_DOCUMENT}spreadsheet": open_document("spreadsheet"),
    f"{_OPEN_DOCUMENT}presentation": open_document("presentation"),
    "application/msword": compound("WordDocument"),
    "application/vnd.ms-excel": compound("Workbook"),
    "application/vnd.ms-powerpoint": compound("PowerPoint Document"),
    "application/xml": '<?xml version="1.0" encoding="UTF-8"?>\n<Faktura beløb="1"/>'.encode(),
    "text/xml": b"\n<ns:Invoice xmlns:ns='urn:x'/>",
    "text/csv": "dato;beløb\r\n2026-03-16;1.250,00\r\n".encode("cp1252"),
    "text/plain": "Købt hos Åse ☕\n".encode(),
}


async def caller_of(api: Api, blobs: BlobStore = BLOBS) -> Caller:
    """The company's key as a request of it would be known."""
    async with api.database.connection() as connection:
        principal = await credentials.resolve(connection, secret_hash(api.key), DEFAULT_CELL)
    assert principal is not None
    return Caller(principal, api.database, CommandBatcher(api.database), blobs, "test", api.clock())


async def post_with(books: Books, *attachments: NewAttachment) -> UUID:
    """Post an entry with files that are staged: nothing is attached to one later."""
    entry = books.sale("2026-01-15", "100.00", attachment_hashes=tuple(file.hash for file in attachments))

    async def work(context: Context) -> None:
        await post(context, [entry])
        await store.insert_for_entries(context, [(entry.id, attachments)])

    await books.api.run(work)
    return entry.id


async def attach(books: Books, *files: File, blobs: BlobStore = BLOBS) -> tuple[UUID, tuple[NewAttachment, ...]]:
    """Post an entry with files; its id, and what is attached."""
    caller = await caller_of(books.api, blobs)
    async with staged(caller, rules.decode([files], ["attachments"])) as (attachments,):
        return await post_with(books, *attachments), attachments
