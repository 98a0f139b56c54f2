"""Pure rules of files that requests bring: which types there may be, and that each is what it is said to be.

A type is recognised by the content, never by the file's name. Nothing is unpacked: of an archive only its directory is
read.
"""

import base64
import binascii
import hashlib
import io
import re
import struct
import unicodedata
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Final

import filetype
from filetype.types import archive, image

from ledgerbee.core.errors import LedgerBeeError, invalid, with_more
from ledgerbee.ledger.uploads.model import INVALID_ATTACHMENT_TYPE, MAX_FILE_NAME, DecodedFile, EncodedFile

_OPEN_XML: Final = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument."

#: Where the parts of an Office Open XML file lie in its archive (ECMA-376, part 1).
_OPEN_XML_FOLDERS: Final = {
    "word": f"{_OPEN_XML}wordprocessingml.document",
    "xl": f"{_OPEN_XML}spreadsheetml.sheet",
    "ppt": f"{_OPEN_XML}presentationml.presentation",
}
#: More parts than any office file has; and more bytes than any content of a part `mimetype`.
_MAX_PARTS: Final = 10_000
_MAX_MIMETYPE: Final = 100
#: What the part `mimetype` of an OpenDocument file says, which is never compressed (OASIS OpenDocument 1.3, part 2).
_OPEN_DOCUMENTS: Final = frozenset(f"{_OPEN_DOCUMENT}{kind}" for kind in ("text", "spreadsheet", "presentation"))
#: The main stream of an older Office file, by its name in the compound file's directory (MS-CFB 2.6.1).
_COMPOUND_START: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_COMPOUND_STREAMS: Final = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
_DIRECTORY_ENTRY: Final = 128
_XML: Final = frozenset({"application/xml", "text/xml"})
_TEXT: Final = frozenset({"text/plain", "text/csv"})
_PDF: Final = archive.Pdf()
#: Banks and tax offices send files with something before their start; readers look for it in the first kilobyte.
_PDF_START: Final = b"%PDF-"
_PDF_WITHIN: Final = 1024
_PICTURES: Final = (_PDF, image.Png(), image.Jpeg(), image.Tiff())
_ARCHIVE: Final = archive.Zip()

#: The media types that are taken (decisions "Ledger").
CONTENT_TYPES: Final = frozenset(
    {kind.mime for kind in _PICTURES}
    | set(_OPEN_XML_FOLDERS.values())
    | _OPEN_DOCUMENTS
    | set(_COMPOUND_STREAMS.values())
    | _XML
    | _TEXT
)

_XML_START: Final = re.compile(r"\ufeff?\s*<(\?xml\s|!--|!DOCTYPE\s|[\w:.-]+[\s/>])")
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CHUNK: Final = 2**20
_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
#: Characters that reverse the reading direction of a name, and so hide how it ends (Unicode TR 36).
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def decode(lists: Sequence[Sequence[EncodedFile]], paths: Sequence[str]) -> list[list[DecodedFile]]:
    """The files of a request's lists (their paths as `entries.3.attachments`), decoded and checked, in the same order.

    Raises a validation error for file names, and `INVALID_ATTACHMENT_TYPE` with the field in `details.property`, of
    several files with all their fields.
    """
    placed = [
        [(file, f"{path}.{index}") for index, file in enumerate(files)]
        for files, path in zip(lists, paths, strict=True)
    ]
    try:
        return [[_decode(*one) for one in files] for files in placed]
    except LedgerBeeError as fault:
        raise with_more(fault, (partial(_decode, *one) for files in placed for one in files)) from None


