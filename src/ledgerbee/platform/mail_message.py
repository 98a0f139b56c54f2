"""A mail as its bytes: what is written is read back and compared before it may leave.

The headers are encoded here, to ASCII, and are never handed to a library that would decode them on the way: some
versions of Python decode an encoded word (RFC 2047, `=?utf-8?q?...?=`) in a header's value and write the line breaks
that it holds.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.charset import QP, Charset
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Final
from uuid import uuid4

#: How the subject of a sandbox's mail begins, and the header that says the same to programs.
TEST_MARK: Final = "[TEST]"
TEST_HEADER: Final = "X-LedgerBee-Test"
#: A header of at most so many characters stands as it is (RFC 5322 2.1.1); a longer one is encoded and folded.
_LINE: Final = 76
#: The longest line, in bytes, that a mail may have (RFC 5321 4.5.3.1.6).
_LONGEST_LINE: Final = 998
_TEXT: Final = re.compile(r"[!-~]+( [!-~]+)*")
#: Words that need no quoting in a display name (RFC 5322 3.2.3).
_ATOMS: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+( [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_ENCODED: Final = re.compile(r"=\?utf-8\?[bq]\?[\w!*+/=-]+\?=( =\?utf-8\?[bq]\?[\w!*+/=-]+\?=)*", re.ASCII)
_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\\,;:\"@\x00-\x20\x7f-\x9f]+@[A-Za-z0-9.-]+")
_BARE_BREAK: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_FILE_NAME: Final = re.compile(r"[\w.-]+( [\w.-]+)*", re.ASCII)
_POLICY: Final = compat32.clone(linesep="\r\n", max_line_length=None)


class UnsafeMessageError(ValueError):
    """The mail, written, would not say what it is meant to say: a text in it can't be written, or is read otherwise."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address (ASCII, but for a local part beyond it) with the name that is shown for it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes along. `subtype` is that of `application/...`."""

    name: str
    subtype: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A mail to one recipient. `plain` and `html` say the same; `message_id` has its angle brackets.

    One that `is_test` says so, in its subject and in a header.
    """

    message_id: str
    at: datetime
    sender: Mailbox
    recipient: Mailbox
    subject: str
    plain: str
    html: str
    language: str
    reply_to: Mailbox | None = None
    files: tuple[AttachedFile, ...] = ()
    is_test: bool = False

    @property
    def shown_subject(self) -> str:
        """The subject as it is sent."""
        return f"{TEST_MARK} {self.subject}" if self.is_test else self.subject


def write(message: MailMessage) -> bytes:
    """The mail as it goes to a server, lines ending in CRLF. ASCII throughout, unless an address isn't.

    Raises `UnsafeMessageError`.
    """
    try:
        headers = _headers(message)
        body = _body(message).as_bytes(policy=_POLICY)
        content = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + body
        check(message, content)
    except (MessageError, UnicodeError, LookupError) as fault:
        raise UnsafeMessageError(f"a text can't be written: {fault}") from fault
    return content


def _headers(message: MailMessage) -> dict[str, str]:
    """The headers of the whole, encoded and folded, in their order."""
    headers = {
        "Message-ID": _literally(message.message_id),
        "Date": format_datetime(message.at),
        "From": _mailbox("From", message.sender),
        "To": _mailbox("To", message.recipient),
    }
    if message.reply_to is not None:
        headers["Reply-To"] = _mailbox("Reply-To", message.reply_to)
    headers["Subject"] = _text("Subject", message.shown_subject, _TEXT)
    # Out-of-office answers to a machine help nobody (RFC 3834).
    headers["Auto-Submitted"] = "auto-generated"
    headers["Content-Language"] = _literally(message.language)
    if message.is_test:
        headers[TEST_HEADER] = "true"
    return headers


def _text(header: str, text: str, plain: re.Pattern[str]) -> str:
    """A text for a header: as it is where that can't be misread, else as encoded words."""
    if text.splitlines() not in ([], [text]) or any(ord(char) < 32 for char in text):
        raise UnsafeMessageError(f"{header} is more than one line")
    if plain.fullmatch(text) and "=?" not in text and len(header) + 2 + len(text) <= _LINE:
        return text
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n") if text else ""


def _mailbox(header: str, mailbox: Mailbox) -> str:
    # Some read encoded words in addresses too, where none may be.
    if not _ADDRESS.fullmatch(mailbox.address) or "=?" in mailbox.address:
        raise UnsafeMessageError(f"{header} has no address that mail can go to")
    if not mailbox.name:
        return mailbox.address
    name = _text(header, mailbox.name, _ATOMS)
    last = name.rpartition("\r\n")[2]
    is_long = len(header) + len(last) + len(mailbox.address) + 5 > _LINE
    return f"{name}\r\n <{mailbox.address}>" if is_long else f"{name} <{mailbox.address}>"


