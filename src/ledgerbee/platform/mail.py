"""Mail by SMTP: how a server is spoken to, and what its answers mean."""

import ssl
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from ledgerbee.core.addresses import address_of
from ledgerbee.platform.mail_message import MailMessage, UnsafeMessageError, write

#: Seconds a mail server may take for one step of the session, and for its answer to a mail that it was given. That one
#: is long (RFC 5321 4.5.3.2.6): who is not waited for may have taken the mail, and gets it again.
TIMEOUT_S: Final = 30
DATA_TIMEOUT_S: Final = 300

#: How a server is spoken to: TLS from the first byte, TLS before anything else is said, TLS where the server offers it.
IMPLICIT_TLS: Final = "smtps"
DEMANDED_TLS: Final = "smtp+starttls"
OFFERED_TLS: Final = "smtp"
_PORTS: Final = {IMPLICIT_TLS: 465, DEMANDED_TLS: 587, OFFERED_TLS: 587}
MODES: Final = frozenset(_PORTS)

#: How an address begins that a mail comes back to; behind it stands the mail's id, as 32 hexadecimal digits.
BOUNCES: Final = "bounces+"

_WITHIN: Final = ".example.com"

#: Characters of a name in a header or a line: it is read at a glance.
MAX_NAME: Final = 120
#: What a text in a mail must not have: control characters, and those that turn around what stands behind them.
_UNWANTED: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Replies that ask for a login, another one, or encryption, whatever they answer (RFC 4954 6; 530 also RFC 3207 4).
_LOGIN_REFUSED: Final = frozenset({530, 534, 535, 538})
#: The replies to MAIL FROM that are about the message: its size (RFC 1870 6.1).
_MESSAGE_TOO_LARGE: Final = frozenset({552})

#: Called as a session goes on: the step, in words, and what the server said to it.
OnStep = Callable[[str, str], None]


class MailNotConfiguredError(Exception):
    """No mail server is set (`SMTP_URL`)."""


class MailRefusedError(Exception):
    """This message can't be sent, or the server refused it for good (a 5xx reply): trying again is no use."""


class MailFailedError(Exception):
    """The server can't be reached, doesn't take us, or asked to come back later (4xx): worth another try."""


class MailUnconfirmedError(MailFailedError):
    """The connection was lost with the mail: the server may have taken it, and didn't get to say so.

    SMTP knows no way to ask (RFC 5321 4.5.3.2.6): it is sent again, under its own `Message-ID`.
    """


def sender_address(sender: str) -> str:
    """The address of `sender` (`Name <address>`, or the address alone), its domain in ASCII (IDNA).

    Raises `ValueError` for what is no address, or one that only servers with SMTPUTF8 would take.
    """
    address = parseaddr(sender)[1] if "<" in sender else sender.strip()
    try:
        # With more of a name behind it: mail inside a network comes from hosts that the library takes for made up.
        checked = validate_email(address + _WITHIN, check_deliverability=False).ascii_email
    except EmailNotValidError:
        checked = None
    if not checked or "=?" in checked:
        raise ValueError("must be an e-mail address in ASCII, such as invoices@example.com")
    return checked.removesuffix(_WITHIN)


def message_id(mail_id: UUID, sender: str) -> str:
    """The `Message-ID` of a mail: the same however often it is tried."""
    return f"<{mail_id}@{sender_address(sender).rpartition('@')[2]}>"


def one_line(text: str) -> str:
    """`text` as one line of at most `MAX_NAME` characters: no line breaks, controls or turned text."""
    line = " ".join("".join(" " if _is_control(char) else char for char in text if char not in _UNWANTED).split())
    return line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 1].rstrip()}…"


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def wire_address(address: str) -> str:
    """An address as mail servers take it: the domain in ASCII (IDNA); a local part beyond ASCII needs SMTPUTF8."""
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError as fault:
        raise MailRefusedError(f"No mail can go to {one_line(address)!r}: {fault}") from fault
    return f"{checked.ascii_local_part or checked.local_part}@{checked.ascii_domain}"