def _decode(file: EncodedFile, path: str) -> DecodedFile:
    file_name = file.file_name.strip()
    if not is_file_name(file_name):
        where = f"{path}.fileName"
        raise invalid((where, "isFileName", f"{where} {FILE_NAME}"))
    content_type = file.content_type.partition(";")[0].strip().lower()
    if content_type not in CONTENT_TYPES:
        raise INVALID_ATTACHMENT_TYPE.error(
            "Attachments of this type are not taken",
            property=f"{path}.contentType",
            contentType=file.content_type,
            allowedTypes=sorted(CONTENT_TYPES),
        )
    try:
        content = base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError):  # ValueError: a character that is not even ASCII
        content = b""
    if not content:
        raise INVALID_ATTACHMENT_TYPE.error("The content is no base64, or empty", property=f"{path}.content")
    if content_type not in (found := types_of(content)):
        raise INVALID_ATTACHMENT_TYPE.error(
            "The content is not of the type it is said to be",
            property=f"{path}.content",
            contentType=content_type,
            detectedTypes=sorted(found),
        )
    return DecodedFile(file_name, content_type, content, hashlib.sha256(content).digest())


#: What a file name must be, after the field's name.
FILE_NAME: Final = f"must be a file name of 1 to {MAX_FILE_NAME} characters, without folders or control characters"


def is_file_name(name: str) -> bool:
    """Whether a name is one of a file, on any system, and shows as what it is."""
    return (
        0 < len(name) <= MAX_FILE_NAME
        and name not in {".", ".."}
        and not any(
            char in "/\\" or char in _BIDI_CONTROLS or unicodedata.category(char) in _UNPRINTABLE for char in name
        )
    )


def types_of(content: bytes) -> frozenset[str]:
    """The types that a content may truly be called, of those that are taken; none for anything else."""
    for kind in _PICTURES:
        if filetype.match(content, [kind]):
            return frozenset({kind.mime})
    if _PDF_START in content[:_PDF_WITHIN]:
        return frozenset({_PDF.mime})
    if content.startswith(_COMPOUND_START):
        return _compound_types(content)
    if filetype.match(content, [_ARCHIVE]):
        return _archive_types(content)
    text = _text_of(content)
    if text is None:
        return frozenset()
    return _XML | {"text/plain"} if _XML_START.match(text) else _TEXT


def _compound_types(content: bytes) -> frozenset[str]:
    """Older Office files: the directory has an entry with the name of the main stream, 128 bytes each (MS-CFB 2.6)."""
    found = set()
    for name, content_type in _COMPOUND_STREAMS.items():
        entry = (name + "\0").encode("utf-16-le")
        at = content.find(entry)
        while at >= 0:
            if at % _DIRECTORY_ENTRY == 0:
                found.add(content_type)
                break
            at = content.find(entry, at + 1)
    return frozenset(found)


def _archive_types(content: bytes) -> frozenset[str]:
    """Office files of today: archives whose directory names the parts that such a file has."""
    if content.count(b"PK\x01\x02") > _MAX_PARTS:
        return frozenset()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = {part.filename: part for part in packed.infolist()}
            first = parts.get("mimetype")
            if first is not None and first.compress_type == zipfile.ZIP_STORED and first.file_size <= _MAX_MIMETYPE:
                return frozenset({packed.read(first).decode("ascii")}) & _OPEN_DOCUMENTS
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, OverflowError, RuntimeError, struct.error):
        return frozenset()  # damaged, or a kind of archive that no office program writes
    if "[Content_Types].xml" not in parts:
        return frozenset()
    folders = {name.partition("/")[0] for name in parts}
    return frozenset(kind for folder, kind in _OPEN_XML_FOLDERS.items() if folder in folders)


def _text_of(content: bytes) -> str | None:
    """The content as text: Unicode, or else the one-byte code page that banks and older programs write."""
    try:
        if content.startswith(_BYTE_ORDER_MARKS):
            text = content.decode("utf-16")
        else:
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError:
                text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    # A chunk at a time: a search keeps the GIL.
    starts = range(0, len(text), _CHUNK)
    return None if any(_CONTROL_CHARACTER.search(text, start, start + _CHUNK) for start in starts) else text
