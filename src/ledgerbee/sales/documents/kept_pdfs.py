"""PDFs of sent documents, and details of the children of an invoice, kept in the store of files: each is set once.

Its name there is the digest of all that it is made from: the snapshot with the state that it shows, the logo, and
`EDITION`. So a kept PDF is the right one or isn't found, whatever is paid or changed meanwhile, and nobody has to
remove it in time. Names are by company, as those of attached files.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE, BlobStore
from ledgerbee.platform.context import to_json
from ledgerbee.sales.documents.child_details import details_of, zipped
from ledgerbee.sales.documents.printing import Attach, print_pdf

#: Of layout, wording and attached e-invoice. Raise it where what was sent before is to be set anew; else it stays as
#: its buyer has it.
EDITION: Final = 1
#: Details of children that are in hand at the same time.
_AT_ONCE: Final = 4

log = structlog.get_logger("ledgerbee.printing")

#: Who sets a document now, by company and name; the second one to ask waits and finds it kept.
_setting: Final[WeakValueDictionary[tuple[UUID, bytes], asyncio.Lock]] = WeakValueDictionary()


async def pdf_of_sent(
    blobs: BlobStore,
    company_id: UUID,
    snapshot: Mapping[str, Any],
    *,
    logo: bytes | None,
    attach: Attach | None,
) -> bytes:
    """The PDF of a document that was sent, from the store, else set now and kept.

    A store that is full or away keeps nobody from a PDF. Takes its time: call it outside any transaction. Raises what
    `print_pdf` raises.
    """

    async def make() -> bytes:
        return await print_pdf(company_id, snapshot, is_draft=False, logo=logo, attach=attach)

    return await _made_once(blobs, company_id, name_of_pdf(snapshot, logo), b"%PDF-", make)


async def details_of_sent(
    blobs: BlobStore, company_id: UUID, snapshot: Mapping[str, Any], *, logo: bytes | None
) -> bytes:
    """The zip with the details of each child that a sent invoice has lines of, from the store, else made now and kept.

    What was paid since doesn't matter to it. Call it as `pdf_of_sent`; it raises the same.
    """
    as_sent = {**snapshot, "settled": None}
    places = asyncio.Semaphore(_AT_ONCE)

    async def printed(details: Mapping[str, Any]) -> bytes:
        async with places:
            return await print_pdf(company_id, details, is_draft=False, logo=logo)

    async def make() -> bytes:
        found = await asyncio.to_thread(details_of, as_sent)
        pdfs = await asyncio.gather(*(printed(details) for details in found))
        return await asyncio.to_thread(zipped, as_sent, zip(found, pdfs, strict=True))

    return await _made_once(blobs, company_id, _name("child details", as_sent, logo), b"PK", make)


async def _made_once(
    blobs: BlobStore, company_id: UUID, name: bytes, start: bytes, make: Callable[[], Awaitable[bytes]]
) -> bytes:
    """A file from the store, else made now and kept. `start` is how its kind of file begins."""
    lock = _setting.setdefault((company_id, name), asyncio.Lock())
    async with lock:
        kept = await _get(blobs, company_id, name)
        # The store is that of attached files, which are named by their own digest: a file that holds what this name is
        # the digest of would have it too. It doesn't begin like a PDF, nor like a zip.
        if kept is not None and kept.startswith(start):
            return kept
        made = await make()
        await _put(blobs, company_id, name, made)
        return made


def name_of_pdf(snapshot: Mapping[str, Any], logo: bytes | None) -> bytes:
    """What the PDF of a document that was sent is kept as: 32 bytes."""
    return _name("", snapshot, logo)


def _name(of: str, snapshot: Mapping[str, Any], logo: bytes | None) -> bytes:
    of_logo = hashlib.sha256(logo).hexdigest() if logo else ""
    return hashlib.sha256(f"{of}{EDITION}\n{of_logo}\n{to_json(snapshot)}".encode()).digest()


async def _get(blobs: BlobStore, company_id: UUID, name: bytes) -> bytes | None:
    try:
        return await blobs.get(company_id, name)
    except LedgerBeeError as fault:
        _tell(fault)
        return None


async def _put(blobs: BlobStore, company_id: UUID, name: bytes, pdf: bytes) -> None:
    try:
        await blobs.put(company_id, name, pdf)
    except LedgerBeeError as fault:
        _tell(fault)


def _tell(fault: LedgerBeeError) -> None:
    if fault.error_code is not ATTACHMENT_STORE_UNAVAILABLE:
        raise fault
    log.warning("printing.not_kept", error=str(fault.__cause__ or fault))