def _ignore_step(_step: str, _answer: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mail through the server at `url`, under the address in `sender`.

    `url`: `smtps://user:password@host:465` (TLS from the first byte), `smtp+starttls://host:587` (no mail without
    STARTTLS), `smtp://host:587` (STARTTLS where offered). Certificates are checked; user and password are sent over TLS
    only, but for a server on this machine.

    What comes back goes to `bounce_domain` where one is set, to an address that names the mail; else to the sender.
    """

    url: str | None
    sender: str
    bounce_domain: str | None = None

    def return_path(self, mail_id: UUID) -> str:
        """The address that a mail comes back to (RFC 5321 4.4)."""
        return f"{BOUNCES}{mail_id.hex}@{self.bounce_domain}" if self.bounce_domain else sender_address(self.sender)

    async def send(self, message: MailMessage, on_step: OnStep = _ignore_step) -> str:
        """Write and transmit a mail, and answer with the server's last word. Raises as `transmit` does."""
        content = written(message)
        on_step("message", f"{len(content)} bytes, read back as it was meant")
        return await self.transmit(content, message.recipient.address, message.sender.address, on_step)

    async def transmit(self, content: bytes, recipient: str, return_path: str, on_step: OnStep = _ignore_step) -> str:
        """Hand a written mail over for one recipient and answer with the server's last word.

        Raises `MailNotConfiguredError`, `MailRefusedError` and `MailFailedError`.
        """
        if not self.url:
            raise MailNotConfiguredError("No mail server is set: SMTP_URL is empty")
        session = _SmtpSession(self.url, on_step)
        try:
            await session.open()
            return await session.transmit(content, recipient, return_path)
        finally:
            session.client.close()

    async def check(self) -> str:
        """Go as far as a mail would go without one; where the server is. Raises as `send` does."""
        if not self.url:
            raise MailNotConfiguredError("No mail server is set: SMTP_URL is empty")
        session = _SmtpSession(self.url, _ignore_step)
        try:
            await session.open()
        finally:
            session.client.close()
        return f"{session.host}:{session.port}"


class _SmtpSession:
    """One session with a mail server."""

    def __init__(self, url: str, on_step: OnStep) -> None:
        server = urlsplit(url)
        self.mode = server.scheme
        self.user, self.password = (unquote(text) if text else None for text in (server.username, server.password))
        self.host = server.hostname or "127.0.0.1"
        self.port = server.port or _PORTS[self.mode]
        self.on_step = on_step
        # Certificates are checked: the library's default, said here because it matters.
        self.client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.mode == IMPLICIT_TLS,
            start_tls=False,
            validate_certs=True,
            timeout=TIMEOUT_S,
        )

    async def open(self) -> None:
        """Connect, go over to TLS and log in, as the address says. Raises `MailFailedError`.

        A refusal here is not about a message: an operator can mend it, so that later tries succeed.
        """
        try:
            greeting = await self.client.connect()
            self.on_step("connected", f"{self.host}:{self.port} {greeting.code} {greeting.message}")
            await self.client.ehlo()
            if self.mode == DEMANDED_TLS and not self.client.supports_extension("starttls"):
                raise MailFailedError("The mail server offers no STARTTLS, and smtp+starttls:// demands it")
            if self.mode != IMPLICIT_TLS and self.client.supports_extension("starttls"):
                answer = await self.client.starttls(validate_certs=True)
                self.on_step("STARTTLS", f"{answer.code} {answer.message}")
                await self.client.ehlo()
            self._report_tls()
            if self.user is not None:
                await self._log_in(self.user, self.password or "")
        except aiosmtplib.SMTPResponseException as fault:
            raise MailFailedError(f"{fault.code} {fault.message}") from fault
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            raise MailFailedError(str(fault) or type(fault).__name__) from fault

    async def transmit(self, content: bytes, recipient: str, return_path: str) -> str:
        """Hand a written mail over; the server's answer. Raises `MailRefusedError` and `MailFailedError`."""
        try:
            await self._address(content, recipient, return_path)
            answer = await self._hand_over(content)
        except aiosmtplib.SMTPSenderRefused as fault:  # who we are, and may we send as that: an operator's settings
            kind = MailRefusedError if fault.code in _MESSAGE_TOO_LARGE else MailFailedError
            raise kind(f"{fault.code} {fault.message}") from fault
        except aiosmtplib.SMTPResponseException as fault:
            raise _error_class(fault.code)(f"{fault.code} {fault.message}") from fault
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise MailFailedError(str(fault) or type(fault).__name__) from fault
        except ValueError as fault:  # an address that can't be said in the session
            raise MailRefusedError(str(fault)) from fault
        self.on_step("accepted", answer)
        return answer

    async def _address(self, content: bytes, recipient: str, return_path: str) -> None:
        """Tell the server from whom and to whom (RFC 5321 4.1.1.2, 4.1.1.3)."""
        options, encoding = [], "ascii"
        if self.client.supports_extension("size"):
            options.append(f"SIZE={len(content)}")
        if not recipient.isascii():
            if not self.client.supports_extension("smtputf8"):
                raise MailRefusedError(f"The mail server takes no address beyond ASCII: {recipient}")
            options.append("SMTPUTF8")
            encoding = "utf-8"
        await self.client.mail(return_path, options=options, encoding=encoding)
        await self.client.rcpt(recipient, encoding=encoding)

    async def _hand_over(self, content: bytes) -> str:
        try:
            return (await self.client.data(content, timeout=DATA_TIMEOUT_S)).message
        except aiosmtplib.SMTPResponseException:
            raise
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise MailUnconfirmedError(
                f"{str(fault) or type(fault).__name__}: the mail may have been taken without a word"
            ) from fault

    async def _log_in(self, user: str, password: str) -> None:
        check_transport_security(is_encrypted=self._is_encrypted, peer=self.client.get_transport_info("peername"))
        answer = await self.client.login(user, password)
        self.on_step("logged in", f"{answer.code} {answer.message}")

    @property
    def _is_encrypted(self) -> bool:
        return self.client.get_transport_info("sslcontext") is not None

    def _report_tls(self) -> None:
        tls = self.client.get_transport_info("ssl_object")
        if isinstance(tls, ssl.SSLObject):
            self.on_step("encrypted", f"{tls.version()}, certificate checked")
        else:
            self.on_step("not encrypted", "the server offers no STARTTLS")


def written(message: MailMessage) -> bytes:
    """The mail as its bytes. Raises `MailRefusedError` for one that can't be written as it is meant."""
    try:
        return write(message)
    except UnsafeMessageError as fault:
        raise MailRefusedError(f"The mail was not sent: {fault}") from fault


def _error_class(code: int) -> type[MailRefusedError | MailFailedError]:
    """What a reply to a message or its recipient means (RFC 5321 4.2.1); one that asks for a login is about neither."""
    return MailRefusedError if 500 <= code <= 599 and code not in _LOGIN_REFUSED else MailFailedError


def check_transport_security(*, is_encrypted: bool, peer: object) -> None:
    """Whether user and password may be sent: over TLS, or to this machine, by the address that the connection went to.

    `peer` is what the transport says of the other end. Raises `MailFailedError`.
    """
    address = address_of(str(peer[0])) if isinstance(peer, tuple) and peer else None
    if not is_encrypted and not (address is not None and address.is_loopback):
        raise MailFailedError(
            "The mail server offers no STARTTLS: user and password are not told to it unencrypted. "
            "Use smtps://, or a server that offers it"
        )
