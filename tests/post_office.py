"""A real mail server for tests: it keeps what it takes and answers as it is told."""

import asyncio
import email
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default as modern
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

#: See `PostOffice.answers_to`.
DROP = "drop"


@dataclass
class PostOffice:
    """Mails it took, and what it says. `hold` keeps senders waiting for their answer after the mail was taken."""

    port: int = 0
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    #: The bytes of the same mails, as they came in.
    received: list[bytes] = field(default_factory=list)
    #: Users who logged in, with what they showed.
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    #: Who mails come back to (MAIL FROM), of each mail that was taken.
    return_paths: list[str] = field(default_factory=list)
    #: Answers to the next recipients; afterwards everybody is welcome.
    recipient_answers: list[str] = field(default_factory=list)
    #: What the next mails for an address get instead of "250": a reply to RCPT, or DROP (the mail is taken, and the
    #: connection closed before a word is said).
    answers_to: dict[str, list[str]] = field(default_factory=dict)
    drops: bool = False
    data_answers: list[str] = field(default_factory=list)
    login_answers: list[str] = field(default_factory=list)
    sender_answers: list[str] = field(default_factory=list)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def mails_to(self, recipient: str) -> list[EmailMessage]:
        return [message for recipients, message in self.mails if recipient in recipients]

    def hold(self) -> None:
        """Take the next mail, but let its sender wait until `go_on` is set."""
        self.taken.clear()
        self.go_on.clear()

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.sender_answers:
            return self.sender_answers.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.answers_to[address].pop(0) if self.answers_to.get(address) else "250 OK"
        self.drops = answer == DROP
        if not self.drops and not answer.startswith("250"):
            return answer
        if self.recipient_answers:
            answer = self.recipient_answers.pop(0)
            if not answer.startswith("250"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        if self.data_answers:
            return self.data_answers.pop(0)
        self.received.append(envelope.original_content or b"")
        message = email.message_from_bytes(self.received[-1], EmailMessage, policy=modern)
        self.mails.append((list(envelope.rcpt_tos), message))
        self.return_paths.append(envelope.mail_from or "")
        self.taken.set()
        if self.drops:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        await self.go_on.wait()
        return "250 2.0.0 Ok: queued as 4F1A2"


@asynccontextmanager
async def open_post_office(
    office: PostOffice, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[PostOffice]:
    """Serve `office` on its port (a free one the first time) until the block ends.

    `starttls` is offered; `tls` is spoken from the first byte. Anybody may log in, encrypted or not.
    """
    loop = asyncio.get_running_loop()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, shown: Any) -> AuthResult:
        office.logins.append((shown.login, shown.password))
        refused = office.login_answers.pop(0) if office.login_answers else None
        return AuthResult(success=refused is None, handled=False, message=refused)

    def conversation() -> SMTP:
        return SMTP(
            office, hostname="localhost", enable_SMTPUTF8=True, loop=loop, tls_context=starttls,
            authenticator=authenticate, auth_require_tls=False,
        )  # fmt: skip

    server = await loop.create_server(conversation, "127.0.0.1", office.port, ssl=tls)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        office.go_on.set()
        server.close()
        await server.wait_closed()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def attachments(message: EmailMessage) -> dict[str, bytes]:
    """Content by file name."""
    return {part.get_filename() or "": part.get_content() for part in message.iter_attachments()}


def text_of(message: EmailMessage, kind: str) -> str:
    """The body as `plain` or `html`."""
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content