def _literally(text: str) -> str:
    if not _TEXT.fullmatch(text) or "=?" in text:
        raise UnsafeMessageError(f"{text!r} can't stand in a header")
    return text


def _body(message: MailMessage) -> MIMEMultipart:
    """The body with the headers that describe it."""
    whole = MIMEMultipart("mixed", boundary=_boundary())
    texts = MIMEMultipart("alternative", boundary=_boundary())
    charset = Charset("utf-8")
    charset.body_encoding = QP
    for subtype, text in (("plain", message.plain), ("html", message.html)):
        texts.attach(MIMEText(text, subtype, charset))  # type: ignore[arg-type]  # a charset may be a `Charset`
    whole.attach(texts)
    for file in message.files:
        attached = MIMEApplication(file.content, _literally(file.subtype))
        # RFC 2231 for what is beyond ASCII.
        name = file.name if _FILE_NAME.fullmatch(file.name) else ("utf-8", "", file.name)
        attached.add_header("Content-Disposition", "attachment", filename=name)
        whole.attach(attached)
    parts: list[Message[str, str]] = list(whole.walk())
    for part in parts[1:]:  # the whole alone says it
        del part["MIME-Version"]
    return whole


def _boundary() -> str:
    return f"={uuid4().hex}"


def check(message: MailMessage, content: bytes) -> None:
    """Read a written mail back. Raises `UnsafeMessageError` unless it says what it is meant to, and nothing else."""
    names = [*_headers(message), "Content-Type", "MIME-Version"]
    if _BARE_BREAK.search(content):
        raise UnsafeMessageError("a line doesn't end in CRLF")
    if max(map(len, content.split(b"\r\n"))) > _LONGEST_LINE:
        raise UnsafeMessageError("a line is too long")
    block = content.partition(b"\r\n\r\n")[0].decode()
    if message.recipient.address.isascii() and not block.isascii():
        raise UnsafeMessageError("a header isn't ASCII")
    fields = [field.partition(": ") for field in block.replace("\r\n ", " ").split("\r\n")]
    read = message_from_bytes(content, policy=compat32)
    values = {name: value for name, _, value in fields}
    _same([name for name, _, _ in fields], names, "its headers")
    _same(read.keys(), names, "its headers")
    _same(_decoded(values["Subject"]), message.shown_subject, "its subject")
    _same(values["Message-ID"], message.message_id, "its id")
    for name, mailbox in (("From", message.sender), ("To", message.recipient), ("Reply-To", message.reply_to)):
        if mailbox is not None:
            _check_mailbox(name, values[name], mailbox)
    _check_parts(message, read)


def _check_mailbox(header: str, value: str, mailbox: Mailbox) -> None:
    if not mailbox.name:
        _same(value, mailbox.address, header)
        return
    name = value.removesuffix(f" <{mailbox.address}>")
    if name == value or not (_ATOMS.fullmatch(name) or _ENCODED.fullmatch(name)):
        raise UnsafeMessageError(f"{header} would be read otherwise")
    _same(_decoded(name), mailbox.name, header)


def _check_parts(message: MailMessage, read: "Message[str, str]") -> None:
    parts = list(read.walk())
    types = [f"application/{file.subtype}" for file in message.files]
    _same(
        [part.get_content_type() for part in parts],
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", *types],
        "its parts",
    )
    if any(part.defects for part in parts):
        raise UnsafeMessageError("its parts are damaged")
    allowed = {"content-type", "content-transfer-encoding", "content-disposition"}
    if any(name.lower() not in allowed for part in parts[1:] for name in part.keys()):  # noqa: SIM118  no mapping
        raise UnsafeMessageError("a part has headers of its own")
    for part, text in zip(parts[2:4], (message.plain, message.html), strict=True):
        _same(_lines(_payload(part)), _lines(text.encode()), "its text")
    for part, file in zip(parts[4:], message.files, strict=True):
        _same(_payload(part), file.content, "its file")
        _same(part.get_filename(), file.name, "the name of its file")


def _payload(part: "Message[str, str]") -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _lines(text: bytes) -> list[bytes]:
    """A text's lines: only how they end may differ on the wire."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n").split(b"\n")


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def _same(read: object, meant: object, what: str) -> None:
    if read != meant:
        raise UnsafeMessageError(f"{what} would be read otherwise")
