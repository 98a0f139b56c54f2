"""What mail servers report of a mail that was accepted: delivery status notifications (RFC 3464, RFC 6533). Pure.

Such a report comes back to the envelope's sender, which may name the mail (`Mailer.return_path`), and has the mail's
own headers with its `Message-ID`, or the mail whole. Nothing else of it is believed but what the mail server says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.errors import MessageError
from email.message import Message
from email.policy import compat32
from typing import Final, TypeAlias
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.platform.mail import BOUNCES

#: Characters that are read of a report: what is said of the mail comes first, the mail itself last.
READ_OF_REPORT: Final = 256 * 1024
#: Who a report was sent to.
_ADDRESSED: Final = ("To", "Delivered-To", "X-Original-To")
_RETURN_PATH: Final = re.compile(rf"{re.escape(BOUNCES)}([0-9a-f]{{32}})@", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
#: The part that has the mail's headers, or the mail.
_RETURNED: Final = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers"}
)
_BLANK_LINE: Final = re.compile(r"\r?\n[ \t]*\r?\n")
#: The action that says that nobody gets the mail (RFC 3464 2.3.3); the others are `delayed`, `delivered`, `relayed` and
#: `expanded`.
FAILED: Final = "failed"
_ACTIONS: Final = (FAILED, "delayed", "delivered", "relayed", "expanded")

_Message: TypeAlias = "Message[str, str]"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a report says: of which mail (ids, the likeliest first), what became of it, and why."""

    mail_ids: tuple[UUID, ...]
    action: str
    reason: str


def read_report(text: str) -> DeliveryReport:
    """Read a report as it came in. Raises a validation error of `message`."""
    try:
        report = message_from_string(text[:READ_OF_REPORT], policy=compat32)
        groups = [dict(_fields(group)) for group in _groups(report)]
        mail_ids = tuple(dict.fromkeys(_mail_ids(report)))
    except (MessageError, RecursionError, ValueError, LookupError) as fault:
        raise _unreadable() from fault
    told = [group for group in groups if group.get("action") in _ACTIONS]
    if not told or not mail_ids:
        raise _unreadable()
    # A mail is for one recipient: several are those whom its address stands for.
    worst = min(told, key=lambda group: _ACTIONS.index(group["action"]))
    return DeliveryReport(mail_ids, worst["action"], _reason(worst))


def _unreadable() -> LedgerBeeError:
    text = "must be the report of what became of a mail that was sent from here (RFC 3464)"
    return invalid(("message", "isDeliveryReport", f"message {text}"))


def _groups(report: _Message) -> Iterator[_Message]:
    """The groups of fields of the report's own part: of the mail, and of each recipient (RFC 3464 2.1)."""
    for part in report.walk():
        payload = part.get_payload()
        groups = [group for group in payload if isinstance(group, Message)] if isinstance(payload, list) else []
        if groups and part.get_content_type() == "message/delivery-status":
            yield from groups
            return
        if groups and part.get_content_type() == "message/global-delivery-status":  # of an address beyond ASCII
            # Python takes it for a mail: the first group is its header, the others are its text.
            yield groups[0]
            yield from (
                message_from_string(text, policy=compat32)
                for text in _BLANK_LINE.split(str(groups[0].get_payload()))
                if text.strip()
            )
            return


def _fields(group: _Message) -> Iterator[tuple[str, str]]:
    """The fields that are read, their names and what stands before `;` in lower case."""
    for name in ("Action", "Status", "Diagnostic-Code"):
        value = " ".join(str(group.get(name, "")).split())
        if value:
            yield name.lower(), value.lower() if name == "Action" else value


def _reason(group: dict[str, str]) -> str:
    """In the mail server's words, without the name of their kind: `smtp; 550 5.1.1 No such user`."""
    status, diagnostic = group.get("status", ""), group.get("diagnostic-code", "")
    words = diagnostic.partition(";")[2].strip() or diagnostic
    return words if status in words else f"{status} {words}".strip()


def _mail_ids(report: _Message) -> Iterator[UUID]:
    for name in _ADDRESSED:
        for value in report.get_all(name, []):
            yield from (UUID(found) for found in _RETURN_PATH.findall(str(value)))
    for part in report.walk():
        if part.get_content_type() in _RETURNED:
            yield from _named(_returned(part), "Message-ID")
            break
    yield from _named(report, "In-Reply-To")
    yield from _named(report, "References")


def _returned(part: _Message) -> _Message:
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload[0] if payload and isinstance(payload[0], Message) else part
    return message_from_string(str(payload), policy=compat32)


def _named(message: _Message, header: str) -> Iterator[UUID]:
    yield from (UUID(found) for value in message.get_all(header, []) for found in _MESSAGE_ID.findall(str(value)))
