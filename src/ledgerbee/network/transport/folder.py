"""E-invoices as files in a folder, for whatever picks them up there."""

import asyncio
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from ledgerbee.network.transport.model import Message, Receipt, TransportFailedError
from ledgerbee.platform.files import create_private, explained, sync_folder

#: What a name keeps of a sender and a number.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]")
#: Characters of a number in a name; file systems take 255 bytes in all.
_LONGEST_NUMBER: Final = 60
_DIGEST: Final = 12

log = structlog.get_logger("ledgerbee.e_invoices")


@dataclass(frozen=True, slots=True)
class FolderTransport:
    """Puts each e-invoice into a folder, whole or not at all, and it is there after a power cut.

    Files are named by sender, kind and number. What is put there again under its name with the same bytes is one file;
    another document of that name gets a name of its own. Names that begin with a point are files that are being
    written.
    """

    folder: Path

    async def send(self, message: Message) -> Receipt:
        """Write the file. Raises `TransportFailedError` where the folder can't be written."""
        return await asyncio.to_thread(self._put, message)

    def _put(self, message: Message) -> Receipt:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = self._put_whole(message)
            sync_folder(self.folder)
        except OSError as fault:
            # Where the folder is is the operator's to know, and no company's.
            log.warning("e_invoices.folder_failed", folder=str(self.folder), error=explained(fault))
            reason = fault.strerror or type(fault).__name__
            raise TransportFailedError(f"The folder of e-invoices can't be written: {reason}") from None
        return Receipt(f"Put into the folder as {name}", name)

    def _put_whole(self, message: Message) -> str:
        """Give the finished file its name: the plain one, else one with the digest. Raises `OSError`."""
        temporary = self.folder / f".{message.id}.{uuid4().hex}"
        try:
            with os.fdopen(create_private(temporary), "wb") as file:
                file.write(message.content)
                file.flush()
                os.fsync(file.fileno())
            for name in names_of(message):
                with suppress(FileExistsError):
                    os.link(temporary, self.folder / name)  # as a rename, but never over another document
                    return name
                if (self.folder / name).read_bytes() == message.content:
                    return name
            raise FileExistsError(None, "another file has its name", str(self.folder / name))
        finally:
            temporary.unlink(missing_ok=True)


def names_of(message: Message) -> tuple[str, str]:
    """The name of a message's file, and the one that it has where that is taken.

    What a file system may not hold is `_` in a name; a name that was changed has the digest too.
    """
    number = _UNSAFE.sub("_", message.number)[:_LONGEST_NUMBER]
    plain = f"{_UNSAFE.sub('-', message.sender)}_{message.document_type.value}_{number}"
    unique = f"{plain}_{message.digest.hex()[:_DIGEST]}.xml"
    return (f"{plain}.xml" if number == message.number else unique), unique
