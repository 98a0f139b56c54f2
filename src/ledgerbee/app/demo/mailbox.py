"""A real mail server on the loopback, in process: it takes every mail and keeps it."""

import asyncio
import email
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default as modern

from aiosmtpd.smtp import SMTP, Envelope, Session

from ledgerbee.app.serve import listen


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it came in: who it was handed over for, and what it says."""

    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def attachments(self) -> dict[str, bytes]:
        """Content by file name."""
        return {part.get_filename() or "": part.get_content() for part in self.message.iter_attachments()}


@dataclass
class Mailbox:
    """Mails in the order in which they came.

    Without slots: aiosmtpd reads every member of its handler, and the `__weakref__` that Python before 3.11.3 leaves on
    a dataclass with slots can't be read.
    """

    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Keep what was handed over."""
        message = email.message_from_bytes(envelope.original_content or b"", EmailMessage, policy=modern)
        self.mails.append(Mail(tuple(envelope.rcpt_tos), message))
        return f"250 OK: mail {len(self.mails)} is kept"


def mail_socket() -> socket.socket:
    """A listening socket on a free port of the loopback; what connects waits until `receiving` serves it."""
    return listen("127.0.0.1", 0)


@asynccontextmanager
async def receiving(listener: socket.socket, mailbox: Mailbox) -> AsyncIterator[None]:
    """Serve `listener` as a mail server into `mailbox`."""
    loop = asyncio.get_running_loop()

    def conversation() -> SMTP:
        return SMTP(mailbox, hostname="localhost", enable_SMTPUTF8=True, loop=loop)

    conversation()  # what fails here would close each connection without a word, and look like a slow delivery
    server = await loop.create_server(conversation, sock=listener)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
