"""PDFs of sent documents, kept in the store of files: each is set once.

Its name there is the digest of all that it is made from: the snapshot with the state that it shows, the logo, and
`EDITION`. So a kept PDF is the right one or isn't found, whatever is paid or changed meanwhile, and nobody has to
remove it in time. Names are by company, as those of attached files.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE, BlobStore
from ledgerbee.platform.context import to_json
from ledgerbee.sales.documents.printing import Attach, print_pdf

#: Of layout, wording and attached e-invoice. Raise it where what was sent before is to be set anew; else it stays as
#: its buyer has it.
EDITION: Final = 1

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
    name = name_of_pdf(snapshot, logo)
    lock = _setting.setdefault((company_id, name), asyncio.Lock())
    async with lock:
        kept = await _get(blobs, company_id, name)
        # The store is that of attached files, which are named by their own digest: a file that holds what this name is
        # the digest of would have it too. It doesn't begin like a PDF.
        if kept is not None and kept.startswith(b"%PDF-"):
            return kept
        pdf = await print_pdf(company_id, snapshot, is_draft=False, logo=logo, attach=attach)
        await _put(blobs, company_id, name, pdf)
        return pdf


def name_of_pdf(snapshot: Mapping[str, Any], logo: bytes | None) -> bytes:
    """What the PDF of a document that was sent is kept as: 32 bytes."""
    of_logo = hashlib.sha256(logo).hexdigest() if logo else ""
    return hashlib.sha256(f"{EDITION}\n{of_logo}\n{to_json(snapshot)}".encode()).digest()


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
