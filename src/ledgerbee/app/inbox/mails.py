"""The development mailbox: a mail server that takes every mail and keeps the newest, and what is read of them."""

import email
from collections import deque
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import default as modern
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

#: Mails that are kept; the oldest go first.
MOST_MAILS: Final = 200


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as it came in, counted from 1: its bytes, and who it was handed over for and by (SMTP's envelope)."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class MailTexts:
    """What is read of a mail. `files` are names and contents; a text that isn't there is None."""

    subject: str
    sender: str
    date: str
    plain: str | None
    html: str | None
    files: tuple[tuple[str, bytes], ...]


@dataclass
class Inbox:
    """The newest mails. (Without slots: see `app.demo.mailbox.Mailbox`.)"""

    mails: deque[KeptMail] = field(default_factory=lambda: deque(maxlen=MOST_MAILS))
    count: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Keep what was handed over."""
        self.count += 1
        content = envelope.original_content or b""
        self.mails.append(KeptMail(self.count, envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        return f"250 OK: mail {self.count} is kept"

    def kept(self) -> list[KeptMail]:
        """The mails, newest first."""
        return list(reversed(self.mails))

    def find(self, number: int) -> KeptMail | None:
        """A mail by its number, if it is still kept."""
        return next((mail for mail in self.mails if mail.number == number), None)


def texts_of(mail: KeptMail) -> MailTexts:
    """Read a mail, however broken it is."""
    message = email.message_from_bytes(mail.content, EmailMessage, policy=modern)
    plain: str | None = None
    html: str | None = None
    files: list[tuple[str, bytes]] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), _quietly(part.get_filename)
        if name is None and kind == "text/plain" and plain is None:
            plain = _text(part)
        elif name is None and kind == "text/html" and html is None:
            html = _text(part)
        else:
            files.append((_one_name(name or f"{kind.replace('/', '-')}.bin"), _bytes(part)))
    header = {name: _header(message, name) for name in ("Subject", "From", "Date")}
    return MailTexts(header["Subject"], header["From"], header["Date"], plain, html, tuple(files))


def _quietly(read: object) -> str | None:
    try:
        value = read() if callable(read) else None
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return value if isinstance(value, str) else None


def _header(message: EmailMessage, name: str) -> str:
    return " ".join((_quietly(lambda: str(message.get(name, ""))) or "").split())


def _bytes(part: "Message[str, str]") -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: "Message[str, str]") -> str:
    try:
        return _bytes(part).decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # a charset that nobody knows
        return _bytes(part).decode("latin-1")


def _one_name(name: str) -> str:
    """A name without folders or what no header may have."""
    kept = "".join(char if char.isprintable() and char not in "/\\" else "_" for char in name)
    return kept[:200] or "file"
