"""Mail by SMTP."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

#: Seconds a mail server may take for one step of the conversation.
TIMEOUT_S: Final = 30


class MailNotConfiguredError(Exception):
    """No mail server is set (`SMTP_URL`)."""


class MailRefusedError(Exception):
    """The mail server refused the message for good (a 5xx reply): trying again is no use."""


class MailFailedError(Exception):
    """The mail server could not be reached or asked to come back later: worth another try."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mail through the server at `url` (`smtp://user:password@host:587`, `smtps://host:465`)."""

    url: str | None
    sender: str

    async def send(self, message: EmailMessage) -> str:
        """Deliver a message and answer with the server's last word.

        Raises `MailNotConfiguredError`, `MailRefusedError` and `MailFailedError`.
        """
        if not self.url:
            raise MailNotConfiguredError("No mail server is set: SMTP_URL is empty")
        server = urlsplit(self.url)
        implicit_tls = server.scheme == "smtps"
        try:
            _, reply = await aiosmtplib.send(
                message,
                hostname=server.hostname or "127.0.0.1",
                port=server.port or (465 if implicit_tls else 587),
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password) if server.password else None,
                use_tls=implicit_tls,
                # None: STARTTLS whenever the server offers it.
                start_tls=False if implicit_tls else None,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as fault:
            first = fault.recipients[0]
            kind = MailRefusedError if first.code >= 500 else MailFailedError
            raise kind(f"{first.code} {first.message}") from fault
        except aiosmtplib.SMTPResponseException as fault:
            kind = MailRefusedError if fault.code >= 500 else MailFailedError
            raise kind(f"{fault.code} {fault.message}") from fault
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise MailFailedError(str(fault) or type(fault).__name__) from fault
        return reply
